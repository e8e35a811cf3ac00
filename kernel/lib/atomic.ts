// Atomic counters: 32-bit signed integers that wrap (include/linux/atomic.h). In the model every call is atomic by itself.

/**
 * A counter.
 *
 * ```ts
 * const users = new AtomicT(0);                     // atomic_t users = ATOMIC_INIT(0)
 * atomicInc(users);                                 // any context, any CPU
 * if (atomicAddUnless(users, 1, 0)) use();          // not once it has become 0
 * if (atomicDecAndTest(users)) release();           // the last one out
 * ```
 */
export class AtomicT {
  counter: number;

  constructor(value = 0) {
    this.counter = value | 0;
  }
}

export function atomicRead(v: AtomicT): number {
  return v.counter;
}

export function atomicSet(v: AtomicT, i: number): void {
  v.counter = i | 0;
}

/** Adds, and gives the value before (atomic_fetch_add). */
export function atomicFetchAdd(i: number, v: AtomicT): number {
  const old = v.counter;
  v.counter = (old + i) | 0;
  return old;
}

export function atomicFetchSub(i: number, v: AtomicT): number {
  return atomicFetchAdd(-i, v);
}

export function atomicFetchInc(v: AtomicT): number {
  return atomicFetchAdd(1, v);
}

export function atomicFetchDec(v: AtomicT): number {
  return atomicFetchAdd(-1, v);
}

/** Adds, and gives the value after (atomic_add_return). */
export function atomicAddReturn(i: number, v: AtomicT): number {
  v.counter = (v.counter + i) | 0;
  return v.counter;
}

export function atomicSubReturn(i: number, v: AtomicT): number {
  return atomicAddReturn(-i, v);
}

export function atomicIncReturn(v: AtomicT): number {
  return atomicAddReturn(1, v);
}

export function atomicDecReturn(v: AtomicT): number {
  return atomicAddReturn(-1, v);
}

export function atomicAdd(i: number, v: AtomicT): void {
  atomicAddReturn(i, v);
}

export function atomicSub(i: number, v: AtomicT): void {
  atomicAddReturn(-i, v);
}

export function atomicInc(v: AtomicT): void {
  atomicAddReturn(1, v);
}

export function atomicDec(v: AtomicT): void {
  atomicAddReturn(-1, v);
}

/** True when the result is 0 (atomic_sub_and_test). */
export function atomicSubAndTest(i: number, v: AtomicT): boolean {
  return atomicSubReturn(i, v) === 0;
}

export function atomicDecAndTest(v: AtomicT): boolean {
  return atomicDecReturn(v) === 0;
}

export function atomicIncAndTest(v: AtomicT): boolean {
  return atomicIncReturn(v) === 0;
}

/** True when the result is negative (atomic_add_negative). */
export function atomicAddNegative(i: number, v: AtomicT): boolean {
  return atomicAddReturn(i, v) < 0;
}

/** And-s, and gives the value before; likewise the others (atomic_fetch_and). */
export function atomicFetchAnd(i: number, v: AtomicT): number {
  return atomicXchg(v, v.counter & i);
}

export function atomicFetchAndnot(i: number, v: AtomicT): number {
  return atomicXchg(v, v.counter & ~i);
}

export function atomicFetchOr(i: number, v: AtomicT): number {
  return atomicXchg(v, v.counter | i);
}

export function atomicFetchXor(i: number, v: AtomicT): number {
  return atomicXchg(v, v.counter ^ i);
}

export function atomicAnd(i: number, v: AtomicT): void {
  v.counter &= i;
}

export function atomicAndnot(i: number, v: AtomicT): void {
  v.counter &= ~i;
}

export function atomicOr(i: number, v: AtomicT): void {
  v.counter |= i;
}

export function atomicXor(i: number, v: AtomicT): void {
  v.counter ^= i;
}

/** Sets, and gives the value before (atomic_xchg). */
export function atomicXchg(v: AtomicT, i: number): number {
  const old = v.counter;
  v.counter = i | 0;
  return old;
}

/** Sets if the value is `old`; gives the value before (atomic_cmpxchg). */
export function atomicCmpxchg(v: AtomicT, old: number, i: number): number {
  const before = v.counter;
  if (before === (old | 0)) v.counter = i | 0;
  return before;
}

/** Sets if the value is `old.value`: true; else puts the value there (atomic_try_cmpxchg). */
export function atomicTryCmpxchg(v: AtomicT, old: { value: number }, i: number): boolean {
  const before = atomicCmpxchg(v, old.value, i);
  if (before === (old.value | 0)) return true;
  old.value = before;
  return false;
}

/** Adds unless the value is `u`; gives the value before (atomic_fetch_add_unless). */
export function atomicFetchAddUnless(v: AtomicT, a: number, u: number): number {
  return v.counter === (u | 0) ? v.counter : atomicFetchAdd(a, v);
}

/** Adds unless the value is `u`; true when it added (atomic_add_unless). */
export function atomicAddUnless(v: AtomicT, a: number, u: number): boolean {
  return atomicFetchAddUnless(v, a, u) !== (u | 0);
}

export function atomicIncNotZero(v: AtomicT): boolean {
  return atomicAddUnless(v, 1, 0);
}

/** Adds 1 unless negative; true when it did (atomic_inc_unless_negative). */
export function atomicIncUnlessNegative(v: AtomicT): boolean {
  if (v.counter < 0) return false;
  atomicInc(v);
  return true;
}

export function atomicDecUnlessPositive(v: AtomicT): boolean {
  if (v.counter > 0) return false;
  atomicDec(v);
  return true;
}

/** Takes 1 away unless that were negative; gives what the result is or would have been (atomic_dec_if_positive). */
export function atomicDecIfPositive(v: AtomicT): number {
  const result = (v.counter - 1) | 0;
  if (result >= 0) v.counter = result;
  return result;
}
