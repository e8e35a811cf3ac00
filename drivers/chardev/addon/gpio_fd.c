/* gpio_fd: lifetime of a GPIO descriptor, and delivery of its records with one read and one call into JS a poll. */
#include "gpio_fd.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static const napi_type_tag gpio_fd_tag = { 0x7b1d64b0c02a4f53, 0x9f0ce1fa3f5a27d1 };

static void disown(struct gpio_fd *g)
{
	if (--g->owners == 0)
		free(g);
}

static void close_descriptor(struct gpio_fd *g)
{
	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
}

/* The handle was collected, or the environment ends. */
static void on_finalize(napi_env env, void *data, void *hint)
{
	struct gpio_fd *g = data;

	(void)env;
	(void)hint;
	close_descriptor(g);
	disown(g);
}

napi_status gpio_fd_new(napi_env env, int fd, size_t record_bytes, napi_value *handle)
{
	struct gpio_fd *g = calloc(1, sizeof(*g));
	napi_status status = napi_generic_failure;

	if (g) {
		g->fd = fd;
		g->owners = 1;
		g->record_bytes = record_bytes;
		g->env = env;
		status = napi_create_object(env, handle);
		if (status == napi_ok)
			status = napi_type_tag_object(env, *handle, &gpio_fd_tag);
		if (status == napi_ok)
			status = napi_wrap(env, *handle, g, on_finalize, NULL, NULL);
	}
	if (status != napi_ok) {
		free(g);
		close(fd);
	}
	return status;
}

struct gpio_fd *gpio_fd_of(napi_env env, napi_value handle)
{
	napi_valuetype type;
	bool ours = false;
	void *g = NULL;

	if (napi_typeof(env, handle, &type) != napi_ok || type != napi_object)
		return NULL;
	if (napi_check_object_type_tag(env, handle, &gpio_fd_tag, &ours) != napi_ok || !ours)
		return NULL;
	return napi_unwrap(env, handle, &g) == napi_ok ? g : NULL;
}

static void on_closed(uv_handle_t *handle)
{
	struct gpio_fd *g = handle->data;

	/* Set only when the environment is ending: it waits for this before the loop goes away. */
	if (g->hook)
		napi_remove_async_cleanup_hook(g->hook);
	disown(g);
}

static void drop_references(struct gpio_fd *g)
{
	napi_ref *refs[] = { &g->self, &g->callback, &g->buffer };

	for (size_t i = 0; i < sizeof(refs) / sizeof(refs[0]); i++) {
		if (*refs[i])
			napi_delete_reference(g->env, *refs[i]);
		*refs[i] = NULL;
	}
}

/* The descriptor may be closed right after uv_close(), which takes it out of the epoll set. */
static void stop_listening(struct gpio_fd *g)
{
	g->listening = false;
	uv_close((uv_handle_t *)&g->poll, on_closed);
	drop_references(g);
}

/* The environment ends (a worker thread stops, the process exits) with the descriptor still open. */
static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data)
{
	struct gpio_fd *g = data;

	(void)hook;
	stop_listening(g);
	close_descriptor(g);
}

void gpio_fd_close(struct gpio_fd *g)
{
	if (g->listening) {
		napi_remove_async_cleanup_hook(g->hook);
		g->hook = NULL;
		stop_listening(g);
	}
	close_descriptor(g);
}

/*
 * One call into JavaScript. It runs in no async context, as an interrupt runs on behalf of nobody. What the callback
 * throws becomes an 'uncaughtException'; if that has a handler, delivery goes on. Nothing of `g` may be touched after
 * this: the callback may have closed it.
 */
