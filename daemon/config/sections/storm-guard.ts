// `storm_guard`: how many edges a line may have before it is disabled for a while; of the file, and of one line.

import { z } from 'zod';
import type { StormLimits } from '../../../kernel/index.js';
import { formatDuration } from '../duration.js';
import type { ConfigPath } from '../errors.js';
import type { Rules } from '../rules.js';
import { duration, keys } from '../values.js';

/** First back-off of a storm guard that does not say (kernel/irq/storm.ts). */
const BACKOFF_NS = 100e6;

/** Limits of a line's edges. */
export const stormGuardSchema = keys({
  rate: z.int().min(0).max(1_000_000).describe('Edges a second that are still no storm; 0 for as many as come.'),
  window: duration(1e6, 60e9, 1).optional().describe('How long the rate must be exceeded on average.'),
  backoff: duration(1e6, 3600e9, 1)
    .optional()
    .describe('How long the line is disabled at its first storm; twice as long at each that follows at once.')
    .meta({ default: '100ms' }),
  max_backoff: duration(1e6, 3600e9, 1).optional().describe('The longest that the line is disabled.'),
});

/** A checked storm guard. */
export type StormGuardInput = z.output<typeof stormGuardSchema>;

/** What must hold between the limits of one guard. */
export function checkStormGuard(rules: Rules, input: StormGuardInput, path: ConfigPath): void {
  const { rate, window, backoff = BACKOFF_NS, max_backoff: most } = input;
  if (most !== undefined && most < backoff) {
    const hint = `at least ${formatDuration(backoff)}, the first back-off`;
    rules.add('CONFIG_CONFLICT', [...path, 'max_backoff'], 'max_backoff is less than backoff', hint);
  }
  const least = Math.ceil(1e9 / rate);
  if (rate > 0 && window !== undefined && window < least) {
    const hint = `at least ${formatDuration(least)}, or leave it out`;
    rules.add('CONFIG_CONFLICT', [...path, 'window'], `no edge fits into the window at a rate of ${rate}`, hint);
  }
}

/** The limits; none for a rate of 0. */
export function buildStormGuard(input: StormGuardInput | undefined): StormLimits | undefined {
  if (input === undefined || input.rate === 0) return undefined;
  const { rate, window, backoff, max_backoff: maxBackoff } = input;
  return {
    ratePerSec: rate,
    ...(window === undefined ? {} : { windowNs: window }),
    ...(backoff === undefined ? {} : { backoffNs: backoff }),
    ...(maxBackoff === undefined ? {} : { maxBackoffNs: maxBackoff }),
  };
}
