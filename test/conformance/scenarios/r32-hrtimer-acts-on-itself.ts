// An hrtimer that starts, forwards and cancels itself in its own function.
import {
  HRTIMER_MODE_ABS_HARD,
  HRTIMER_MODE_ABS_SOFT,
  HRTIMER_NORESTART,
  HRTIMER_RESTART,
  Hrtimer,
  hrtimerActive,
  hrtimerCallbackRunning,
  hrtimerCancel,
  hrtimerForward,
  hrtimerGetExpires,
  hrtimerIsQueued,
  hrtimerRestart,
  hrtimerSetExpires,
  hrtimerStart,
  hrtimerTryToCancel,
  ktimeGet,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';

const US = 1_000;

type Act = (timer: Hrtimer, count: number) => number;

class Timers {
  readonly #o: Oracle;
  timer: Hrtimer;
  t0 = 0;
  count = 0;
  #act: Act = () => HRTIMER_NORESTART;

  constructor(o: Oracle) {
    this.#o = o;
    this.timer = this.setUp();
  }

  setUp(act: Act = () => HRTIMER_NORESTART, mode = HRTIMER_MODE_ABS_HARD): Hrtimer {
    const o = this.#o;
    this.#act = act;
    this.count = 0;
    this.timer = new Hrtimer((timer) => {
      o.log('hrtimer', {
        run: ++this.count,
        expires_us: (timer.softNs - this.t0) / US,
        active: Number(hrtimerActive(timer)),
        queued: Number(hrtimerIsQueued(timer)),
        running: Number(hrtimerCallbackRunning(timer)),
      });
      return this.#act(timer, this.count);
    }, mode);
    return this.timer;
  }

  *go(variant: string, ms: number, act: Act, mode = HRTIMER_MODE_ABS_HARD) {
    this.#o.variant(variant);
    this.setUp(act, mode);
    this.t0 = ktimeGet();
    hrtimerStart(this.timer, this.t0 + 4000 * US, mode);
    yield* this.#o.sleep(ms);
  }
}

function* inItsFunction(o: Oracle, t: Timers) {
  const startedInside: Act = (timer, count) => {
    if (count === 1) hrtimerStart(timer, t.t0 + 8000 * US, HRTIMER_MODE_ABS_HARD);
    return HRTIMER_NORESTART;
  };
  const forward: Act = (timer, count) => {
    if (count === 3) return HRTIMER_NORESTART;
    ret(o, 'forward', hrtimerForward(timer, hrtimerGetExpires(timer), 3000 * US));
    return HRTIMER_RESTART;
  };
  yield* t.go('try_to_cancel inside', 20, (timer) => {
    ret(o, 'try_to_cancel', hrtimerTryToCancel(timer));
    return HRTIMER_NORESTART;
  });
  yield* t.go('started inside, no restart', 20, startedInside);
  yield* t.go('forward and restart', 30, forward);
  yield* t.go('add and restart', 30, (timer, count) => {
    if (count === 3) return HRTIMER_NORESTART;
    hrtimerSetExpires(timer, hrtimerGetExpires(timer) + 2000 * US);
    return HRTIMER_RESTART;
  });
  yield* t.go('set and restart', 30, (timer, count) => {
    if (count === 3) return HRTIMER_NORESTART;
    ret(o, 'forward before', hrtimerForward(timer, t.t0, 1000 * US));
    hrtimerSetExpires(timer, t.t0 + (6000 + 1000 * count) * US);
    return HRTIMER_RESTART;
  });
  yield* t.go('soft: started inside', 20, startedInside, HRTIMER_MODE_ABS_SOFT);
  yield* t.go('soft: forward and restart', 30, forward, HRTIMER_MODE_ABS_SOFT);
}

export default function* (o: Oracle) {
  const t = new Timers(o);
  const start = (us: number) => hrtimerStart(t.timer, t.t0 + us * US, HRTIMER_MODE_ABS_HARD);
  const active = () => ret(o, 'active', hrtimerActive(t.timer));
  yield* inItsFunction(o, t);
  const later = new Hrtimer(() => {
    o.log('hrtimer2');
    return HRTIMER_NORESTART;
  }, HRTIMER_MODE_ABS_HARD);
  yield* t.go('cancel a later one', 0, () => {
    ret(o, 'cancel other', hrtimerTryToCancel(later));
    return HRTIMER_NORESTART;
  });
  hrtimerStart(later, t.t0 + 6000 * US, HRTIMER_MODE_ABS_HARD);
  yield* o.sleep(20);
  o.variant('restart by hand');
  t.setUp();
  t.t0 = ktimeGet();
  start(900_000);
  start(5000);
  active();
  yield* o.sleep(20);
  active();
  ret(o, 'forward idle', hrtimerForward(t.timer, t.t0 + 25_000 * US, 5000 * US));
  o.log('expires', { us: (hrtimerGetExpires(t.timer) - t.t0) / US });
  t.t0 = ktimeGet();
  start(5000);
  ret(o, 'forward queued', hrtimerForward(t.timer, t.t0 + 25_000 * US, 5000 * US));
  ret(o, 'cancel', yield* hrtimerCancel(t.timer));
  hrtimerRestart(t.timer);
  yield* o.sleep(20);
  o.variant('in the past');
  t.t0 = ktimeGet();
  start(-5000);
  yield* o.point();
  o.log('armed');
  yield* o.sleep(5);
}
