// What lockdep is told of timers: each is like a lock, held while its function runs and taken by who waits for that (lockdep_map).
import { lockContext } from '../locking/context.js';
import { LD_WAIT_INV, LockMap } from '../locking/held.js';
import { herePlace, kernelPlace } from '../locking/place.js';
import type { Cpu } from '../sched/cpu.js';
import type { TimerList } from './timer.js';

/** Frames between the user's code, which calls an effect, and here. */
const FRAMES = 24;

const CALL_TIMER_FN = { place: kernelPlace('call_timer_fn', 'kernel/time/timer.c') };

/** All timers whose functions have one name are alike. Those without a name have nothing in common. */
function mapOf(timer: TimerList): LockMap | undefined {
  const { name } = timer.fn;
  if (name === '') return undefined;
  timer.lockMap ??= new LockMap(`(&${name})`, LD_WAIT_INV, CALL_TIMER_FN.place);
  return timer.lockMap;
}

/** A timer's function is about to be called. */
export function acquireTimerMap(cpu: Cpu, timer: TimerList): void {
  const { lockdep } = cpu.machine;
  const map = lockdep?.on === true ? mapOf(timer) : undefined;
  if (map !== undefined) lockdep?.acquire(cpu, map, CALL_TIMER_FN);
}

/** Its function has ended. */
export function releaseTimerMap(cpu: Cpu, timer: TimerList): void {
  const { lockdep } = cpu.machine;
  const map = lockdep?.on === true ? mapOf(timer) : undefined;
  if (map !== undefined) lockdep?.release(cpu, map);
}

/** The caller is about to wait for a timer's function: it does so as with interrupts off, whatever they are. */
export function touchTimerMap(timer: TimerList): void {
  const { id, machine, current, preemptCount } = lockContext();
  const { lockdep } = machine;
  const map = lockdep?.on === true ? mapOf(timer) : undefined;
  if (map === undefined) return;
  const context = { id, machine, current, preemptCount, irqsEnabled: false };
  lockdep?.acquire(context, map, { place: herePlace(FRAMES) });
  lockdep?.release(context, map);
}
