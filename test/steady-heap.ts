// growthPerEvent: how many bytes of heap the code of a hot path takes for each event, once V8 has compiled it.

import { memoryUsage } from 'node:process';
import { setFlagsFromString } from 'node:v8';

/**
 * The smallest object that V8 makes on a machine of 64 bits, in bytes. A mere number takes 16, where the compiler leaves a call as a
 * call; which ones it makes part of their callers is its own affair, and no sign of an allocation in the source.
 */
export const SMALLEST_OBJECT = 24;

const BURSTS = 51;
/** Only compiled code keeps numbers out of the heap, and V8 compiles anew what it has guessed wrongly. */
const LOOKS = 40;

/**
 * Bytes for each event, as the median over many bursts, which leaves out what the compiler and the collector do meanwhile; as soon as
 * they are fewer than {@link SMALLEST_OBJECT}, or else at the end. Compiles where the code waits for it, so that how busy the machine
 * is decides nothing.
 *
 * @param burst handles so many events
 */
export function growthPerEvent(events: number, burst: () => void): number {
  setFlagsFromString('--no-concurrent-recompilation');
  try {
    let growth = Number.POSITIVE_INFINITY;
    for (let looks = 0; looks < LOOKS && growth >= SMALLEST_OBJECT; looks++) {
      const growths = Array.from({ length: BURSTS }, () => {
        const before = memoryUsage().heapUsed;
        burst();
        return memoryUsage().heapUsed - before;
      });
      growth = (growths.sort((a, b) => a - b)[(BURSTS - 1) / 2] ?? growth) / events;
    }
    return growth;
  } finally {
    setFlagsFromString('--concurrent-recompilation');
  }
}
