/* notify: datagrams to the service manager, by the protocol of sd_notify(3). */
#define _GNU_SOURCE
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "values.h"

/* SCM_MAX_FD, which the kernel's headers keep to the kernel. */
#define DESCRIPTORS_MAX 253
/* One more letter of UTF-8 than an address may have, so that a longer one is seen to be. */
#define ADDRESS_BYTES (sizeof(((struct sockaddr_un *)0)->sun_path) + 4)

#define BARRIER "BARRIER=1"

struct target {
	struct sockaddr_un address;
	socklen_t bytes;
};

static bool get_address(napi_env env, napi_value value, char text[ADDRESS_BYTES], size_t *length)
{
	return napi_get_value_string_utf8(env, value, text, ADDRESS_BYTES, length) == napi_ok;
}

/* Where that is. Returns 0 or the negative errno. */
static int find_target(const char *text, size_t length, struct target *target)
{
	struct sockaddr_un *address = &target->address;

	if (length < 2 || (text[0] != '/' && text[0] != '@'))
		return -EAFNOSUPPORT;
	if (length >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	memset(target, 0, sizeof(*target));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, text, length);
	/* A path has its NUL, and a name begins with one and ends with the address. */
	target->bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (text[0] == '/'));
	if (text[0] == '@')
		address->sun_path[0] = '\0';
	return 0;
}

static int send_datagram(struct target *target, char *state, size_t length, const int *descriptors, size_t count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec text = { .iov_base = state, .iov_len = length };
	struct msghdr message = {
		.msg_name = &target->address,
		.msg_namelen = target->bytes,
		.msg_iov = &text,
		.msg_iovlen = 1,
	};
	int fd, error;

	if (count > 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	error = sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
	close(fd);
	return error;
}

/* Reads the first of the array's numbers, at most DESCRIPTORS_MAX; `count` is of all. */
static bool get_descriptors(napi_env env, napi_value array, int descriptors[DESCRIPTORS_MAX], uint32_t *count)
{
	napi_value element;

	if (napi_get_array_length(env, array, count) != napi_ok)
		return false;
	for (uint32_t i = 0; i < *count && i < DESCRIPTORS_MAX; i++) {
		if (napi_get_element(env, array, i, &element) != napi_ok ||
		    napi_get_value_int32(env, element, &descriptors[i]) != napi_ok)
			return false;
	}
	return true;
}

napi_value notify(napi_env env, napi_callback_info info)
{
	char address[ADDRESS_BYTES], *state;
	int descriptors[DESCRIPTORS_MAX], error;
	struct target target;
	size_t address_length, length;
	napi_value argument[3];
	uint32_t count;

	if (!get_arguments(env, info, 3, argument) || !get_address(env, argument[0], address, &address_length) ||
	    napi_get_value_string_utf8(env, argument[1], NULL, 0, &length) != napi_ok ||
	    !get_descriptors(env, argument[2], descriptors, &count))
		return wrong(env, "notify(address: string, state: string, descriptors: number[])");
	error = find_target(address, address_length, &target);
	if (error == 0 && count > DESCRIPTORS_MAX)
		error = -E2BIG;
	if (error < 0)
		return number(env, error);
	state = malloc(length + 1);
	if (!state)
		return number(env, -ENOMEM);
	if (napi_get_value_string_utf8(env, argument[1], state, length + 1, &length) == napi_ok)
		error = send_datagram(&target, state, length, descriptors, count);
	else
		error = -ENOMEM;
	free(state);
	return number(env, error);
}

napi_value notify_barrier(napi_env env, napi_callback_info info)
{
	char address[ADDRESS_BYTES], state[] = BARRIER;
	struct target target;
	napi_value argument;
	int ends[2], error;
	size_t length;

	if (!get_arguments(env, info, 1, &argument) || !get_address(env, argument, address, &length))
		return wrong(env, "notifyBarrier(address: string)");
	error = find_target(address, length, &target);
	if (error < 0)
		return number(env, error);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return number(env, -errno);
	error = send_datagram(&target, state, sizeof(state) - 1, &ends[1], 1);
	close(ends[1]);
	if (error == 0)
		return number(env, ends[0]);
	close(ends[0]);
	return number(env, error);
}
