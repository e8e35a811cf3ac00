// What the calls on a timer return and do, in each of its states and in its own function.
import {
  addTimer,
  jiffies,
  modTimer,
  modTimerPending,
  type TimerList as Timer,
  TimerList,
  timerDelete,
  timerDeleteSync,
  timerPending,
  timerReduce,
  timerShutdown,
  timerShutdownSync,
  tryToDelTimerSync,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';

type Act = (timer: Timer, count: number) => void;

class Timers {
  readonly #o: Oracle;
  readonly other: Timer;
  timer: Timer;
  count = 0;
  act: Act = () => {};

  constructor(o: Oracle) {
    this.#o = o;
    this.other = new TimerList(() => o.log('timer2', { j: o.j() }));
    this.timer = this.setUp();
  }

  setUp(): Timer {
    const o = this.#o;
    this.timer = new TimerList((timer) => {
      o.log('timer', { j: o.j(), pending: Number(timerPending(timer)) });
      this.act(timer, ++this.count);
    });
    return this.timer;
  }

  *go(variant: string, delay: number, act: Act = () => {}) {
    this.#o.variant(variant);
    this.act = act;
    this.count = 0;
    this.setUp();
    yield* this.#o.base();
    ret(this.#o, 'mod_timer', modTimer(this.timer, this.#o.j0 + delay));
  }
}

function* outside(o: Oracle, t: Timers) {
  o.variant('idle');
  t.setUp();
  ret(o, 'timer_delete', timerDelete(t.timer));
  ret(o, 'timer_delete_sync', yield* timerDeleteSync(t.timer));
  ret(o, 'try_to_del', tryToDelTimerSync(t.timer));
  ret(o, 'mod_timer_pending', modTimerPending(t.timer, jiffies() + 5));
  yield* t.go('pending', 10);
  ret(o, 'mod_timer same', modTimer(t.timer, o.j0 + 10));
  ret(o, 'mod_timer_pending', modTimerPending(t.timer, o.j0 + 12));
  ret(o, 'reduce later', timerReduce(t.timer, o.j0 + 20));
  ret(o, 'reduce sooner', timerReduce(t.timer, o.j0 + 4));
  o.log('expires', { j: t.timer.expires - o.j0 });
  yield* o.sleep(40);
  ret(o, 'reduce idle', timerReduce(t.timer, jiffies() + 2));
  yield* o.sleep(40);
  yield* t.go('delete pending', 3);
  ret(o, 'timer_delete', timerDelete(t.timer));
  ret(o, 'timer_delete', timerDelete(t.timer));
  yield* o.sleep(30);
}

function* inItsFunction(o: Oracle, t: Timers) {
  const go = function* (variant: string, ms: number, act: Act) {
    yield* t.go(variant, 2, act);
    yield* o.sleep(ms);
  };
  const mod = (timer: Timer, delay: number) => ret(o, 'mod_timer', modTimer(timer, jiffies() + delay));
  yield* go('mod in callback', 60, (timer, count) => {
    if (count < 3) mod(timer, 2);
  });
  yield* go('delete in callback', 30, (timer) => ret(o, 'timer_delete', timerDelete(timer)));
  yield* go('try_to_del in callback', 30, (timer) => ret(o, 'try_to_del', tryToDelTimerSync(timer)));
  yield* go('mod and delete in callback', 30, (timer) => {
    mod(timer, 3);
    ret(o, 'timer_delete', timerDelete(timer));
  });
  yield* go('shutdown in callback', 30, (timer) => {
    mod(timer, 1);
    ret(o, 'shutdown', timerShutdown(timer));
    mod(timer, 1);
  });
  yield* go('add in the past in callback', 60, (timer, count) => {
    if (count === 3) return;
    timer.expires = o.j0 + 1;
    addTimer(timer);
  });
  yield* go('arm another for now', 30, (_timer, count) => {
    if (count < 2) ret(o, 'mod_timer other', modTimer(t.other, jiffies()));
  });
  yield* t.go('delete another of the same jiffy', 2, () => ret(o, 'delete other', timerDelete(t.other)));
  modTimer(t.other, o.j0 + 2);
  yield* o.sleep(30);
  timerDelete(t.other);
}

export default function* (o: Oracle) {
  const t = new Timers(o);
  yield* outside(o, t);
  yield* inItsFunction(o, t);
  o.variant('past');
  t.setUp();
  t.act = () => {};
  yield* o.base();
  ret(o, 'mod_timer', modTimer(t.timer, o.j0 - 100));
  yield* o.sleep(20);
  o.variant('shutdown');
  modTimer(t.timer, jiffies() + 5);
  ret(o, 'shutdown', timerShutdown(t.timer));
  ret(o, 'shutdown', yield* timerShutdownSync(t.timer));
  ret(o, 'mod_timer', modTimer(t.timer, jiffies() + 2));
  addTimer(t.timer);
  ret(o, 'pending', timerPending(t.timer));
  yield* o.sleep(30);
  ret(o, 'timer_delete', timerDelete(t.timer));
  o.variant('set up anew');
  yield* t.go('set up anew', 2);
  yield* o.sleep(30);
}
