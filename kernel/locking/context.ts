// Who takes a lock, as far as lockdep is concerned: the running CPU, or an async function that goes on behind an await.
import type { Cpu } from '../sched/cpu.js';
import { current, runningCpu, thisCpu } from '../sched/current.js';

/** The CPU's state that decides what a lock may be used for. */
export type LockContext = Pick<Cpu, 'id' | 'machine' | 'current' | 'preemptCount' | 'irqsEnabled'>;

/** The caller's context. Behind an `await` that is plain process context, whatever the task's CPU is at. */
export function lockContext(): LockContext {
  const cpu = runningCpu();
  if (cpu !== undefined) return cpu;
  const { id, machine } = thisCpu();
  return { id, machine, current: current(), preemptCount: 0, irqsEnabled: true };
}
