// How answers are written; and those that are given without a route: to what is not HTTP, not in time, or not allowed to ask.

import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ControlErrorCode, controlError, explainThrown } from './errors.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Answers with a text, whole. */
export function answerText(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { ...headers, 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

/** Answers in JSON. */
export function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  answerText(response, status, JSON_TYPE, JSON.stringify(body), headers);
}

/** Refuses a request, and ends its connection: whatever its body is stays unread. */
export function refuse(
  response: ServerResponse,
  code: ControlErrorCode,
  message: string,
  headers: Record<string, string> = {},
): void {
  const { status, body } = controlError(code, message);
  answerJson(response, status, body, { ...headers, connection: 'close' });
}

/** Answers what is not HTTP, or not in time, as far as the other side still listens. */
export function answerRubbish(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { status, body } = explainThrown(Object.assign(error, { statusCode: 400 }));
  const text = JSON.stringify(body);
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: ${JSON_TYPE}\r\n`;
  socket.end(`${head}content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`, () =>
    socket.destroy(),
  );
}

/** Answers a connection that was too slow. */
export function answerLate(socket: Duplex): void {
  const error = new Error('the request did not come in time');
  answerRubbish(Object.assign(error, { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
}
