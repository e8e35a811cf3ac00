/* shared_memory: what a process writes down for the one that comes after it, in a sealed memfd that both map. */
#ifndef SHARED_MEMORY_H
#define SHARED_MEMORY_H

#include <node_api.h>

/* createMemory(name: string, bytes: number): descriptor | -errno; of zeros, whose size nobody can change */
napi_value create_memory(napi_env env, napi_callback_info info);

/* mapMemory(fd: number): ArrayBuffer | -errno; shared with everyone who maps it, and mapped until it is collected */
napi_value map_memory(napi_env env, napi_callback_info info);

#endif
