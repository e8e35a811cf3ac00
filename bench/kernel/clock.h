/* CLOCK_MONOTONIC in ns, and writing a whole array of them to a file: what the C programs of the benchmarks share. */
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
