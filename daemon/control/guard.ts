// Who may ask over TCP: those with the token, at an address of this machine, and no page of another site.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { KernelError } from '../../kernel/errno.js';
import { ownName, shellWord } from '../file-faults.js';
import { readTrusted } from '../security/read-trusted.js';
import { refuse } from './answer.js';
import type { Guard } from './listener.js';

/** Too short to be guessed in any time, and no longer than a header may be. */
const TOKEN_MIN = 16;
const TOKEN_MAX = 1024;
const TOKEN = /^[\x21-\x7e]+$/;
const BEARER = /^Bearer +(\S+) *$/i;

/**
 * Reads the token that clients must show: the first line of a file that nobody else may read.
 *
 * @throws KernelError `EINVAL` for a token of less than 16 or more than 1024 characters, or with a space in it; others as
 *   `readTrusted` of daemon/security/read-trusted.ts. No message has the token in it.
 */
export function readToken(path: string): string {
  const token = readTrusted(path, 'secret').toString('utf8').trim();
  if (token.length >= TOKEN_MIN && token.length <= TOKEN_MAX && TOKEN.test(token)) return token;
  throw new KernelError('EINVAL', `${path} has no token of ${TOKEN_MIN} to ${TOKEN_MAX} characters without spaces`, {
    hint: `head -c 32 /dev/urandom | base64 | sudo install -m 600 -o ${ownName()} /dev/stdin ${shellWord(path)}`,
    subject: path,
  });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** How a host is written in a header. */
function shown(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/**
 * Refuses whoever does not show the token. A browser that was led here under another name (DNS rebinding), or by a page of
 * another site, is refused whether it has the token or not.
 */
export function createGuard(host: string, port: number, token: string): Guard {
  const right = digest(token);
  const hosts = new Set([host, '127.0.0.1', 'localhost', '::1'].map((name) => `${shown(name)}:${port}`));
  const ownPage = (origin: string): boolean =>
    origin.startsWith('http://') && hosts.has(origin.slice('http://'.length));
  /** Digests have one length, so the time that this takes tells nothing of the token. */
  const knows = ({ headers }: IncomingMessage): boolean => {
    const given = BEARER.exec(headers.authorization ?? '')?.[1];
    return given !== undefined && timingSafeEqual(digest(given), right);
  };
  return (request, response) => {
    const { host: asked = '', origin } = request.headers;
    if (!hosts.has(asked.toLowerCase())) refuse(response, 'FORBIDDEN_HOST', 'that is not a name of this service');
    else if (origin !== undefined && !ownPage(origin)) refuse(response, 'FORBIDDEN_ORIGIN', 'a page of another site');
    else if (!knows(request)) {
      refuse(response, 'UNAUTHORIZED', 'the token is missing or wrong', { 'www-authenticate': 'Bearer' });
    } else return true;
    return false;
  };
}
