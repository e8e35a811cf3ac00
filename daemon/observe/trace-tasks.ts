// What a trace says of tasks: their names, and whether one that goes off its CPU sleeps or was preempted.

import { Tracepoint, type TraceRecord } from '../../kernel/index.js';

/** What ps and ftrace show of a task that goes: it sleeps, or could run on. */
export type PrevState = 'S' | 'R';

/** Priorities as the kernel has them inside: 0 is the most urgent. */
const PRIO_OF_FIFO_50 = 49;
const PRIO_OF_NICE_0 = 120;

/** Names and states, out of a whole trace. */
export class TraceTasks {
  readonly #comms = new Map<number, string>();
  /** By number of the record of a sched_switch. */
  readonly #states = new Map<number, PrevState>();

  constructor(records: readonly TraceRecord[]) {
    // Backwards: what happens to a task next tells why it went.
    const next = new Map<number, PrevState>();
    for (let i = records.length - 1; i >= 0; i--) {
      const record = records[i];
      if (record === undefined) continue;
      const { event, a, b, name, index } = record;
      if (event === Tracepoint.schedWakeup) {
        this.#comms.set(a, name);
        next.set(a, 'S');
      } else if (event === Tracepoint.schedSwitch) {
        this.#comms.set(b, name);
        this.#states.set(index, a === 0 ? 'R' : (next.get(a) ?? 'S'));
        next.set(b, 'R');
      }
    }
  }

  /** `swapper/N` for the task of an idle CPU, `<...>` for one whose name was not in the trace, as ftrace has it. */
  comm(pid: number, cpu: number): string {
    return pid === 0 ? `swapper/${cpu}` : (this.#comms.get(pid) ?? '<...>');
  }

  /** @param index number of the record of the sched_switch by which the task went */
  prevState(index: number): PrevState {
    return this.#states.get(index) ?? 'S';
  }

  /** Threads of interrupts are SCHED_FIFO 50; the others as they are unless told otherwise. */
  prio(comm: string): number {
    return comm.startsWith('irq/') ? PRIO_OF_FIFO_50 : PRIO_OF_NICE_0;
  }
}
