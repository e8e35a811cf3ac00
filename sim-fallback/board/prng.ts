// Seeded pseudo-random numbers, so that a run can be repeated bit by bit.

/** Numbers from 0 (included) to 1 (not included). */
export type Prng = () => number;

/** Mulberry32: 32 bits of state, a period of 2^32. `seed` is taken modulo 2^32; equal seeds give equal sequences. */
export function mulberry32(seed: number): Prng {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
