/*
 * epoll-reader CHIP OFFSET COUNT OUT: the yardstick, the shortest way in userspace from an edge to code: epoll, one read,
 * the clock. Says "ready" when it holds the line; after COUNT edges writes to OUT pairs of u64 ns (CLOCK_MONOTONIC): the
 * kernel's stamp, and when this program had the edge.
 */
#include <fcntl.h>
#include <linux/gpio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"

static int request_line(const char *chip_path, uint32_t offset)
{
	int chip = open(chip_path, O_RDONLY | O_CLOEXEC);
	struct gpio_v2_line_request request = {
		.offsets = { offset },
		.num_lines = 1,
		.consumer = "epoll-reader",
		.config.flags = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING,
		.event_buffer_size = 1024,
	};

	if (chip < 0 || ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &request) < 0)
		fail(chip_path);
	close(chip);
	return request.fd;
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: epoll-reader CHIP OFFSET COUNT OUT\n");
		return 2;
	}
	int line = request_line(argv[1], (uint32_t)strtoul(argv[2], NULL, 10));
	size_t count = strtoul(argv[3], NULL, 10);
	uint64_t *pairs = calloc(count, 2 * sizeof(*pairs));
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event wanted = { .events = EPOLLIN };

	if (!pairs || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, line, &wanted) < 0)
		fail("epoll");
	puts("ready");
	fflush(stdout);
	for (size_t i = 0; i < count;) {
		struct epoll_event got;
		struct gpio_v2_line_event events[64];

		if (epoll_wait(epoll, &got, 1, -1) != 1)
			fail("epoll_wait");
		ssize_t bytes = read(line, events, sizeof(events));
		uint64_t now = now_ns();

		if (bytes < 0)
			fail("read");
		for (size_t e = 0; e < (size_t)bytes / sizeof(events[0]) && i < count; e++, i++) {
			pairs[2 * i] = events[e].timestamp_ns;
			pairs[2 * i + 1] = now;
		}
	}
	save(argv[4], pairs, 2 * count);
	return 0;
}
