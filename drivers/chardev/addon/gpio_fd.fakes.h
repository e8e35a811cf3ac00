/*
 * Fakes of N-API and libuv, which hold their callers to the rules: what they have seen, and the one call of theirs that fails.
 * They are a part of gpio_fd.test.c.
 */
#include <assert.h>
#include <stdbool.h>

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
