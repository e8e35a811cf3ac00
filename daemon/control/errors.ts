// Every error that a client of the control API can meet: its code, its HTTP status, and what to do about it.

import type { ErrnoCode } from '../../kernel/errno.js';
import { KernelError } from '../../kernel/errno.js';

/** Errors of the API itself, with their HTTP status and hint. Stable: programs may match on the codes. */
export const CONTROL_ERRORS = {
  BAD_REQUEST: [400, 'docs/control.md says what each request takes'],
  NOT_FOUND: [
    404,
    'GET /v1/status, /v1/lines, /v1/interrupts, /v1/irqs/N, /v1/files/…, /v1/softirqs, /v1/workqueues, /v1/tasks, /v1/events and /v1/trace are there',
  ],
  BODY_TOO_LARGE: [413, 'a body may have 64 KiB'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'send content-type: application/json'],
  HEADERS_TOO_LARGE: [431, 'the headers may have 8 KiB'],
  REQUEST_TIMEOUT: [408, 'send a whole request within 10 seconds'],
  TOO_MANY_WATCHERS: [503, 'end one of the other `gpio-irqctl events`'],
  STOPPING: [503, 'the daemon is stopping; try again when it has started'],
  INTERNAL: [500, 'see the log of the daemon (journalctl -u gpio-irqd)'],
} as const satisfies Record<string, readonly [status: number, hint: string]>;

/** Code of an error of the API itself. */
export type ControlErrorCode = keyof typeof CONTROL_ERRORS;

/** Body of every answer that is not a success. `code` is one of the API's own or the kernel's (`EBUSY`). */
export interface ControlErrorBody {
  readonly code: ControlErrorCode | ErrnoCode;
  readonly message: string;
  readonly hint?: string;
}

/** HTTP status of a kernel error; any other is 500. */
const ERRNO_STATUS: Partial<Record<ErrnoCode, number>> = {
  EPERM: 403,
  EACCES: 403,
  ENOENT: 404,
  EBUSY: 409,
  EEXIST: 409,
  EINVAL: 400,
  ERANGE: 400,
  EOVERFLOW: 400,
  EISDIR: 400,
  ENOTDIR: 404,
  ENODEV: 503,
  ENOTSUP: 501,
  ETIMEDOUT: 504,
};

/** What a file of the model's /proc says that can only be read; from a chip, EIO is a fault. */
const METHOD_NOT_ALLOWED = 405;

function isFile(subject: string | undefined): boolean {
  return subject?.startsWith('/proc/') === true;
}

/** Fastify's and Node's own codes, in our words. */
const FOREIGN: Readonly<Record<string, ControlErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
};

/** Status and body of an error of the API itself. */
export function controlError(code: ControlErrorCode, message: string): { status: number; body: ControlErrorBody } {
  const [status, hint] = CONTROL_ERRORS[code];
  return { status, body: { code, message, hint } };
}

/** Status and body for anything that was thrown while a request was handled. What is not the client's fault stays vague. */
export function explainThrown(error: unknown): { status: number; body: ControlErrorBody } {
  if (error instanceof KernelError) {
    const body = { code: error.code, message: error.message };
    return {
      status: error.code === 'EIO' && isFile(error.subject) ? METHOD_NOT_ALLOWED : (ERRNO_STATUS[error.code] ?? 500),
      body: error.hint === undefined ? body : { ...body, hint: error.hint },
    };
  }
  const {
    code = '',
    statusCode = 500,
    message = '',
  } = error as { code?: string; statusCode?: number; message?: string };
  const known = FOREIGN[code];
  if (known !== undefined) return controlError(known, message);
  if (statusCode >= 400 && statusCode < 500) return controlError('BAD_REQUEST', message);
  return controlError('INTERNAL', 'the daemon failed to answer');
}
