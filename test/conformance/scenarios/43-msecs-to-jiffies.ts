// Conversions between milliseconds, microseconds and jiffies.
import { HZ, jiffiesToMsecs, MAX_JIFFY_OFFSET, msecsToJiffies, usecsToJiffies } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

// biome-ignore lint/correctness/useYield: a program that takes no time is a program
export default function* (o: Oracle) {
  o.log('HZ', { hz: HZ() });
  for (let ms = 0; ms <= 20; ms++) {
    const j = msecsToJiffies(ms);
    o.log('convert', { ms, msecs_to_jiffies: j, jiffies_to_msecs: jiffiesToMsecs(j) });
  }
  for (const us of [1, 1001, 4001, 10001]) o.log('convert', { us, usecs_to_jiffies: usecsToJiffies(us) });
  for (const ms of [100, 999, 1001]) o.log('convert', { ms, msecs_to_jiffies: msecsToJiffies(ms) });
  o.log('convert', { ms: -1, is_MAX_JIFFY_OFFSET: msecsToJiffies(-1) === MAX_JIFFY_OFFSET ? 1 : 0 });
}
