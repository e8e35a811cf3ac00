// The TCP port of the control API: on this machine only, and for those with the token. Loaded when it is configured.

import { isIP } from 'node:net';
import { KernelError } from '../../kernel/errno.js';
import { createGuard, readToken } from './guard.js';
import { type Guard, Listener, type ListenerOptions } from './listener.js';

/** Where the API listens besides its socket. */
export interface PortSpec {
  /** `127.0.0.1` and its like, `::1`, or `localhost`. */
  readonly host: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  /** File with the token that clients must show. */
  readonly tokenFile: string;
}

/** A port that is listened on. */
export interface OpenPort {
  readonly listener: Listener;
  /** The one that it is; never 0. */
  readonly port: number;
}

const PORT_MAX = 0xffff;

function isLoopback(host: string): boolean {
  return host === '::1' || host === 'localhost' || (isIP(host) === 4 && host.startsWith('127.'));
}

function check({ host, port }: PortSpec): void {
  if (!isLoopback(host)) {
    throw new KernelError('EINVAL', `http: ${host} can be reached from other machines`, {
      hint: 'listen on 127.0.0.1 or [::1]; to be reached from elsewhere, put a web server with TLS in front',
    });
  }
  if (!(Number.isInteger(port) && port >= 0 && port <= PORT_MAX)) {
    throw new KernelError('EINVAL', `http: there is no port ${port}`, { hint: `0 to ${PORT_MAX} are possible` });
  }
}

function explain({ host, port }: PortSpec, error: NodeJS.ErrnoException): KernelError {
  const busy = error.code === 'EADDRINUSE';
  const hint = busy ? 'another program has it; choose another port' : 'choose another port, above 1023';
  return new KernelError(busy ? 'EBUSY' : 'EACCES', `http: cannot listen on ${host}:${port} (${error.code})`, {
    hint,
    cause: error,
  });
}

/**
 * Makes ready to open the port: all that can be found out beforehand is.
 *
 * Errors (KernelError), here: `EINVAL` for an address that other machines could reach, or no port, and those of
 * {@link readToken}; when it is opened: `EBUSY` when the port is taken, `EACCES`.
 *
 * @returns opens it
 */
export function preparePort(spec: PortSpec, options: Omit<ListenerOptions, 'guard'>): () => Promise<OpenPort> {
  check(spec);
  const token = readToken(spec.tokenFile);
  return () => openPort(spec, options, token);
}

async function openPort(spec: PortSpec, options: Omit<ListenerOptions, 'guard'>, token: string): Promise<OpenPort> {
  let guard: Guard = () => false;
  const listener = new Listener({ ...options, guard: (request, response) => guard(request, response) });
  const { server } = listener;
  // By number: what localhost is called by is not left to a resolver.
  const host = spec.host === 'localhost' ? '127.0.0.1' : spec.host;
  await new Promise<void>((settle, reject) => {
    server.once('error', (error) => reject(explain(spec, error)));
    server.listen({ host, port: spec.port, exclusive: true }, settle);
  });
  server.removeAllListeners('error');
  server.on('error', (error) => options.log.error({ err: error }, 'control: the port failed'));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : spec.port;
  guard = createGuard(host, port, token);
  return { listener, port };
}
