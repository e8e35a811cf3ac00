/*
 * The chardev addon: GPIO character device uAPI v2 (<linux/gpio.h>, Linux 5.10) for JavaScript.
 *
 * Speaks ioctl and little else; drivers/chardev/addon.ts gives its types, chardev.ts makes a GpioChip of it. What the
 * service manager is told goes through it too, since a package has one addon (systemd/addon/notify.h). The system's
 * answers are return values as in C: a result, or a negative errno number. Only wrong use by our own TypeScript (a wrong
 * type or length) throws.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/gpio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "gpio_fd.h"
#include "notify.h"
#include "shared_memory.h"
#include "values.h"

_Static_assert(sizeof(struct gpiochip_info) == 68, "uAPI layout");
_Static_assert(sizeof(struct gpio_v2_line_info) == 256, "uAPI layout");
_Static_assert(sizeof(struct gpio_v2_line_info_changed) == 288, "uAPI layout");
_Static_assert(sizeof(struct gpio_v2_line_request) == 592, "uAPI layout");
_Static_assert(sizeof(struct gpio_v2_line_config) == 272, "uAPI layout");
_Static_assert(sizeof(struct gpio_v2_line_event) == 48, "uAPI layout");

#define ARGUMENTS_MAX 5

/* -- the chip ----------------------------------------------------------------------------------------------------- */

/* openChip(path): handle | -errno */
static napi_value open_chip(napi_env env, napi_callback_info info)
{
	napi_value path_value, handle;
	char path[PATH_MAX];
	size_t length = 0;
	int fd;

	if (!get_arguments(env, info, 1, &path_value) ||
	    napi_get_value_string_utf8(env, path_value, NULL, 0, &length) != napi_ok)
		return wrong(env, "openChip(path: string)");
	if (length >= sizeof(path))
		return number(env, -ENAMETOOLONG);
	if (napi_get_value_string_utf8(env, path_value, path, sizeof(path), &length) != napi_ok)
		return failed(env);
	if (strlen(path) != length)
		return number(env, -ENOENT);
	/* O_NONBLOCK: reads of line info changes must never stop the event loop. */
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return number(env, -errno);
	if (gpio_fd_new(env, fd, sizeof(struct gpio_v2_line_info_changed), &handle) != napi_ok)
		return failed(env);
	return handle;
}

/* chipInfo(chip): { name, label, lines } | -errno */
static napi_value chip_info(napi_env env, napi_callback_info info)
{
	struct gpiochip_info chip = { 0 };
	napi_value argument, result;
	struct gpio_fd *g;

	if (!get_arguments(env, info, 1, &argument) || !(g = gpio_fd_of(env, argument)))
		return wrong(env, "chipInfo(chip)");
	if (ioctl(g->fd, GPIO_GET_CHIPINFO_IOCTL, &chip) < 0)
		return number(env, -errno);
	if (napi_create_object(env, &result) != napi_ok || set_string(env, result, "name", chip.name) != napi_ok ||
	    set_string(env, result, "label", chip.label) != napi_ok ||
	    set_number(env, result, "lines", chip.lines) != napi_ok)
		return failed(env);
	return result;
}

static napi_value line_info_object(napi_env env, const struct gpio_v2_line_info *line)
{
	uint32_t debounce = 0;
	napi_value result;

	for (uint32_t i = 0; i < line->num_attrs && i < GPIO_V2_LINE_NUM_ATTRS_MAX; i++) {
		if (line->attrs[i].id == GPIO_V2_LINE_ATTR_ID_DEBOUNCE)
			debounce = line->attrs[i].debounce_period_us;
	}
	/* The flags in use are the low 13 bits: they fit a word. */
	if (napi_create_object(env, &result) != napi_ok ||
	    set_number(env, result, "offset", line->offset) != napi_ok ||
	    set_string(env, result, "name", line->name) != napi_ok ||
	    set_string(env, result, "consumer", line->consumer) != napi_ok ||
	    set_number(env, result, "flags", (uint32_t)line->flags) != napi_ok ||
	    set_number(env, result, "debounceUs", debounce) != napi_ok)
		return failed(env);
	return result;
}

