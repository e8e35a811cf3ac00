// FairSlice: when the running fair task of one CPU has to give the next one its turn.
import type { Alarm } from '../time/clock.js';
import type { Cpu } from './cpu.js';
import type { Task } from './task.js';

/** The alarm at the end of a fair task's slice; it is set only while another fair task waits. */
export class FairSlice {
  readonly #cpu: Cpu;
  readonly #alarm: Alarm;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
    this.#alarm = cpu.machine.clock.createAlarm(() => this.#end());
  }

  /** `next` runs from now on: since the last account, which was just made. */
  arm(next: Task): void {
    const { rq, machine } = this.#cpu;
    if (next.policy === 'SCHED_NORMAL' && rq.fairLength > 1) {
      this.#alarm.schedule(machine.clock.lastNs + Math.max(0, rq.turnLeftNs));
    } else if (this.#alarm.scheduled) {
      this.#alarm.cancel();
    }
  }

  /** A task was put on the queue that does not come before the running one. */
  joined(running: Task): void {
    if (this.#cpu.rq.fairLength !== 2 || this.#alarm.scheduled) return;
    this.#cpu.charge();
    this.arm(running);
  }

  /** The slice is over, unless interrupts took a part of it. */
  #end(): void {
    const cpu = this.#cpu;
    cpu.charge();
    // Less than a nanosecond is none: time would stand still for it.
    if (cpu.rq.turnLeftNs >= 1) this.arm(cpu.current);
    else cpu.reschedule();
  }
}
