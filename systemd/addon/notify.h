/* notify: what sd_notify(3) sends to the service manager; Node has no datagrams of unix sockets. */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <node_api.h>

/*
 * notify(address: string, state: string, descriptors: number[]): 0 | -errno
 *
 * One datagram, with duplicates of the descriptors, to a socket as NOTIFY_SOCKET names it: by its path, or by '@' and a name of
 * the abstract namespace. Waits, as sd_notify(3), for a manager that is behind with its reading. EAFNOSUPPORT for an address of
 * another kind, ENAMETOOLONG, E2BIG for more than 253 descriptors, else what the system says: ENOENT or ECONNREFUSED where
 * nobody reads.
 */
napi_value notify(napi_env env, napi_callback_info info);

/*
 * notifyBarrier(address: string): descriptor | -errno
 *
 * As sd_notify_barrier(3): the reading end of a pipe, close-on-exec, which is at its end as soon as the manager has taken in
 * all that was sent before.
 */
napi_value notify_barrier(napi_env env, napi_callback_info info);

#endif
