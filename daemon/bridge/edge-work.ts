// A work item of the configuration: the edges that it has still to deal with, and what it does with each.
import { preemptPoint, queueWork, Work, type Workqueue } from '../../kernel/index.js';
import { type EdgeRecord, EdgeRing } from './edge-ring.js';

/** What a work item does with one edge; a promise when it waits for something outside of the model. */
export type PerformEdge = (record: EdgeRecord) => Promise<void> | undefined;

/** One item, queued for each edge; it may be pending only once, so the edges wait in a ring of its own. */
export class EdgeWork {
  readonly work: Work;
  readonly #queue: Workqueue;
  readonly #edges = new EdgeRing();

  /** @param waits whether `perform` returns promises: then the item is an async function, else a generator */
  constructor(name: string, queue: Workqueue, waits: boolean, perform: PerformEdge) {
    this.#queue = queue;
    this.work = new Work(waits ? () => this.#waiting(perform) : () => this.#running(perform), name);
  }

  /** Edges that found no room here. */
  get dropped(): number {
    return this.#edges.dropped;
  }

  /** Hands an edge over. Any context. */
  add(record: EdgeRecord): void {
    this.#edges.add(record);
    queueWork(this.#queue, this.work);
  }

  /** Forgets the edges that it has not begun with. @returns how many. */
  cancel(): number {
    return this.#edges.clear();
  }

  async #waiting(perform: PerformEdge): Promise<void> {
    for (let record = this.#edges.take(); record !== undefined; record = this.#edges.take()) await perform(record);
  }

  /** Other tasks, and I/O, get their turn after each edge. */
  *#running(perform: PerformEdge) {
    for (let record = this.#edges.take(); record !== undefined; record = this.#edges.take()) {
      perform(record);
      yield* preemptPoint();
    }
  }
}
