// Contact bounce: how a mechanical switch chatters before it rests.
import { KernelError } from '../../kernel/errno.js';
import type { Prng } from './prng.js';

/** How a switch bounces. */
export interface BounceOptions {
  /** Most times that the contact parts again; each press and each release draws 1 to this many. 1 to 32, default 8. */
  readonly maxBounces?: number;
  /** Longest time until the contact rests, in ns; a quarter to all of it is drawn. 10 µs to 1 s, default 1.6 ms. */
  readonly settleNs?: number;
  /**
   * About the last interval as a part of the first: each rebound is weaker. 0.1 to 1 (evenly spaced), default 0.25. The
   * intervals between are drawn around that course.
   */
  readonly spacing?: number;
}

/** Toggles of the contact that one trace can have: it parts and meets again, at most 32 times. */
export const BOUNCE_TRACE_MAX = 64;
const BOUNCES_MAX = BOUNCE_TRACE_MAX / 2;
const SETTLE_MIN_NS = 10_000;
const SETTLE_MAX_NS = 1_000_000_000;
const SPACING_MIN = 0.1;

/** Checks options and fills in the defaults. `EINVAL` names the value that is out of range. */
export function bounceOptions(options: BounceOptions): Required<BounceOptions> {
  const { maxBounces = 8, settleNs = 1_600_000, spacing = 0.25 } = options;
  if (!Number.isInteger(maxBounces) || maxBounces < 1 || maxBounces > BOUNCES_MAX) {
    throw new KernelError('EINVAL', `maxBounces ${maxBounces}: not a number of bounces`, {
      hint: `give a whole number from 1 to ${BOUNCES_MAX}`,
    });
  }
  if (!Number.isInteger(settleNs) || settleNs < SETTLE_MIN_NS || settleNs > SETTLE_MAX_NS) {
    throw new KernelError('EINVAL', `settleNs ${settleNs}: not a settle time`, {
      hint: `give whole nanoseconds from ${SETTLE_MIN_NS} to ${SETTLE_MAX_NS}`,
    });
  }
  if (!(spacing >= SPACING_MIN && spacing <= 1)) {
    throw new KernelError('EINVAL', `spacing ${spacing}: not a part of the first interval`, {
      hint: `give a number from ${SPACING_MIN} to 1`,
    });
  }
  return { maxBounces, settleNs, spacing };
}

/**
 * Draws a trace: `into[0..n)` are the times, in whole ns after the first contact, at which the contact toggles.
 * They rise strictly, the last is at most `settleNs`, and `n`, which is returned, is even: the contact ends as it began.
 */
export function drawBounces(options: Required<BounceOptions>, prng: Prng, into: Float64Array): number {
  const toggles = 2 * (1 + Math.floor(prng() * options.maxBounces));
  const settle = options.settleNs * (0.25 + 0.75 * prng());
  let weight = 1;
  let total = 0;
  for (let i = 0; i < toggles; i++) {
    total += weight * (0.2 + 0.8 * prng());
    into[i] = total;
    weight *= options.spacing ** (1 / toggles);
  }
  for (let i = 0; i < toggles; i++) into[i] = Math.floor(((into[i] ?? 0) / total) * settle);
  return toggles;
}
