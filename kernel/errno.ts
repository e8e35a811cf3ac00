// Errors of the model: the kernel's error numbers, and the one exception type that carries them.

/** Error numbers as on Linux for arm, arm64 and x86 (include/uapi/asm-generic/errno*.h and include/linux/errno.h). */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EMFILE: 24,
  ENOTTY: 25,
  ENOSPC: 28,
  ERANGE: 34,
  EDEADLK: 35,
  ENOSYS: 38,
  ETIME: 62,
  EOVERFLOW: 75,
  ENOTSUP: 95,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EREMOTEIO: 121,
  ERESTARTSYS: 512,
  EPROBE_DEFER: 517,
} as const;

/** Symbolic name of an error number, e.g. `'EBUSY'`. */
export type ErrnoCode = keyof typeof ERRNO;

/** What may accompany a {@link KernelError}. */
export interface KernelErrorDetails {
  /** What the user can do about it, as one sentence; shown by the daemon after the message. */
  readonly hint?: string;
  /** Who is in the way or what was asked for: a consumer, a line, a path. */
  readonly subject?: string;
  /** The error that this one explains. */
  readonly cause?: unknown;
}

/**
 * An error as the kernel reports it.
 *
 * `code` is the symbolic name (`'EBUSY'`), `errno` the negative number that the C function would return (-16), and the
 * message the kernel's own words where it has any.
 */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  readonly code: ErrnoCode;
  /** Negative, as returned in C. */
  readonly errno: number;
  readonly hint: string | undefined;
  readonly subject: string | undefined;

  constructor(code: ErrnoCode, message: string, details: KernelErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.errno = -ERRNO[code];
    this.hint = details.hint;
    this.subject = details.subject;
  }
}

/** The symbolic name of a positive or negative error number; `undefined` when it is none of {@link ERRNO}. */
export function errnoCode(errno: number): ErrnoCode | undefined {
  const wanted = Math.abs(errno);
  for (const [code, value] of Object.entries(ERRNO)) {
    if (value === wanted) return code as ErrnoCode;
  }
  return undefined;
}
