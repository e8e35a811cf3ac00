/*
 * Test of gpio_fd.c, for AddressSanitizer: N-API and libuv are replaced by fakes that hold their callers to the rules, and
 * each call that may fail does so once. drivers/chardev/addon.spec.ts compiles and runs it.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gpio_fd.fakes.h"

static int pipe_ends[2];

static struct gpio_fd *create(void)
{
	napi_value value = NULL;

	assert(pipe2(pipe_ends, O_NONBLOCK | O_CLOEXEC) == 0);
	if (gpio_fd_new(NULL, pipe_ends[0], RECORD, &value) != napi_ok) {
		assert(fcntl(pipe_ends[0], F_GETFD) < 0);
		close(pipe_ends[1]);
		return NULL;
	}
	assert(gpio_fd_of(NULL, value) == object.data);
	assert(gpio_fd_of(NULL, (napi_value)&buffer_value) == NULL);
	return object.data;
}

static int listen_to(struct gpio_fd *g)
{
	return gpio_fd_listen(g, (napi_value)&object, (napi_value)&buffer_value, (napi_value)&callback_value);
}

static void write_records(int count)
{
	char record[RECORD] = { 0 };

	for (int i = 0; i < count; i++)
		assert(write(pipe_ends[1], record, RECORD) == RECORD);
}

static void turn_of_the_loop(int status, int events)
{
	if (handle_state == OPEN && watched)
		on_event((uv_poll_t *)handle, status, events);
	if (handle_state == CLOSING) {
		handle_state = NO_HANDLE;
		on_close(handle);
	}
}

/* The handle is collected: nothing may be left. */
static void end(void)
{
	int fd = pipe_ends[0];

	if (installed)
		installed->hook(installed, installed->data);
	object.finalize(NULL, object.data, NULL);
	turn_of_the_loop(0, 0);
	object.data = NULL;
	object.tagged = false;
	assert(fcntl(fd, F_GETFD) < 0);
	assert(references == 0 && hooks == 0 && opened_scopes == 0 && handle_state == NO_HANDLE);
	close(pipe_ends[1]);
}

static void reads_and_closes(void)
{
	struct gpio_fd *g = create();

	if (!g)
		return;
	if (listen_to(g) < 0) {
		/* libuv has the handle for another turn when the last step failed; then it can be tried again. */
		if (handle_state == CLOSING)
			assert(listen_to(g) == -EBUSY);
		turn_of_the_loop(0, 0);
		assert(listen_to(g) == 0);
	}
	assert(listen_to(g) == -EBUSY);
	if (gpio_fd_set_reading(g, true) == 0) {
		write_records(3);
		turn_of_the_loop(0, UV_READABLE);
		turn_of_the_loop(0, UV_READABLE);
		gpio_fd_set_reading(g, false);
	}
	gpio_fd_close(g);
	gpio_fd_close(g);
	assert(gpio_fd_set_reading(g, true) == -EBADF && listen_to(g) == -EBADF);
	end();
}

static void ends_while_it_reads(void)
{
	struct gpio_fd *g = create();

	if (!g)
		return;
	if (listen_to(g) == 0)
		gpio_fd_set_reading(g, true);
	end();
}

static void closes_in_its_callback(void)
{
	struct gpio_fd *g = create();

	if (!g)
		return;
	in_javascript = gpio_fd_close;
	throws = true;
	if (listen_to(g) == 0 && gpio_fd_set_reading(g, true) == 0) {
		write_records(2);
		turn_of_the_loop(0, UV_READABLE);
	}
	in_javascript = NULL;
	throws = false;
	end();
}

static void loses_its_chip(void)
{
	struct gpio_fd *g = create();

	if (!g)
		return;
	told_error = 0;
	int opened_before = opened;

	if (listen_to(g) == 0 && gpio_fd_set_reading(g, true) == 0) {
		turn_of_the_loop(-EBADF, 0);
		/* Unless it did not get as far as to look, it never looks again: an error would wake it for ever. */
		assert(watched == 0 || opened == opened_before);
		if (watched == 0)
			assert(gpio_fd_set_reading(g, true) == -ENODEV);
		assert(told_error == ENODEV || fails_at <= calls);
	}
	end();
}

static void loses_its_buffer(void)
{
	struct gpio_fd *g = create();

	if (!g)
		return;
	detached = true;
	told_error = 0;
	if (listen_to(g) == 0 && gpio_fd_set_reading(g, true) == 0) {
		write_records(1);
		turn_of_the_loop(0, UV_READABLE);
		assert(told_error == EFAULT || fails_at <= calls);
	}
	detached = false;
	end();
}

static int with_each_failure(void (*test)(void))
{
	for (fails_at = 1;; fails_at++) {
		calls = 0;
		test();
		if (calls < fails_at)
			return fails_at;
	}
}

int main(void)
{
	int runs = with_each_failure(reads_and_closes);

	runs += with_each_failure(ends_while_it_reads);
	runs += with_each_failure(closes_in_its_callback);
	runs += with_each_failure(loses_its_chip);
	runs += with_each_failure(loses_its_buffer);
	fails_at = 0;
	delivered = 0;
	reads_and_closes();
	assert(delivered == 3);
	printf("%d runs\n", runs);
	return 0;
}
