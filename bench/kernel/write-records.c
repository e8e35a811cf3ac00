/*
 * write-records FIFO LINES COUNT INTERVAL_US OUT: writes COUNT records of edges to a FIFO, as the character device has them for
 * lines 0 to LINES - 1 in turn, each with the time (u64 ns, CLOCK_MONOTONIC) just before; and those times to OUT. Pauses as of
 * inject; with an interval of 0 there are none. A full FIFO makes it wait.
 */
#include <fcntl.h>
#include <linux/gpio.h>
#include <unistd.h>

#include "clock.h"

int main(int argc, char **argv)
{
	static uint32_t line_seqno[GPIO_V2_LINES_MAX];

	if (argc != 6) {
		fprintf(stderr, "usage: write-records FIFO LINES COUNT INTERVAL_US OUT\n");
		return 2;
	}
	int fifo = open(argv[1], O_WRONLY | O_CLOEXEC);
	size_t lines = strtoul(argv[2], NULL, 10);
	size_t count = strtoul(argv[3], NULL, 10);
	uint64_t interval = strtoul(argv[4], NULL, 10) * 1000;
	uint64_t *stamps = calloc(count, sizeof(*stamps));

	if (fifo < 0 || lines == 0 || lines > GPIO_V2_LINES_MAX || !stamps)
		fail("FIFO, lines, or memory");
	for (size_t i = 0; i < count; i++) {
		struct gpio_v2_line_event event = {
			.id = i / lines % 2 ? GPIO_V2_LINE_EVENT_FALLING_EDGE : GPIO_V2_LINE_EVENT_RISING_EDGE,
			.offset = (uint32_t)(i % lines),
			.seqno = (uint32_t)i + 1,
			.line_seqno = ++line_seqno[i % lines],
		};

		if (interval > 0)
			wait_about(interval);
		stamps[i] = event.timestamp_ns = now_ns();
		if (write(fifo, &event, sizeof(event)) != sizeof(event))
			fail("write");
	}
	save(argv[5], stamps, count);
	return 0;
}
