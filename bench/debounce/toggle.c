/*
 * toggle PULL_FILE TIMES OUT: plays a contact to ground. TIMES holds u64 ns since the start; at each of them the pull is
 * turned, down first. Writes to OUT the time (u64 ns, CLOCK_MONOTONIC) just before each. What is late is done at once.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../kernel/clock.h"

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: toggle PULL_FILE TIMES OUT\n");
		return 2;
	}
	int pull = open(argv[1], O_WRONLY | O_CLOEXEC);
	int file = open(argv[2], O_RDONLY | O_CLOEXEC);
	struct stat info;

	if (pull < 0)
		fail(argv[1]);
	if (file < 0 || fstat(file, &info) < 0)
		fail(argv[2]);
	size_t count = (size_t)info.st_size / sizeof(uint64_t);
	uint64_t *times = malloc((size_t)info.st_size);

	if (!times || read(file, times, (size_t)info.st_size) != info.st_size)
		fail(argv[2]);
	uint64_t start = now_ns();

	for (size_t i = 0; i < count; i++) {
		const char *to = i % 2 ? "pull-up" : "pull-down";
		uint64_t due = start + times[i];
		struct timespec t = { .tv_sec = (time_t)(due / 1000000000), .tv_nsec = (long)(due % 1000000000) };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		times[i] = now_ns();
		if (pwrite(pull, to, strlen(to), 0) < 0)
			fail(argv[1]);
	}
	save(argv[3], times, count);
	return 0;
}