static void call_javascript(struct gpio_fd *g, uint32_t count, int error)
{
	napi_env env = g->env;
	napi_value self, callback, argv[2], exception;
	napi_status status;
	bool pending = false;

	if (napi_get_reference_value(env, g->self, &self) != napi_ok ||
	    napi_get_reference_value(env, g->callback, &callback) != napi_ok ||
	    napi_create_uint32(env, count, &argv[0]) != napi_ok || napi_create_int32(env, error, &argv[1]) != napi_ok)
		return;
	status = napi_make_callback(env, NULL, self, callback, 2, argv, NULL);
	if (status == napi_ok)
		return;
	/* A worker that is being terminated has no exception to show: there is nobody left to tell. */
	if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
	    napi_get_and_clear_last_exception(env, &exception) == napi_ok)
		napi_fatal_exception(env, exception);
}

/* Reads whole records into the JavaScript buffer. Their number, 0 when there are none, or the negative errno. */
static int read_records(struct gpio_fd *g)
{
	napi_value buffer;
	void *data = NULL;
	size_t length = 0;
	ssize_t n;

	/* Looked up at every read: JavaScript may have detached the buffer, which then has no memory. */
	if (napi_get_reference_value(g->env, g->buffer, &buffer) != napi_ok ||
	    napi_get_arraybuffer_info(g->env, buffer, &data, &length) != napi_ok || length < g->record_bytes)
		return -EFAULT;
	do
		n = read(g->fd, data, length - length % g->record_bytes);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return (int)((size_t)n / g->record_bytes);
}

/*
 * One read and one call a wake-up, also when a full batch was read: the poll is level-triggered, so what is left comes
 * in the next turn of the loop and a storm on one request does not starve the others.
 */
static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct gpio_fd *g = poll->data;
	napi_env env = g->env;
	napi_handle_scope scope;
	int count;

	if (napi_open_handle_scope(env, &scope) != napi_ok)
		return;
	/* gpiolib reports an error on poll for one reason only: the chip is gone. */
	if (status < 0 || (events & UV_DISCONNECT))
		count = -ENODEV;
	else
		count = read_records(g);
	if (count < 0) {
		g->failed = true;
		uv_poll_stop(poll);
		call_javascript(g, 0, -count);
	} else if (count > 0) {
		call_javascript(g, (uint32_t)count, 0);
	}
	napi_close_handle_scope(env, scope);
}

int gpio_fd_listen(struct gpio_fd *g, napi_value handle, napi_value buffer, napi_value callback)
{
	uv_loop_t *loop;
	int error;

	if (g->fd < 0)
		return -EBADF;
	/* After an end libuv owns the poll until it has called back: only then it can be made anew. */
	if (g->listening || g->owners > 1)
		return -EBUSY;
	if (napi_get_uv_event_loop(g->env, &loop) != napi_ok)
		return -ENOMEM;
	if (napi_create_reference(g->env, handle, 1, &g->self) != napi_ok ||
	    napi_create_reference(g->env, buffer, 1, &g->buffer) != napi_ok ||
	    napi_create_reference(g->env, callback, 1, &g->callback) != napi_ok ||
	    napi_add_async_cleanup_hook(g->env, on_environment_end, g, &g->hook) != napi_ok) {
		drop_references(g);
		return -ENOMEM;
	}
	error = uv_poll_init(loop, &g->poll, g->fd);
	if (error < 0) {
		napi_remove_async_cleanup_hook(g->hook);
		g->hook = NULL;
		drop_references(g);
		return error;
	}
	g->poll.data = g;
	g->owners++;
	g->listening = true;
	error = gpio_fd_set_reading(g, false);
	if (error < 0) {
		napi_remove_async_cleanup_hook(g->hook);
		g->hook = NULL;
		stop_listening(g);
	}
	return error;
}

int gpio_fd_set_reading(struct gpio_fd *g, bool on)
{
	int error;

	if (!g->listening)
		return -EBADF;
	if (g->failed)
		return -ENODEV;
	error = uv_poll_start(&g->poll, on ? UV_READABLE | UV_DISCONNECT : UV_DISCONNECT, on_poll);
	if (error < 0)
		return error;
	if (on)
		uv_ref((uv_handle_t *)&g->poll);
	else
		uv_unref((uv_handle_t *)&g->poll);
	return 0;
}
