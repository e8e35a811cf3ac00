// What the kernel's refusals mean to the one who asked: each error number as a KernelError with a hint.
import { getSystemErrorName } from 'node:util';
import { type ErrnoCode, errnoCode, KernelError } from '../../kernel/errno.js';

/** The kernel's own ENOTSUPP (include/linux/errno.h), which some pin controllers let through to userspace. */
const ENOTSUPP = 524;

const WORDS: Readonly<Partial<Record<ErrnoCode, string>>> = {
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  ENXIO: 'No such device or address',
  EBADF: 'Bad file descriptor',
  EACCES: 'Permission denied',
  EBUSY: 'Device or resource busy',
  ENODEV: 'No such device',
  EINVAL: 'Invalid argument',
  EMFILE: 'Too many open files',
  ENOTTY: 'Inappropriate ioctl for device',
  ENOTSUP: 'Operation not supported',
};

const HINTS: Readonly<Partial<Record<ErrnoCode, string>>> = {
  ENODEV: 'the chip was unplugged or its driver unbound; open it again when it is back',
  EBADF: 'it was released or closed before; request it again',
  EMFILE: 'the process has too many open files; release requests or raise LimitNOFILE',
  ENOTSUP: "the chip's driver cannot do what the line's configuration asks for",
  EINVAL: "the chip's driver refuses this combination; compare with gpioinfo",
};

/**
 * The error for what `operation` got from the system.
 *
 * A number without a name in {@link errnoCode} is reported as `EIO`, with its system name in the message.
 */
export function systemError(operation: string, errno: number, hint?: string, subject?: string): KernelError {
  const number = Math.abs(errno);
  const code = number === ENOTSUPP ? 'ENOTSUP' : errnoCode(number);
  const name = code === undefined ? getSystemErrorName(-number) : code;
  const words = code === undefined ? 'unexpected error of the system' : (WORDS[code] ?? 'refused by the kernel');
  const help = hint ?? (code === undefined ? undefined : HINTS[code]);
  return new KernelError(code ?? 'EIO', `${operation}: ${name}: ${words}`, {
    ...(help === undefined ? {} : { hint: help }),
    ...(subject === undefined ? {} : { subject }),
  });
}

/** The error for a chip that could not be opened. */
export function openError(path: string, errno: number): KernelError {
  const code = errnoCode(errno);
  const hints: Readonly<Partial<Record<ErrnoCode, string>>> = {
    ENOENT: 'there is no such chip; "gpio-irqd detect" lists those that there are',
    ENODEV: 'the device file is left over from a chip that is gone',
    ENXIO: 'the device file is left over from a chip that is gone',
    EACCES: `add the user to the group that owns ${path} (usually gpio), or install the udev rule`,
    EPERM: `the service manager or a container forbids ${path}; allow it (DeviceAllow=${path} rw)`,
    EBUSY: 'the chip is being removed',
  };
  const hint = code === undefined ? undefined : hints[code];
  return systemError(`open ${path}`, errno, hint, path);
}

/** The error for a file that opened but is no GPIO chip (or a chip of a kernel before 5.10). */
export function notAChip(path: string, cause?: unknown): KernelError {
  return new KernelError('ENOTTY', `${path} is not a GPIO chip`, {
    hint: 'name a /dev/gpiochipN; "gpio-irqd detect" lists them',
    subject: path,
    ...(cause === undefined ? {} : { cause }),
  });
}
