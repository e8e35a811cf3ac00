// hrtimers by time, then in the order of arming; hard ones in the interrupt, soft ones in softirq behind it.
import {
  HRTIMER_MODE_ABS_HARD,
  HRTIMER_MODE_ABS_SOFT,
  HRTIMER_NORESTART,
  HRTIMER_RESTART,
  Hrtimer,
  hrtimerActive,
  hrtimerCancel,
  hrtimerForwardNow,
  hrtimerStart,
  hrtimerTryToCancel,
  ktimeGet,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

const US = 1_000;

/** Arms a timer at t0 + `us`, which logs its call; `restart` says whether it goes on. */
function arm(
  o: Oracle,
  t0: number,
  id: number,
  us: number,
  soft = false,
  restart?: (timer: Hrtimer, run: number) => number,
): Hrtimer {
  const mode = soft ? HRTIMER_MODE_ABS_SOFT : HRTIMER_MODE_ABS_HARD;
  let run = 0;
  const timer = new Hrtimer((self) => {
    const late = ktimeGet() < self.softNs ? 1 : 0;
    o.log('hrtimer', { id, run: ++run, softexpire_us: (self.softNs - t0) / US, late });
    return restart?.(self, run) ?? HRTIMER_NORESTART;
  }, mode);
  hrtimerStart(timer, t0 + us * US, mode);
  return timer;
}

function* ordered(o: Oracle) {
  o.variant('hard-same-expiry-armed-2,0,1');
  let t0 = ktimeGet();
  for (const id of [2, 0, 1]) arm(o, t0, id, 5000);
  yield* o.sleep(20);
  o.variant('hard-different-expiry-reverse');
  t0 = ktimeGet();
  for (let id = 0; id < 4; id++) arm(o, t0, id, 8000 - 1000 * id);
  yield* o.sleep(20);
}

function* softAndHard(o: Oracle) {
  o.variant('soft-and-hard-mixed-armed-s0,h1,s2,h3');
  const t0 = ktimeGet();
  arm(o, t0, 0, 5000, true);
  arm(o, t0, 1, 5000);
  arm(o, t0, 2, 4900, true);
  arm(o, t0, 3, 5000);
  yield* o.irqsOffUntil(t0 + 7000 * US, 'irqs_off_until_7000us');
  o.log('after');
  yield* o.sleep(20);
}

function* restarted(o: Oracle) {
  o.variant('restart-2ms-first-delayed-by-irqs-off');
  const t0 = ktimeGet();
  arm(o, t0, 0, 2000, false, (timer, run) => {
    if (run === 4) return HRTIMER_NORESTART;
    o.log('hrtimer_forward_now', { overruns: hrtimerForwardNow(timer, 2000 * US) });
    return HRTIMER_RESTART;
  });
  yield* o.irqsOffUntil(t0 + 7000 * US, 'irqs_off_until_7000us');
  yield* o.sleep(40);
}

export default function* (o: Oracle) {
  yield* ordered(o);
  yield* softAndHard(o);
  yield* restarted(o);
  o.variant('return-values');
  const timer = arm(o, ktimeGet(), 0, 1_000_000);
  yield* hrtimerCancel(timer);
  o.log('hrtimer_cancel', { when: 'idle', ret: yield* hrtimerCancel(timer) });
  hrtimerStart(timer, ktimeGet() + 1_000_000 * US, HRTIMER_MODE_ABS_HARD);
  o.log('hrtimer_active', { when: 'armed', ret: hrtimerActive(timer) ? 1 : 0 });
  o.log('hrtimer_try_to_cancel', { when: 'armed', ret: hrtimerTryToCancel(timer) });
  o.log('hrtimer_try_to_cancel', { when: 'idle', ret: hrtimerTryToCancel(timer) });
}
