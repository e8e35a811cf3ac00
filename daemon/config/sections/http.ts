// `http`: the control API over TCP, besides its socket; on the loopback only, and with a token.

import type { z } from 'zod';
import { filePath, keys, matching, PORT } from '../values.js';

/** The section. */
export const httpSchema = keys({
  listen: matching(
    new RegExp(String.raw`^(127\.0\.0\.1|\[::1\]|localhost):${PORT}$`),
    'write an address of this machine and a port: 127.0.0.1:9470',
  )
    .default('127.0.0.1:9470')
    .describe('Address and port; the loopback only.'),
  token_file: filePath
    .describe('File with the token that clients must show; nobody else may read it.')
    .meta({ examples: ['/etc/gpio-irqd/token'] }),
}).describe(
  'The control API over TCP as well, for browsers and Prometheus. Without this section: the unix socket only.',
);

/** Where the control API listens besides its socket. */
export interface HttpSpec {
  readonly host: string;
  readonly port: number;
  /** Absolute path. */
  readonly tokenFile: string;
}

/** The section with absolute paths. @param toPath makes a path of the file absolute */
export function buildHttp(input: z.output<typeof httpSchema>, toPath: (path: string) => string): HttpSpec {
  const colon = input.listen.lastIndexOf(':');
  const host = input.listen.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host, port: Number(input.listen.slice(colon + 1)), tokenFile: toPath(input.token_file) };
}
