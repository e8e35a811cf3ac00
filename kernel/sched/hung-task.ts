// Hung tasks: those that sleep uninterruptibly for longer than anything should take (kernel/hung_task.c).
import type { Machine } from '../machine.js';
import type { Alarm } from '../time/clock.js';
import { TASK_UNINTERRUPTIBLE, type Task } from './task.js';

const NSEC_PER_SEC = 1_000_000_000;
/** Reports after which no more are made (sysctl kernel.hung_task_warnings). */
const MAX_WARNINGS = 10;

/**
 * Watches the tasks in state D, but for the time of a suspend. Each is reported once a sleep; nothing is armed while there is none to report, so that a
 * machine in which all tasks are stuck comes to rest.
 */
export class HungTaskDetector {
  readonly #machine: Machine;
  readonly #timeoutNs: number;
  readonly #alarm: Alarm;
  readonly #blocked = new Set<Task>();
  #warningsLeft = MAX_WARNINGS;

  /** `timeoutSecs` 0 turns it off, and so does `Infinity`. */
  constructor(machine: Machine, timeoutSecs: number) {
    this.#machine = machine;
    this.#timeoutNs = timeoutSecs * NSEC_PER_SEC;
    this.#alarm = machine.clock.createAlarm(() => this.#check());
  }

  /** Called by the scheduler when a task goes to sleep in TASK_UNINTERRUPTIBLE. */
  blocks(task: Task): void {
    if (this.#timeoutNs === 0 || this.#timeoutNs === Number.POSITIVE_INFINITY) return;
    task.blockedSinceNs = this.#machine.clock.now();
    task.reportedHung = false;
    this.#blocked.add(task);
    if (!this.#alarm.scheduled) this.#alarm.schedule(task.blockedSinceNs + this.#timeoutNs);
  }

  /** Called by the scheduler when it wakes. */
  unblocks(task: Task): void {
    task.blockedSinceNs = -1;
    this.#blocked.delete(task);
    if (this.#blocked.size === 0) this.#alarm.cancel();
  }

  /** It was reported, sleeps still, and no time-out will wake it. */
  isHung(task: Task): boolean {
    return task.reportedHung && !task.timedSleep && this.#blocked.has(task);
  }

  #check(): void {
    const now = this.#machine.clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const task of this.#blocked) {
      const due = task.blockedSinceNs + this.#timeoutNs;
      if (task.reportedHung || task.state !== TASK_UNINTERRUPTIBLE) continue;
      if (due > now) next = Math.min(next, due);
      else if (this.#machine.power.inTransition) next = Math.min(next, now + this.#timeoutNs);
      else this.#report(task, now);
    }
    if (next !== Number.POSITIVE_INFINITY) this.#alarm.schedule(next);
  }

  #report(task: Task, now: number): void {
    task.reportedHung = true;
    if (this.#warningsLeft === 0) return;
    this.#warningsLeft--;
    const seconds = Math.floor((now - task.blockedSinceNs) / NSEC_PER_SEC);
    const lines = [
      `INFO: task ${task.comm}:${task.pid} blocked for more than ${seconds} seconds.`,
      '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
      `task:${task.comm.padEnd(15)} state:${task.stateLetter} pid:${String(task.pid).padEnd(5)}`,
    ];
    const { blockedOn } = task;
    if (blockedOn !== undefined) {
      const owner = blockedOn.owner;
      lines.push(
        ` waits for ${blockedOn.describe}${owner === undefined ? '' : `, held by ${owner.comm}/${owner.pid}`}`,
      );
    }
    this.#machine.printk('err', lines.join('\n'));
    if (this.#warningsLeft > 0) return;
    this.#machine.printk('info', 'Future hung task reports are suppressed, see sysctl kernel.hung_task_warnings');
  }
}