/* lineInfo(chip, offset, watch): { offset, name, consumer, flags, debounceUs } | -errno */
static napi_value line_info(napi_env env, napi_callback_info info)
{
	struct gpio_v2_line_info line = { 0 };
	napi_value argument[3];
	struct gpio_fd *g;
	bool watch;

	if (!get_arguments(env, info, 3, argument) || !(g = gpio_fd_of(env, argument[0])) ||
	    napi_get_value_uint32(env, argument[1], &line.offset) != napi_ok ||
	    napi_get_value_bool(env, argument[2], &watch) != napi_ok)
		return wrong(env, "lineInfo(chip, offset: number, watch: boolean)");
	if (ioctl(g->fd, watch ? GPIO_V2_GET_LINEINFO_WATCH_IOCTL : GPIO_V2_GET_LINEINFO_IOCTL, &line) < 0)
		return number(env, -errno);
	return line_info_object(env, &line);
}

/* unwatch(chip, offset): 0 | -errno */
static napi_value unwatch(napi_env env, napi_callback_info info)
{
	napi_value argument[2];
	struct gpio_fd *g;
	uint32_t offset;

	if (!get_arguments(env, info, 2, argument) || !(g = gpio_fd_of(env, argument[0])) ||
	    napi_get_value_uint32(env, argument[1], &offset) != napi_ok)
		return wrong(env, "unwatch(chip, offset: number)");
	return number(env, ioctl(g->fd, GPIO_GET_LINEINFO_UNWATCH_IOCTL, &offset) < 0 ? -errno : 0);
}

/* infoChange(buffer, index): { type, timestampNs, info }: record `index` of those that were read from a chip */
static napi_value info_change(napi_env env, napi_callback_info info)
{
	struct gpio_v2_line_info_changed change;
	napi_value argument[2], result, line, stamp;
	size_t length;
	uint32_t index;
	void *data;

	if (!get_arguments(env, info, 2, argument) ||
	    napi_get_arraybuffer_info(env, argument[0], &data, &length) != napi_ok ||
	    napi_get_value_uint32(env, argument[1], &index) != napi_ok || index >= length / sizeof(change))
		return wrong(env, "infoChange(buffer: ArrayBuffer, index: number)");
	memcpy(&change, (const char *)data + index * sizeof(change), sizeof(change));
	line = line_info_object(env, &change.info);
	if (!line)
		return NULL;
	if (napi_create_object(env, &result) != napi_ok || set_number(env, result, "type", change.event_type) != napi_ok ||
	    napi_create_bigint_uint64(env, change.timestamp_ns, &stamp) != napi_ok ||
	    napi_set_named_property(env, result, "timestampNs", stamp) != napi_ok ||
	    napi_set_named_property(env, result, "info", line) != napi_ok)
		return failed(env);
	return result;
}

/* -- line requests ------------------------------------------------------------------------------------------------ */

/* Unpacks [flags, then id, value, mask of each attribute]: the words that config.ts packs. */
static bool get_config(napi_env env, napi_value value, struct gpio_v2_line_config *config)
{
	size_t length = 0;
	const uint64_t *word = get_elements(env, value, napi_biguint64_array, &length);

	if (!word || length % 3 != 1 || length / 3 > GPIO_V2_LINE_NUM_ATTRS_MAX)
		return false;
	memset(config, 0, sizeof(*config));
	config->flags = word[0];
	config->num_attrs = (uint32_t)(length / 3);
	for (uint32_t i = 0; i < config->num_attrs; i++) {
		struct gpio_v2_line_config_attribute *attribute = &config->attrs[i];

		attribute->attr.id = (uint32_t)word[1 + 3 * i];
		if (attribute->attr.id == GPIO_V2_LINE_ATTR_ID_DEBOUNCE)
			attribute->attr.debounce_period_us = (uint32_t)word[2 + 3 * i];
		else
			attribute->attr.values = word[2 + 3 * i];
		attribute->mask = word[3 + 3 * i];
	}
	return true;
}

