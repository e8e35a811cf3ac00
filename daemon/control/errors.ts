// Every error that a client of the control API can meet: its code, its HTTP status, and what to do about it.

import type { ErrnoCode } from '../../kernel/errno.js';
import { KernelError } from '../../kernel/errno.js';

/** Errors of the API itself, with their HTTP status and hint. Stable: programs may match on the codes. */
export const CONTROL_ERRORS = {
  BAD_REQUEST: [400, 'docs/control.md says what each request takes'],
  UNAUTHORIZED: [401, 'send the header `authorization: Bearer TOKEN`, with what is in token_file'],
  FORBIDDEN_HOST: [403, 'ask for 127.0.0.1, [::1] or localhost, with the port'],
  FORBIDDEN_ORIGIN: [403, 'pages of other sites may not ask'],
  NOT_FOUND: [404, 'GET /v1/openapi.json says what is there'],
  BODY_TOO_LARGE: [413, 'a body may have 64 KiB'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'send content-type: application/json'],
  CONFIG_REFUSED: [422, 'the configuration that was goes on; mend the file, and reload again'],
  TOO_MANY_REQUESTS: [429, 'ask less often; `gpio-irqctl events` tells what happens, as it happens'],
  HEADERS_TOO_LARGE: [431, 'the headers may have 8 KiB'],
  REQUEST_TIMEOUT: [408, 'send the headers within 5 seconds, and the body within 10 more'],
  NOT_SUPPORTED: [501, 'this daemon cannot do it'],
  TOO_MANY_WATCHERS: [503, 'end one of the other `gpio-irqctl events`'],
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

/** Node's own codes, in our words. */
const FOREIGN: Readonly<Record<string, ControlErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
};

/** Status and body of an error of the API itself. */
export function controlError(code: ControlErrorCode, message: string): { status: number; body: ControlErrorBody } {
  const [status, hint] = CONTROL_ERRORS[code];
  return { status, body: { code, message, hint } };
}

/** An error of the API itself, thrown by a route. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly code: ControlErrorCode;

  constructor(code: ControlErrorCode, message: string) {
    super(message);
    this.code = code;
  }
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
  if (error instanceof ControlError) return controlError(error.code, error.message);
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
