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

#include "gpio_fd.h"

#define RECORD 48
#define RECORDS 4

/* -- what is there, and what fails -------------------------------------------------------------------------------- */

static int calls, fails_at; /* the fails_at-th call that may fail does, counted from 1 */
static int references, hooks, opened_scopes, delivered, told_error, opened;
static char memory[RECORD * RECORDS];
static bool detached;

/* The one object of a test: a handle that wraps a gpio_fd. */
static struct { void *data; napi_finalize finalize; bool tagged; } object;
static int buffer_value, callback_value, exception_value;

static bool fails(void)
{
	return ++calls == fails_at;
}

struct napi_ref__ { napi_value value; };
struct napi_async_cleanup_hook_handle__ { napi_async_cleanup_hook hook; void *data; };
static napi_async_cleanup_hook_handle installed;

/* libuv's side: one poll handle at a time, which must not be used between uv_close() and its callback. */
static enum { NO_HANDLE, OPEN, CLOSING } handle_state;
static uv_handle_t *handle;
static uv_close_cb on_close;
static uv_poll_cb on_event;
static int watched;

static void (*in_javascript)(struct gpio_fd *g);
static bool throws;

/* -- N-API -------------------------------------------------------------------------------------------------------- */

napi_status napi_create_object(napi_env env, napi_value *result)
{
	(void)env;
	*result = (napi_value)&object;
	return fails() ? napi_generic_failure : napi_ok;
}

napi_status napi_type_tag_object(napi_env env, napi_value value, const napi_type_tag *tag)
{
	(void)env, (void)tag;
	assert(value == (napi_value)&object);
	if (fails())
		return napi_generic_failure;
	object.tagged = true;
	return napi_ok;
}

napi_status napi_wrap(napi_env env, napi_value value, void *data, napi_finalize finalize, void *hint, napi_ref *result)
{
	(void)env, (void)hint, (void)result;
	assert(value == (napi_value)&object);
	if (fails())
		return napi_generic_failure;
	object.data = data;
	object.finalize = finalize;
	return napi_ok;
}

napi_status napi_typeof(napi_env env, napi_value value, napi_valuetype *result)
{
	(void)env;
	*result = value == (napi_value)&object ? napi_object : napi_number;
	return napi_ok;
}

napi_status napi_check_object_type_tag(napi_env env, napi_value value, const napi_type_tag *tag, bool *result)
{
	(void)env, (void)value, (void)tag;
	*result = object.tagged;
	return napi_ok;
}

napi_status napi_unwrap(napi_env env, napi_value value, void **result)
{
	(void)env, (void)value;
	*result = object.data;
	return object.data ? napi_ok : napi_invalid_arg;
}

napi_status napi_create_reference(napi_env env, napi_value value, uint32_t count, napi_ref *result)
{
	(void)env;
	assert(count == 1);
	if (fails())
		return napi_generic_failure;
	*result = malloc(sizeof(**result));
	(*result)->value = value;
	references++;
	return napi_ok;
}

napi_status napi_delete_reference(napi_env env, napi_ref reference)
{
	(void)env;
	free(reference);
	references--;
	return napi_ok;
}

napi_status napi_get_reference_value(napi_env env, napi_ref reference, napi_value *result)
{
	(void)env;
	*result = reference->value;
	return napi_ok;
}

napi_status napi_add_async_cleanup_hook(napi_env env, napi_async_cleanup_hook hook, void *data,
					napi_async_cleanup_hook_handle *result)
{
	(void)env;
	if (fails())
		return napi_generic_failure;
	installed = malloc(sizeof(*installed));
	installed->hook = hook;
	installed->data = data;
	*result = installed;
	hooks++;
	return napi_ok;
}

napi_status napi_remove_async_cleanup_hook(napi_async_cleanup_hook_handle hook)
{
	assert(hook == installed);
	free(hook);
	installed = NULL;
	hooks--;
	return napi_ok;
}

napi_status napi_create_uint32(napi_env env, uint32_t value, napi_value *result)
{
	(void)env;
	*result = (napi_value)(uintptr_t)value;
	return fails() ? napi_generic_failure : napi_ok;
}

napi_status napi_create_int32(napi_env env, int32_t value, napi_value *result)
{
	(void)env;
	*result = (napi_value)(intptr_t)value;
	return fails() ? napi_generic_failure : napi_ok;
}

napi_status napi_make_callback(napi_env env, napi_async_context context, napi_value self, napi_value function, size_t argc,
			       const napi_value *argv, napi_value *result)
{
	(void)env, (void)context, (void)result;
	assert(self == (napi_value)&object && function == (napi_value)&callback_value && argc == 2);
	delivered += (int)(uintptr_t)argv[0];
	told_error = (int)(intptr_t)argv[1];
	if (in_javascript)
		in_javascript(object.data);
	return throws ? napi_pending_exception : napi_ok;
}

napi_status napi_is_exception_pending(napi_env env, bool *result)
{
	(void)env;
	*result = throws;
	return napi_ok;
}

napi_status napi_get_and_clear_last_exception(napi_env env, napi_value *result)
{
	(void)env;
	throws = false;
	*result = (napi_value)&exception_value;
	return napi_ok;
}

napi_status napi_fatal_exception(napi_env env, napi_value value)
{
	(void)env;
	assert(value == (napi_value)&exception_value);
	return napi_ok;
}

napi_status napi_get_arraybuffer_info(napi_env env, napi_value value, void **data, size_t *length)
{
	(void)env;
	assert(value == (napi_value)&buffer_value);
	*data = detached ? NULL : memory;
	*length = detached ? 0 : sizeof(memory);
	return fails() ? napi_generic_failure : napi_ok;
}

napi_status napi_open_handle_scope(napi_env env, napi_handle_scope *result)
{
	(void)env;
	if (fails())
		return napi_generic_failure;
	*result = NULL;
	opened_scopes++;
	opened++;
	return napi_ok;
}

napi_status napi_close_handle_scope(napi_env env, napi_handle_scope scope)
{
	(void)env, (void)scope;
	opened_scopes--;
	return napi_ok;
}

napi_status napi_get_uv_event_loop(napi_env env, struct uv_loop_s **loop)
{
	(void)env;
	*loop = NULL;
	return fails() ? napi_generic_failure : napi_ok;
}

/* -- libuv -------------------------------------------------------------------------------------------------------- */

int uv_poll_init(uv_loop_t *loop, uv_poll_t *poll, int fd)
{
	(void)loop;
	assert(handle_state == NO_HANDLE);
	assert(fcntl(fd, F_GETFD) >= 0);
	if (fails())
		return -EPERM;
	handle_state = OPEN;
	handle = (uv_handle_t *)poll;
	watched = 0;
	return 0;
}

int uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb callback)
{
	assert(handle_state == OPEN && handle == (uv_handle_t *)poll);
	if (fails())
		return -ENOMEM;
	watched = events;
	on_event = callback;
	return 0;
}

int uv_poll_stop(uv_poll_t *poll)
{
	assert(handle_state == OPEN && handle == (uv_handle_t *)poll);
	watched = 0;
	return 0;
}

void uv_close(uv_handle_t *closing, uv_close_cb callback)
{
	assert(handle_state == OPEN && handle == closing);
	handle_state = CLOSING;
	watched = 0;
	on_close = callback;
}

void uv_ref(uv_handle_t *used)
{
	assert(handle_state == OPEN && handle == used);
}

void uv_unref(uv_handle_t *used)
{
	assert(handle_state == OPEN && handle == used);
}

/* -- tests -------------------------------------------------------------------------------------------------------- */

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
