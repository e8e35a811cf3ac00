/* values: arguments from JavaScript and results for it. */
#include "values.h"

#include <linux/gpio.h>
#include <string.h>

napi_value wrong(napi_env env, const char *what)
{
	napi_throw_type_error(env, NULL, what);
	return NULL;
}

napi_value number(napi_env env, int32_t value)
{
	napi_value result = NULL;

	napi_create_int32(env, value, &result);
	return result;
}

bool get_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *arguments)
{
	size_t n = wanted;

	return napi_get_cb_info(env, info, &n, arguments, NULL, NULL) == napi_ok && n >= wanted;
}

void *get_elements(napi_env env, napi_value value, napi_typedarray_type type, size_t *length)
{
	napi_typedarray_type actual;
	bool is_typed = false;
	void *data;

	if (napi_is_typedarray(env, value, &is_typed) != napi_ok || !is_typed)
		return NULL;
	if (napi_get_typedarray_info(env, value, &actual, length, &data, NULL, NULL) != napi_ok || actual != type)
		return NULL;
	return data;
}

napi_status set_string(napi_env env, napi_value object, const char *name, const char *text)
{
	napi_value value;
	napi_status status = napi_create_string_utf8(env, text, strnlen(text, GPIO_MAX_NAME_SIZE), &value);

	return status == napi_ok ? napi_set_named_property(env, object, name, value) : status;
}

napi_status set_number(napi_env env, napi_value object, const char *name, uint32_t number)
{
	napi_value value;
	napi_status status = napi_create_uint32(env, number, &value);

	return status == napi_ok ? napi_set_named_property(env, object, name, value) : status;
}

napi_value failed(napi_env env)
{
	bool pending = false;

	if (napi_is_exception_pending(env, &pending) == napi_ok && !pending)
		napi_throw_error(env, NULL, "out of memory");
	return NULL;
}
