/*
 * inject PULL_FILE COUNT INTERVAL_US OUT: makes COUNT edges on a simulated line by turning its pull, and writes to OUT
 * the time (u64 ns, CLOCK_MONOTONIC) just before each. The pauses vary by a quarter, so that they keep in step with no timer.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: inject PULL_FILE COUNT INTERVAL_US OUT\n");
		return 2;
	}
	int pull = open(argv[1], O_WRONLY | O_CLOEXEC);
	size_t count = strtoul(argv[2], NULL, 10);
	uint64_t interval = strtoul(argv[3], NULL, 10) * 1000;
	uint64_t *stamps = calloc(count, sizeof(*stamps));
	uint32_t random = 1;

	if (pull < 0)
		fail(argv[1]);
	if (!stamps)
		fail("calloc");
	for (size_t i = 0; i < count; i++) {
		const char *to = i % 2 ? "pull-down" : "pull-up";

		random = random * 1664525 + 1013904223;
		uint64_t pause = interval * 3 / 4 + interval / 2 * (random >> 16) / 65536;
		struct timespec t = { .tv_sec = (time_t)(pause / 1000000000), .tv_nsec = (long)(pause % 1000000000) };

		nanosleep(&t, NULL);
		stamps[i] = now_ns();
		if (pwrite(pull, to, strlen(to), 0) < 0)
			fail(argv[1]);
	}
	save(argv[4], stamps, count);
	return 0;
}
