// The body of a request: read within its limit, and in JSON.

import type { IncomingMessage } from 'node:http';
import { ControlError } from './errors.js';

function isJson(contentType: string | undefined): boolean {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
}

/** What a client announced before it sent it. */
function announced({ headers }: IncomingMessage): 'nothing' | 'some' | number {
  if (headers['transfer-encoding'] !== undefined) return 'some';
  const length = Number(headers['content-length'] ?? 0);
  return length === 0 ? 'nothing' : length;
}

function tooLarge(max: number): ControlError {
  return new ControlError('BODY_TOO_LARGE', `the body has more than ${max} bytes`);
}

/** All bytes of the body. Rejects as soon as they are too many; the rest stays unread. */
function bytesOf(request: IncomingMessage, max: number): Promise<Buffer> {
  return new Promise((settle, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      if (length <= max) {
        chunks.push(chunk);
        return;
      }
      request.off('data', take);
      reject(tooLarge(max));
    };
    request.on('data', take);
    request.once('end', () => settle(Buffer.concat(chunks)));
    const endTooSoon = (): void => reject(new ControlError('BAD_REQUEST', 'the body ended too soon'));
    request.on('error', endTooSoon);
    // After the end, too, when it changes nothing.
    request.once('close', endTooSoon);
  });
}

/**
 * The body of a request, from JSON; `null` when there is none.
 *
 * Rejects (ControlError): `BODY_TOO_LARGE`, when it is announced as well, before it is sent; `UNSUPPORTED_MEDIA_TYPE` for what is
 * not called JSON; `BAD_REQUEST` for what is not JSON, or ends too soon.
 *
 * @param max bytes
 */
export async function readBody(request: IncomingMessage, max: number): Promise<unknown> {
  const length = announced(request);
  if (length === 'nothing') return null;
  if (!isJson(request.headers['content-type'])) {
    throw new ControlError('UNSUPPORTED_MEDIA_TYPE', 'the body is not called application/json');
  }
  if (typeof length === 'number' && length > max) throw tooLarge(max);
  const text = (await bytesOf(request, max)).toString('utf8');
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words have parts of the body in them.
    throw new ControlError('BAD_REQUEST', 'the body is not JSON');
  }
}
