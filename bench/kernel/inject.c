/*
 * inject PREFIX LINES COUNT INTERVAL_US OUT: makes COUNT edges on simulated lines 0 to LINES - 1 in turn, by writing to
 * PREFIX<line>/pull, up first, and writes to OUT the time (u64 ns, CLOCK_MONOTONIC) just before each. The pauses vary by a
 * quarter, so that they keep in step with no timer; with an interval of 0 there are none.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define LINES_MAX 64

static void open_lines(int *pulls, const char *prefix, size_t lines)
{
	for (size_t i = 0; i < lines; i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s%zu/pull", prefix, i);
		pulls[i] = open(path, O_WRONLY | O_CLOEXEC);
		if (pulls[i] < 0)
			fail(path);
	}
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: inject PREFIX LINES COUNT INTERVAL_US OUT\n");
		return 2;
	}
	int pulls[LINES_MAX];
	size_t lines = strtoul(argv[2], NULL, 10);
	size_t count = strtoul(argv[3], NULL, 10);
	uint64_t interval = strtoul(argv[4], NULL, 10) * 1000;
	uint64_t *stamps = calloc(count, sizeof(*stamps));

	if (lines == 0 || lines > LINES_MAX || !stamps)
		fail("lines, or memory");
	open_lines(pulls, argv[1], lines);
	for (size_t i = 0; i < count; i++) {
		const char *to = i / lines % 2 ? "pull-down" : "pull-up";

		if (interval > 0)
			wait_about(interval);
		stamps[i] = now_ns();
		if (pwrite(pulls[i % lines], to, strlen(to), 0) < 0)
			fail("pull");
	}
	save(argv[5], stamps, count);
	return 0;
}
