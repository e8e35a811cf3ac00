// Circles: work that has no end at one instant of virtual time, and what runs in it.
import { KernelError } from '../errno.js';
import type { Machine } from '../machine.js';
import { TRACEPOINT_NAMES } from '../trace/ring.js';
import { runningCpu } from './current.js';
import { contextOf } from './preempt.js';

/** Trace records that are looked through for what goes round. */
const RECORDS = 64;

/** What is thrown where the machine finds no end of work: with the running context, and the last events of this instant. */
export function noEndOfWork(machine: Machine): KernelError {
  const { preemptCount, current } = runningCpu() ?? machine.bootCpu;
  const now = machine.clock.now();
  const events = new Set<string>();
  for (const { event, name, timeNs } of machine.trace.read(Math.max(0, machine.trace.written - RECORDS))) {
    if (timeNs === now) events.add(`${TRACEPOINT_NAMES[event] ?? event} ${name}`.trimEnd());
  }
  const last = events.size === 0 ? '' : `; last: ${[...events].join(', ')}`;
  const who = `${contextOf(preemptCount)} of ${current.comm}/${current.pid}`;
  return new KernelError('EDEADLK', `no end of work at ${now} ns: ${who} goes round in a circle${last}`, {
    hint: 'an interrupt line that its handler never clears, or a loop that waits without yield* of a delay',
  });
}
