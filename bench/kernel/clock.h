/* CLOCK_MONOTONIC in ns, pauses, and writing a whole array of stamps to a file: what the C programs of the benchmarks share. */
#ifndef KERNEL_BENCH_CLOCK_H
#define KERNEL_BENCH_CLOCK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Varies by a quarter, so that it keeps in step with no timer. */
static inline void wait_about(uint64_t interval)
{
	static uint32_t random = 1;

	random = random * 1664525 + 1013904223;
	uint64_t pause = interval * 3 / 4 + interval / 2 * (random >> 16) / 65536;
	struct timespec t = { .tv_sec = (time_t)(pause / 1000000000), .tv_nsec = (long)(pause % 1000000000) };

	nanosleep(&t, NULL);
}

_Noreturn static inline void fail(const char *what)
{
	perror(what);
	exit(1);
}

static inline void save(const char *path, const uint64_t *values, size_t count)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(values, sizeof(*values), count, file) != count || fclose(file))
		fail(path);
}

#endif
