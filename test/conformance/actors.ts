// Devices and tasklets that log what they do, as those of the recorded programs did.
import {
  type Coroutine,
  IRQ_HANDLED,
  IRQ_NONE,
  IRQ_WAKE_THREAD,
  type IrqHandler,
  type IrqReturn,
  type IrqThreadFn,
  Tasklet,
} from '../../kernel/index.js';
import type { Value, Values } from './events.js';

function isCoroutine(value: unknown): value is Coroutine {
  return typeof value === 'object' && value !== null && 'next' in value;
}

/** Where they log. */
interface Log {
  log(ev: string, v?: Values): void;
}

function returnName(ret: number): string {
  if (ret === IRQ_NONE) return 'NONE';
  if (ret === IRQ_HANDLED) return 'HANDLED';
  return ret === IRQ_WAKE_THREAD ? 'WAKE_THREAD' : 'OTHER';
}

/** A device with the usual handler and thread function. Its name stands in the events; it is its own dev_id. */
export class Device {
  readonly name: string;
  /** What the handler and the thread function return. */
  returns: number;
  threadReturns: IrqReturn = IRQ_HANDLED;
  primaryRuns = 0;
  threadRuns = 0;
  /**
   * Done by the handler behind its event, and by the thread function between `thread.begin` and `thread.end`: a generator
   * where it takes time.
   */
  inHandler: (run: number) => unknown = () => {};
  inThread: (run: number) => Coroutine<void> | undefined = () => undefined;
  readonly handler: IrqHandler;
  readonly thread: IrqThreadFn;

  constructor(o: Log, name: string, returns: number) {
    this.name = name;
    this.returns = returns;
    const h_primary: IrqHandler = () => {
      o.log('primary', { dev: name, run: ++this.primaryRuns, ret: returnName(this.returns) });
      const more = this.inHandler(this.primaryRuns);
      return isCoroutine(more) ? this.#answer(more) : (this.returns as IrqReturn);
    };
    this.handler = h_primary;
    this.thread = () => this.#thread(o);
  }

  *#answer(more: Coroutine): Coroutine<IrqReturn> {
    yield* more;
    return this.returns as IrqReturn;
  }

  *#thread(o: Log): Coroutine<IrqReturn> {
    const run = ++this.threadRuns;
    o.log('thread.begin', { dev: this.name, run });
    const more = this.inThread(run);
    if (more !== undefined) yield* more;
    o.log('thread.end', { dev: this.name, run, ret: returnName(this.threadReturns) });
    return this.threadReturns;
  }
}

/** A tasklet that logs each run. */
export class LoggedTasklet extends Tasklet {
  runs = 0;

  constructor(o: Log, t: Value) {
    super(() => o.log('tasklet', { t, run: ++this.runs }));
  }
}
