/* values: arguments from JavaScript and results for it, as every function of the addon takes and gives them. */
#ifndef VALUES_H
#define VALUES_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Throws a TypeError that says how the function is called: only our own TypeScript can be wrong. Returns NULL. */
napi_value wrong(napi_env env, const char *what);

/* Throws where N-API failed without an exception of its own. Returns NULL. */
napi_value failed(napi_env env);

/* A result, or a negative errno number. */
napi_value number(napi_env env, int32_t value);

/* The first `wanted` arguments; false when there are fewer. */
bool get_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *arguments);

/*
 * The elements of a typed array of `type`, or NULL when `value` is something else. They are in the machine's byte order, as
 * the kernel's own words are.
 */
void *get_elements(napi_env env, napi_value value, napi_typedarray_type type, size_t *length);

/* Sets a property to a string of the kernel's, which fills its array without an end when it is as long as that. */
napi_status set_string(napi_env env, napi_value object, const char *name, const char *text);

napi_status set_number(napi_env env, napi_value object, const char *name, uint32_t number);

#endif
