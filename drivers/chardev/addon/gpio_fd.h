/* gpio_fd: one open GPIO file descriptor (a chip or a line request) and the poll that reads its records. */
#ifndef GPIO_FD_H
#define GPIO_FD_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

/*
 * The descriptor has two owners: the JavaScript handle object, and libuv from gpio_fd_listen() until its close
 * callback. `owners` counts them and the last one to go frees the struct. While it listens, `self` keeps the handle
 * alive, so only a close (or the end of the environment) ends the listening.
 */
struct gpio_fd {
	int fd;              /* -1 once closed: every later ioctl then answers EBADF by itself */
	unsigned int owners;
	size_t record_bytes; /* size of what read(2) gives: gpio_v2_line_info_changed or gpio_v2_line_event */
	napi_env env;
	bool listening;
	bool failed;         /* the failure was told; the poll stays stopped */
	uv_poll_t poll;
	napi_ref self, callback, buffer;
	napi_async_cleanup_hook_handle hook;
};

/* Makes the JavaScript handle of `fd`. On failure `fd` is closed and a status other than napi_ok returned. */
napi_status gpio_fd_new(napi_env env, int fd, size_t record_bytes, napi_value *handle);

/* The struct behind a handle, or NULL when `handle` is something else. */
struct gpio_fd *gpio_fd_of(napi_env env, napi_value handle);

/*
 * Calls `callback(count, errno)` on the event loop: (n, 0) when n records were read into `buffer`, (0, errno) once
 * when the descriptor failed for good (ENODEV: the chip was unplugged), after which nothing more comes. Until
 * gpio_fd_set_reading() only the failure is looked for, and the poll does not keep the event loop alive.
 * Returns 0, or the negative errno: EBUSY when it listens already, or has just failed to and the loop has not turned since;
 * EBADF when closed.
 */
int gpio_fd_listen(struct gpio_fd *g, napi_value handle, napi_value buffer, napi_value callback);

/* Starts or stops reading records; while reading, the event loop stays alive. Returns 0 or the negative errno. */
int gpio_fd_set_reading(struct gpio_fd *g, bool on);

/* Closes the descriptor now (lines are free when it returns) and ends the listening. Idempotent. */
void gpio_fd_close(struct gpio_fd *g);

#endif
