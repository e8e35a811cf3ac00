// What wakes a suspended machine up, and ends a suspend under way (drivers/base/power/wakeup.c).
import type { Machine } from '../machine.js';
import { thisCpu } from '../sched/current.js';
import type { Task } from '../sched/task.js';
import { WaitQueueHead, wakeUp } from '../sched/wait.js';

/** Where a suspend to idle is. */
export type S2idleState = 'none' | 'enter' | 'wake';

/** What a machine knows of its own suspend. */
export class PowerState {
  /** A suspend or resume is under way (system_transition_mutex). */
  inTransition = false;
  /** Freezable tasks are to freeze (pm_nosig_freezing). */
  freezing = false;
  /** Tasks that may be frozen, and those that are. */
  readonly freezable = new WeakSet<Task>();
  readonly frozen = new Set<Task>();
  /** Above 0, a suspend ends (pm_abort_suspend). */
  abortSuspend = 0;
  /** The interrupts that have woken it up; 0 for none. A third one is not noted. */
  wakeupIrq = 0;
  secondWakeupIrq = 0;
  s2idleState: S2idleState = 'none';
  readonly s2idleWait = new WaitQueueHead();
}

/** Wakes the machine up, or keeps it from being suspended, if that is under way (pm_system_wakeup). Any context of the model. */
export function pmSystemWakeup(): void {
  systemWakeup(thisCpu().machine);
}

function systemWakeup({ power }: Machine): void {
  power.abortSuspend++;
  if (power.s2idleState === 'none') return;
  power.s2idleState = 'wake';
  wakeUp(power.s2idleWait);
}

/** Takes back one {@link pmSystemWakeup} that has not ended a suspend yet (pm_system_cancel_wakeup). Any context of the model. */
export function pmSystemCancelWakeup(): void {
  const { power } = thisCpu().machine;
  if (power.abortSuspend > 0) power.abortSuspend--;
}

/** Forgets a wake-up by an interrupt, or, with 0, by whatever (pm_wakeup_clear). Any context of the model. */
export function pmWakeupClear(irq: number): void {
  const { power } = thisCpu().machine;
  power.wakeupIrq = irq !== 0 && power.wakeupIrq === irq ? power.secondWakeupIrq : 0;
  power.secondWakeupIrq = 0;
  if (irq === 0) power.abortSuspend = 0;
}

/** An interrupt wakes the machine up (pm_system_irq_wakeup). Hard interrupt context. */
export function pmSystemIrqWakeup(machine: Machine, irq: number): void {
  const { power } = machine;
  if (power.wakeupIrq === 0) power.wakeupIrq = irq;
  else if (power.secondWakeupIrq === 0) power.secondWakeupIrq = irq;
  else return;
  systemWakeup(machine);
}

/** The first interrupt that has woken the machine up since the last suspend began; 0 for none (pm_wakeup_irq). Any context of the model. */
export function pmWakeupIrq(): number {
  return thisCpu().machine.power.wakeupIrq;
}

/** True when a suspend under way has to end (pm_wakeup_pending). Any context of the model. */
export function pmWakeupPending(): boolean {
  return thisCpu().machine.power.abortSuspend > 0;
}
