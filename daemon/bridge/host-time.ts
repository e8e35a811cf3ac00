// CLOCK_MONOTONIC and the event loop's timers, as the model's real-time clock wants them.
import type { HostTime } from '../../kernel/index.js';

const NS_PER_MS = 1_000_000;
/** Readings taken to find the origin; the one least disturbed counts. */
const CALIBRATIONS = 8;

/** CLOCK_MONOTONIC at the origin of `performance.now()`, in ns. Both read the same clock; only this one tells the offset. */
function findOrigin(): bigint {
  let best = process.hrtime.bigint() - BigInt(Math.round(performance.now() * NS_PER_MS));
  for (let i = 1; i < CALIBRATIONS; i++) {
    const origin = process.hrtime.bigint() - BigInt(Math.round(performance.now() * NS_PER_MS));
    if (origin > best) best = origin;
  }
  return best;
}

/** Time for a MonotonicClock in this process. Its origin is the start of the process. */
export class NodeHostTime implements HostTime {
  /** CLOCK_MONOTONIC at the origin, in ns. */
  readonly originNs = findOrigin();
  #timeout: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  /** `performance.now()` reads CLOCK_MONOTONIC and, unlike `process.hrtime`, allocates nothing. */
  now(): number {
    return performance.now() * NS_PER_MS;
  }

  /**
   * The event loop's timers count in ms: the last part of a delay is spent in turns of the loop, which serve I/O. The
   * callback may come before the time, and is then set again by the clock.
   */
  setTimer(delayNs: number, callback: () => void): void {
    if (delayNs < NS_PER_MS) this.#immediate = setImmediate(callback);
    else this.#timeout = setTimeout(callback, Math.min(Math.floor(delayNs / NS_PER_MS), 2 ** 31 - 1));
  }

  clearTimer(): void {
    clearTimeout(this.#timeout);
    clearImmediate(this.#immediate);
  }
}