/* requestLines(chip, offsets: Uint32Array, consumer, config: BigUint64Array, eventBufferSize): handle | -errno */
static napi_value request_lines(napi_env env, napi_callback_info info)
{
	struct gpio_v2_line_request request = { 0 };
	napi_value argument[ARGUMENTS_MAX], handle;
	size_t lines = 0, length;
	const uint32_t *offsets;
	struct gpio_fd *g;

	if (!get_arguments(env, info, 5, argument) || !(g = gpio_fd_of(env, argument[0])) ||
	    !(offsets = get_elements(env, argument[1], napi_uint32_array, &lines)) || lines > GPIO_V2_LINES_MAX ||
	    napi_get_value_string_utf8(env, argument[2], request.consumer, sizeof(request.consumer), &length) != napi_ok ||
	    !get_config(env, argument[3], &request.config) ||
	    napi_get_value_uint32(env, argument[4], &request.event_buffer_size) != napi_ok)
		return wrong(env, "requestLines(chip, offsets, consumer, config, eventBufferSize)");
	memcpy(request.offsets, offsets, lines * sizeof(*offsets));
	request.num_lines = (uint32_t)lines;
	if (ioctl(g->fd, GPIO_V2_GET_LINE_IOCTL, &request) < 0)
		return number(env, -errno);
	/* The kernel opened it close-on-exec; libuv makes it non-blocking when it is polled. */
	if (gpio_fd_new(env, request.fd, sizeof(struct gpio_v2_line_event), &handle) != napi_ok)
		return failed(env);
	return handle;
}

/* setConfig(request, config: BigUint64Array): 0 | -errno */
static napi_value set_config(napi_env env, napi_callback_info info)
{
	struct gpio_v2_line_config config;
	napi_value argument[2];
	struct gpio_fd *g;

	if (!get_arguments(env, info, 2, argument) || !(g = gpio_fd_of(env, argument[0])) ||
	    !get_config(env, argument[1], &config))
		return wrong(env, "setConfig(request, config)");
	return number(env, ioctl(g->fd, GPIO_V2_LINE_SET_CONFIG_IOCTL, &config) < 0 ? -errno : 0);
}

/* Both value calls take words = [bits low, bits high, mask low, mask high]: no BigInt on the way of an edge. */
static napi_value values(napi_env env, napi_callback_info info, unsigned long command)
{
	struct gpio_v2_line_values values;
	napi_value argument[2];
	struct gpio_fd *g;
	size_t length = 0;
	uint32_t *word;

	if (!get_arguments(env, info, 2, argument) || !(g = gpio_fd_of(env, argument[0])) ||
	    !(word = get_elements(env, argument[1], napi_uint32_array, &length)) || length != 4)
		return wrong(env, "getValues or setValues(request, words: Uint32Array of 4)");
	values.bits = (uint64_t)word[1] << 32 | word[0];
	values.mask = (uint64_t)word[3] << 32 | word[2];
	if (ioctl(g->fd, command, &values) < 0)
		return number(env, -errno);
	word[0] = (uint32_t)values.bits;
	word[1] = (uint32_t)(values.bits >> 32);
	return number(env, 0);
}

/* getValues(request, words): 0 | -errno; fills in the bits */
static napi_value get_values(napi_env env, napi_callback_info info)
{
	return values(env, info, GPIO_V2_LINE_GET_VALUES_IOCTL);
}

/* setValues(request, words): 0 | -errno */
static napi_value set_values(napi_env env, napi_callback_info info)
{
	return values(env, info, GPIO_V2_LINE_SET_VALUES_IOCTL);
}

/* descriptor(handle): number | -EBADF; of the open chip or request, which goes on owning it */
static napi_value descriptor(napi_env env, napi_callback_info info)
{
	napi_value argument;
	struct gpio_fd *g;

	if (!get_arguments(env, info, 1, &argument) || !(g = gpio_fd_of(env, argument)))
		return wrong(env, "descriptor(handle)");
	return number(env, g->fd < 0 ? -EBADF : g->fd);
}

/* Whether the `index`-th line of a request can be read: EINVAL when it has no such line. */
static int probe_line(int fd, uint32_t index)
{
	struct gpio_v2_line_values values = { .mask = 1ULL << index };

	return ioctl(fd, GPIO_V2_LINE_GET_VALUES_IOCTL, &values) < 0 ? -errno : 0;
}

/*
 * adoptRequest(fd, lines): handle | -errno; of a duplicate, so that its owner closes `fd` whenever it likes.
 * EINVAL or ENOTTY when `fd` is no request, or one of another number of lines.
 */
static napi_value adopt_request(napi_env env, napi_callback_info info)
{
	napi_value argument[2], handle;
	uint32_t lines;
	int32_t fd;
	int error;

	if (!get_arguments(env, info, 2, argument) || napi_get_value_int32(env, argument[0], &fd) != napi_ok ||
	    napi_get_value_uint32(env, argument[1], &lines) != napi_ok || lines == 0 || lines > GPIO_V2_LINES_MAX)
		return wrong(env, "adoptRequest(fd: number, lines: number)");
	error = probe_line(fd, lines - 1);
	if (error == 0 && lines < GPIO_V2_LINES_MAX)
		error = probe_line(fd, lines) == 0 ? -EINVAL : 0;
	if (error < 0)
		return number(env, error);
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return number(env, -errno);
	if (gpio_fd_new(env, fd, sizeof(struct gpio_v2_line_event), &handle) != napi_ok)
		return failed(env);
	return handle;
}

