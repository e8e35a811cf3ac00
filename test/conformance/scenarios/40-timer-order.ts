// Timers of one expiry run newest first; armed for jiffy n they run at n + 1.
import { jiffies, localBhDisable, modTimer, TimerList } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

const SLEEP_MS = 60;

class Timers {
  readonly #o: Oracle;
  readonly #timers: TimerList[];

  constructor(o: Oracle) {
    this.#o = o;
    this.#timers = [0, 1, 2, 3].map((id) => {
      let run = 0;
      return new TimerList(() => o.log('timer', { id, run: ++run, j: o.j() }));
    });
  }

  /** Arms a timer relative to the base; 1 when it was pending. */
  arm(id: number, j: number): number {
    const timer = this.#timers[id];
    if (timer === undefined) throw new Error(`no timer ${id}`);
    return modTimer(timer, this.#o.j0 + j);
  }

  armLogged(id: number, j: number): void {
    this.#o.log('mod_timer', { id, ret: this.arm(id, j) });
  }
}

function* sameExpiry(o: Oracle, timers: Timers) {
  o.variant('same-expiry-armed-2,0,3,1');
  yield* o.base();
  for (const id of [2, 0, 3, 1]) timers.armLogged(id, 5);
  yield* o.sleep(SLEEP_MS);
  o.variant('same-expiry-one-rearmed-to-the-same-expiry');
  yield* o.base();
  for (const id of [0, 1, 2, 0]) timers.armLogged(id, 5);
  yield* o.sleep(SLEEP_MS);
  o.variant('same-expiry-one-moved-away-and-back');
  yield* o.base();
  for (const id of [0, 1, 2]) timers.arm(id, 5);
  timers.armLogged(0, 7);
  timers.armLogged(0, 5);
  yield* o.sleep(SLEEP_MS);
}

function* differentExpiry(o: Oracle, timers: Timers) {
  o.variant('different-expiry-armed-in-reverse');
  yield* o.base();
  for (let id = 0; id < 4; id++) timers.arm(id, 8 - id);
  yield* o.sleep(SLEEP_MS);
  o.variant('already-expired-and-now');
  yield* o.base();
  for (const [id, j] of [-5, 0, 1, -1].entries()) timers.arm(id, j);
  o.log('armed: 0 at -5, 1 at 0, 2 at +1, 3 at -1');
  yield* o.sleep(SLEEP_MS);
}

export default function* (o: Oracle) {
  const timers = new Timers(o);
  yield* sameExpiry(o, timers);
  yield* differentExpiry(o, timers);
  o.variant('expired-together-after-irqs-off-delay');
  yield* o.base();
  localBhDisable();
  for (const [id, j] of [3, 2, 3, 1].entries()) timers.arm(id, j);
  yield* o.busyUntil(6);
  o.log(`bh_disabled_until_${(jiffies() - o.j0) >>> 0}`);
  yield* o.localBhEnable();
  o.log('after');
}
