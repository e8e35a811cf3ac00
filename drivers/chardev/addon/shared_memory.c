/* shared_memory: memfds with a fixed size, made and mapped. Writing to the map is all that it takes: it outlives even SIGKILL. */
#define _GNU_SOURCE
#include "shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "values.h"

/* Since Linux 6.3, and not in the headers of before. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define NAME_BYTES 64
#define BYTES_MAX (1024 * 1024)
/* A map of a file that somebody makes smaller kills with SIGBUS whoever reads it. */
#define FIXED_SIZE (F_SEAL_SHRINK | F_SEAL_GROW)

/* Not to be executed, by whoever has the descriptor, where the kernel can see to that. */
static int open_memory(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	return fd < 0 && errno == EINVAL ? memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING) : fd;
}

napi_value create_memory(napi_env env, napi_callback_info info)
{
	napi_value argument[2];
	char name[NAME_BYTES];
	size_t length;
	uint32_t bytes;
	int fd, error;

	if (!get_arguments(env, info, 2, argument) ||
	    napi_get_value_string_utf8(env, argument[0], name, sizeof(name), &length) != napi_ok ||
	    napi_get_value_uint32(env, argument[1], &bytes) != napi_ok || bytes == 0 || bytes > BYTES_MAX)
		return wrong(env, "createMemory(name: string, bytes: number)");
	fd = open_memory(name);
	if (fd < 0)
		return number(env, -errno);
	if (ftruncate(fd, bytes) < 0 || fcntl(fd, F_ADD_SEALS, FIXED_SIZE | F_SEAL_SEAL) < 0) {
		error = errno;
		close(fd);
		return number(env, -error);
	}
	return number(env, fd);
}

static void unmap(napi_env env, void *data, void *bytes)
{
	(void)env;
	munmap(data, (size_t)(uintptr_t)bytes);
}

napi_value map_memory(napi_env env, napi_callback_info info)
{
	napi_value argument, result;
	struct stat status;
	size_t bytes;
	int32_t fd;
	int seals;
	void *data;

	if (!get_arguments(env, info, 1, &argument) || napi_get_value_int32(env, argument, &fd) != napi_ok)
		return wrong(env, "mapMemory(fd: number)");
	/* EINVAL for what is no memfd. */
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || fstat(fd, &status) < 0)
		return number(env, -errno);
	if ((seals & FIXED_SIZE) != FIXED_SIZE || status.st_size <= 0 || status.st_size > BYTES_MAX)
		return number(env, -EINVAL);
	bytes = (size_t)status.st_size;
	data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return number(env, -errno);
	if (napi_create_external_arraybuffer(env, data, bytes, unmap, (void *)(uintptr_t)bytes, &result) != napi_ok) {
		munmap(data, bytes);
		return number(env, -ENOMEM);
	}
	return result;
}
