// The error of the control client, by itself: the daemon explains errors too, and need not load an HTTP client for it.

/** The daemon refused, or could not be reached. */
export class ControlClientError extends Error {
  override readonly name = 'ControlClientError';
  /** Code of the API or the kernel, or of the connection (`ECONNREFUSED`). */
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}
