// The tasklet part of a line's interrupt: line operations right after the top half, in TASKLET softirq.
import { Tasklet, taskletSchedule } from '../../kernel/index.js';
import type { OccasionLine } from '../actions/occasion.js';
import type { AtomicAction } from '../config/action-types.js';
import { prepareLimited } from './actions.js';
import { EdgeRing } from './edge-ring.js';
import type { ActionHost } from './host.js';

/** A tasklet that is scheduled runs once, however often: the edges wait in a ring of its own, and it deals with each. */
export class EdgeTasklet {
  readonly tasklet: Tasklet;
  readonly #edges = new EdgeRing();

  /** `ENOENT` for a line that there is not. */
  constructor(host: ActionHost, of: OccasionLine, actions: readonly AtomicAction[]) {
    const prepared = actions.map((action) => ({ line: action.line, perform: prepareLimited(host, action) }));
    this.tasklet = new Tasklet(() => {
      let limited = 0;
      for (let level = this.#edges.takeLevel(); level !== undefined; level = this.#edges.takeLevel()) {
        for (const { line, perform } of prepared) {
          try {
            const got = perform(level);
            if (got === undefined) limited++;
            else host.onValue(line, got, host.nowNs());
          } catch (error) {
            host.onError(of.name, error);
          }
        }
      }
      if (limited > 0) host.onLimited(of.name, limited);
    });
    this.tasklet.name = `${of.name}.tasklet`;
  }

  /** Edges that found no room here. */
  get dropped(): number {
    return this.#edges.dropped;
  }

  /** Hands an edge over. Hard interrupt context; allocates nothing. */
  push(stampNs: number, rising: boolean, lineSeqno: number, sinceLastNs: number): void {
    this.#edges.push(stampNs, rising, lineSeqno, sinceLastNs, stampNs, 0, 0);
    taskletSchedule(this.tasklet);
  }

  /** Forgets the edges that it has not begun with. @returns how many. */
  cancel(): number {
    return this.#edges.clear();
  }
}
