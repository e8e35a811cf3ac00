// Usage states of a lock class: in which contexts its locks were taken, and with what enabled (lockdep_internals.h).
import type { LockClass, ReadMode } from './held.js';

/** A usage bit is state << 2 | direction | read. Direction: taken in that kind of interrupt, or with it enabled. */
const READ = 1;
const ENABLED = 2;
export const HARDIRQ = 0;
export const SOFTIRQ = 4;
export const LOCK_USED = 8;
const LOCK_USED_READ = 9;

/** Bits 0-7, those of interrupts; and of them the ones of exclusive takings and of takings in interrupts. */
const IRQ_BITS = 0xff;
const IRQ_WRITE_BITS = 0x55;
const USED_IN_BITS = 0x33;

const NAMES = [
  'IN-HARDIRQ-W',
  'IN-HARDIRQ-R',
  'HARDIRQ-ON-W',
  'HARDIRQ-ON-R',
  'IN-SOFTIRQ-W',
  'IN-SOFTIRQ-R',
  'SOFTIRQ-ON-W',
  'SOFTIRQ-ON-R',
  'INITIAL USE',
  'INITIAL READ USE',
];

export function usedIn(state: number, read: ReadMode): number {
  return state | (read === 0 ? 0 : READ);
}

export function takenWith(state: number, read: ReadMode): number {
  return state | ENABLED | (read === 0 ? 0 : READ);
}

export function firstUse(read: ReadMode): number {
  return read === 0 ? LOCK_USED : LOCK_USED_READ;
}

/** The name of a bit in reports, e.g. `IN-HARDIRQ-W`. */
export function usageName(bit: number): string {
  return NAMES[bit] ?? '';
}

export const USAGE_BITS = NAMES.length;

/** Name of a bit's kind of interrupt, e.g. `HARDIRQ`. */
export function stateName(bit: number): string {
  const name = (bit & SOFTIRQ) === 0 ? 'HARDIRQ' : 'SOFTIRQ';
  return (bit & READ) === 0 ? name : `${name}-READ`;
}

export function isEnabledBit(bit: number): boolean {
  return (bit & ENABLED) !== 0;
}

export function isReadBit(bit: number): boolean {
  return (bit & READ) !== 0;
}

/** The exclusive taking that must not meet usage `bit` in one class: the same state, the other direction. */
export function conflicting(bit: number): number {
  return (bit ^ ENABLED) & ~READ;
}

export function flag(bit: number): number {
  return 1 << bit;
}

/** The masks that conflict with what is in `mask`, reading included. */
export function conflictingMask(mask: number): number {
  const turned = ((mask & USED_IN_BITS) << 2) | ((mask >> 2) & USED_IN_BITS);
  const write = (turned | (turned >> 1)) & IRQ_WRITE_BITS;
  return write | (write << 1);
}

/** The takings in interrupts in a mask. */
export function usedInMask(mask: number): number {
  return mask & USED_IN_BITS;
}

/** The takings with interrupts enabled in a mask. */
export function enabledMask(mask: number): number {
  return mask & IRQ_BITS & ~USED_IN_BITS;
}

/** What counts of a class reached through recursive readers only. */
export function effectiveUsage(cls: LockClass, onlyRecursive: boolean): number {
  return onlyRecursive ? cls.usage & IRQ_WRITE_BITS : cls.usage;
}

/** The four characters of a class: hardirq write and read, softirq write and read. */
export function usageChars(cls: LockClass): string {
  return [HARDIRQ, HARDIRQ | READ, SOFTIRQ, SOFTIRQ | READ]
    .map((bit) => {
      const inside = (cls.usage & flag(bit)) !== 0;
      const enabled = (cls.usage & flag(bit | ENABLED)) !== 0;
      if (enabled) return inside ? '?' : '+';
      return inside ? '-' : '.';
    })
    .join('');
}
