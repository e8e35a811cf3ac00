// Work items that log what they do, as those of the recorded programs did.
import { type Coroutine, DelayedWork, mdelay, msleep, Work } from '../../kernel/index.js';
import type { Values } from './events.js';

/** Where they log. */
interface Log {
  log(ev: string, v?: Values): void;
  /** Jiffies since the last `base`. */
  j(): number;
}

/** What an item does: logs `work.begin` and `work.end`, and is busy or asleep in between. */
interface Body {
  readonly w: string;
  runs: number;
  /** Milliseconds. */
  busy: number;
  sleep: number;
  /** Logs `at`, with the jiffies since the last `base`. */
  logsAt: boolean;
  /** Done in between, in front of the rest, and behind it. */
  first: (run: number) => void;
  inWork: (run: number) => void;
}

function* run(o: Log, body: Body): Coroutine<void> {
  const number = ++body.runs;
  const v = { w: body.w, run: number };
  o.log('work.begin', v);
  if (body.logsAt) o.log('at', { w: body.w, j: o.j() });
  body.first(number);
  if (body.busy > 0) yield* mdelay(body.busy);
  if (body.sleep > 0) yield* msleep(body.sleep);
  body.inWork(number);
  o.log('work.end', v);
}

/** A work item of a recorded program. */
export class LoggedWork extends Work implements Body {
  readonly w: string;
  runs = 0;
  busy = 0;
  sleep = 0;
  logsAt = false;
  first: (run: number) => void = () => {};
  inWork: (run: number) => void = () => {};

  constructor(o: Log, w: string) {
    super(() => run(o, this), w);
    this.w = w;
  }
}

/** A delayed one. */
export class LoggedDelayedWork extends DelayedWork implements Body {
  readonly w: string;
  runs = 0;
  busy = 0;
  sleep = 0;
  logsAt = false;
  first: (run: number) => void = () => {};
  inWork: (run: number) => void = () => {};

  constructor(o: Log, w: string) {
    super(() => run(o, this), w);
    this.w = w;
  }
}