/* -- descriptors of others ---------------------------------------------------------------------------------------- */

/* pollFd(fd, recordBytes): handle | -errno; of a duplicate, so that its owner closes `fd` whenever it likes */
static napi_value poll_fd(napi_env env, napi_callback_info info)
{
	napi_value argument[2], handle;
	uint32_t record_bytes;
	int32_t fd;

	if (!get_arguments(env, info, 2, argument) || napi_get_value_int32(env, argument[0], &fd) != napi_ok ||
	    napi_get_value_uint32(env, argument[1], &record_bytes) != napi_ok || record_bytes == 0)
		return wrong(env, "pollFd(fd: number, recordBytes: number)");
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return number(env, -errno);
	if (gpio_fd_new(env, fd, record_bytes, &handle) != napi_ok)
		return failed(env);
	return handle;
}

/* -- delivery and end of all -------------------------------------------------------------------------------------- */

/* listen(handle, buffer: ArrayBuffer, callback: (count, errno) => void): 0 | -errno; see gpio_fd_listen() */
static napi_value listen_records(napi_env env, napi_callback_info info)
{
	napi_value argument[3];
	napi_valuetype type;
	struct gpio_fd *g;
	bool is_buffer = false;

	if (!get_arguments(env, info, 3, argument) || !(g = gpio_fd_of(env, argument[0])) ||
	    napi_is_arraybuffer(env, argument[1], &is_buffer) != napi_ok || !is_buffer ||
	    napi_typeof(env, argument[2], &type) != napi_ok || type != napi_function)
		return wrong(env, "listen(handle, buffer: ArrayBuffer, callback)");
	return number(env, gpio_fd_listen(g, argument[0], argument[1], argument[2]));
}

/* setReading(handle, on: boolean): 0 | -errno; see gpio_fd_set_reading() */
static napi_value set_reading(napi_env env, napi_callback_info info)
{
	napi_value argument[2];
	struct gpio_fd *g;
	bool on;

	if (!get_arguments(env, info, 2, argument) || !(g = gpio_fd_of(env, argument[0])) ||
	    napi_get_value_bool(env, argument[1], &on) != napi_ok)
		return wrong(env, "setReading(handle, on: boolean)");
	return number(env, gpio_fd_set_reading(g, on));
}

/* close(handle): void; idempotent */
static napi_value close_handle(napi_env env, napi_callback_info info)
{
	napi_value argument;
	struct gpio_fd *g;

	if (!get_arguments(env, info, 1, &argument) || !(g = gpio_fd_of(env, argument)))
		return wrong(env, "close(handle)");
	gpio_fd_close(g);
	return NULL;
}

#define FUNCTION(name, function) { name, NULL, function, NULL, NULL, NULL, napi_enumerable, NULL }

NAPI_MODULE_INIT(/* napi_env env, napi_value exports */)
{
	const napi_property_descriptor functions[] = {
		FUNCTION("openChip", open_chip),
		FUNCTION("chipInfo", chip_info),
		FUNCTION("lineInfo", line_info),
		FUNCTION("unwatch", unwatch),
		FUNCTION("infoChange", info_change),
		FUNCTION("requestLines", request_lines),
		FUNCTION("setConfig", set_config),
		FUNCTION("getValues", get_values),
		FUNCTION("setValues", set_values),
		FUNCTION("descriptor", descriptor),
		FUNCTION("adoptRequest", adopt_request),
		FUNCTION("createMemory", create_memory),
		FUNCTION("mapMemory", map_memory),
		FUNCTION("notify", notify),
		FUNCTION("notifyBarrier", notify_barrier),
		FUNCTION("pollFd", poll_fd),
		FUNCTION("listen", listen_records),
		FUNCTION("setReading", set_reading),
		FUNCTION("close", close_handle),
	};

	if (napi_define_properties(env, exports, sizeof(functions) / sizeof(functions[0]), functions) != napi_ok)
		return failed(env);
	return exports;
}
