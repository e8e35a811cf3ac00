/*
 * epoll-reader CHIP LINES OUT [CLOCKS]: the yardstick, the shortest way in userspace from an edge to code: epoll, one read,
 * the clock. With CLOCKS it reads the clock so often before the read, as an event loop does. It holds lines 0 to LINES - 1 of
 * the chip, or reads a FIFO that has records in place of one, and says "ready". On standard input it takes "count", and says what it has seen and lost; and "save", and writes to OUT
 * pairs of u64 ns (CLOCK_MONOTONIC), the kernel's stamp and when this program had the edge, and ends.
 */
#include <fcntl.h>
#include <linux/gpio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

#define CAPACITY 262144

static uint64_t pairs[2 * CAPACITY];
static size_t taken;
static uint32_t last;
static uint64_t lost;

static int request_lines(const char *chip_path, uint32_t lines)
{
	int chip = open(chip_path, O_RDONLY | O_CLOEXEC);
	struct gpio_v2_line_request request = {
		.num_lines = lines,
		.consumer = "epoll-reader",
		.config.flags = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING,
		.event_buffer_size = 1024,
	};

	for (uint32_t i = 0; i < lines; i++)
		request.offsets[i] = i;
	if (chip < 0 || ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &request) < 0)
		fail(chip_path);
	close(chip);
	return request.fd;
}

/* Open for writing too, so that there is no end when a writer goes. */
static int open_source(const char *path, uint32_t lines)
{
	struct stat s;

	if (stat(path, &s) < 0)
		fail(path);
	return S_ISFIFO(s.st_mode) ? open(path, O_RDWR | O_CLOEXEC) : request_lines(path, lines);
}

static void take_edges(int line, int clocks)
{
	struct gpio_v2_line_event events[64];

	for (int i = 0; i < clocks; i++)
		now_ns();
	ssize_t bytes = read(line, events, sizeof(events));
	uint64_t now = now_ns();

	if (bytes < 0)
		fail("read");
	for (size_t e = 0; e < (size_t)bytes / sizeof(events[0]); e++) {
		lost += events[e].seqno - last - 1;
		last = events[e].seqno;
		if (taken < CAPACITY) {
			pairs[2 * taken] = events[e].timestamp_ns;
			pairs[2 * taken + 1] = now;
		}
		taken++;
	}
}

static void obey(const char *out)
{
	char command[16] = "";

	if (read(0, command, sizeof(command) - 1) <= 0)
		exit(0);
	if (command[0] == 's') {
		save(out, pairs, 2 * (taken < CAPACITY ? taken : CAPACITY));
		exit(0);
	}
	printf("seen %zu lost %llu\n", taken, (unsigned long long)lost);
	fflush(stdout);
}

static void watch(int epoll, int fd)
{
	struct epoll_event wanted = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted) < 0)
		fail("epoll");
}

int main(int argc, char **argv)
{
	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: epoll-reader CHIP LINES OUT [CLOCKS]\n");
		return 2;
	}
	int line = open_source(argv[1], (uint32_t)strtoul(argv[2], NULL, 10));
	int clocks = argc == 5 ? atoi(argv[4]) : 0;
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	/* So that the pages are there when edges come. */
	memset(pairs, 1, sizeof(pairs));
	watch(epoll, line);
	watch(epoll, 0);
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct epoll_event got;

		if (epoll_wait(epoll, &got, 1, -1) != 1)
			fail("epoll_wait");
		if (got.data.fd == line)
			take_edges(line, clocks);
		else
			obey(argv[3]);
	}
}
