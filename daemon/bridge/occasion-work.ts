// A work item for what comes seldom, presses and triggers: the occasions that it has still to deal with.
import { preemptPoint, queueWork, Work, type Workqueue } from '../../kernel/index.js';
import type { Occasion } from '../actions/occasion.js';
import type { WorkSpec } from '../config/action-types.js';
import { type ActionContext, type PreparedWork, prepareActions } from './actions.js';

/** Occasions that may wait: many more than anybody presses, and few enough to be done with soon after a flood. */
const WAITING_MAX = 256;

/** One item, which may be pending only once: the occasions wait in line here. */
export class OccasionWork {
  readonly work: Work;
  readonly #queue: Workqueue;
  readonly #waiting: Occasion[] = [];

  /** Errors as {@link prepareActions}; `ENOENT` for a queue that there is not. */
  constructor(context: ActionContext, { queue, actions }: WorkSpec) {
    const { waits, perform } = prepareActions(context, queue, actions);
    this.#queue = context.host.queue(queue);
    const name = `${context.name}.work`;
    this.work = new Work(waits ? () => this.#awaitAll(perform) : () => this.#runAll(perform), name);
  }

  /** Hands an occasion over. Any context. @returns whether there was room */
  add(occasion: Occasion): boolean {
    if (this.#waiting.length >= WAITING_MAX) return false;
    this.#waiting.push(occasion);
    queueWork(this.#queue, this.work);
    return true;
  }

  /** Forgets what it has not begun with. @returns how many. */
  cancel(): number {
    return this.#waiting.splice(0).length;
  }

  async #awaitAll(perform: PreparedWork['perform']): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) await perform(next);
  }

  /** Other tasks, and I/O, get their turn after each. */
  *#runAll(perform: PreparedWork['perform']) {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      perform(next);
      yield* preemptPoint();
    }
  }
}
