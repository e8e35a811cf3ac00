// High-resolution timers: exact deadlines, called in the hard timer interrupt of their CPU, first in first out when equal.
import { DONE, type Outcome } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { LocalVector } from '../sched/cpu.js';
import { type Alarm, AlarmQueue } from './clock.js';

/** The timers of one CPU, and the clock event device that interrupts for the first of them. */
export class HrtimerBase {
  readonly #cpu: Cpu;
  readonly #queue: AlarmQueue;
  readonly #device: Alarm;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
    this.#queue = new AlarmQueue(() => this.#program());
    this.#device = cpu.machine.clock.createAlarm(() => cpu.raiseLocal(LocalVector.timer));
  }

  /** A timer on this CPU; `callback` runs in hard interrupt context and may not sleep or take time. */
  create(callback: () => void): Alarm {
    return this.#queue.create(callback);
  }

  /** The timer interrupt: calls everything that is due. */
  interrupt(): Outcome {
    const now = this.#cpu.machine.clock.now();
    while (this.#queue.fireOne(now));
    this.#program();
    return DONE;
  }

  #program(): void {
    const due = this.#queue.nextDueNs;
    if (due === Number.POSITIVE_INFINITY) this.#device.cancel();
    else this.#device.schedule(due);
  }
}
