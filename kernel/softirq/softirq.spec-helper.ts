// A machine whose tasklets and softirqs log where they run.
import { Machine } from '../machine.js';
import type { MachineOptions } from '../machine-options.js';
import { preemptPoint, schedSetFifoLow } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { context, current, preemptCount } from '../sched/current.js';
import { usleepRange } from '../time/delay.js';
import { Tasklet } from './tasklet.js';

/** A machine that keeps what it prints, and makes tasklets that log their context and their task. */
export function taskletRig(cpus = 1) {
  const log: string[] = [];
  const printed: string[] = [];
  const machine = new Machine({ cpus, printk: (level, text) => printed.push(`${level}: ${text}`) });
  const tasklet = (name: string, body?: () => Coroutine<void>): Tasklet =>
    new Tasklet(
      body ??
        (() => {
          log.push(`${name} ${context()} ${current().comm}`);
        }),
    );
  return { log, printed, machine, tasklet };
}

/** A machine that keeps what it prints; `at` logs the context with preempt_count and ksoftirqd. */
export function softirqRig(options: MachineOptions = {}) {
  const log: string[] = [];
  const printed: string[] = [];
  const machine = new Machine({ ...options, printk: (level, text) => printed.push(`${level}: ${text}`) });
  const at = (what: string) => {
    const on = current().comm.startsWith('ksoftirqd') ? ' ksoftirqd' : '';
    log.push(`${what} ${context()} ${preemptCount().toString(16)}${on}`);
  };
  /** Runs a function in a hard interrupt. */
  const hard = function* (fn: () => void): Coroutine<void> {
    machine.bootCpu.callFunction(() => {
      fn();
      return 0;
    });
    yield* preemptPoint();
  };
  /** Runs a task of SCHED_FIFO, and 5 ms more. @returns the log */
  const run = (body: () => Coroutine<void>) => {
    machine.runTask(function* () {
      schedSetFifoLow(current());
      yield* preemptPoint();
      yield* body();
      yield* usleepRange(5000, 5000);
    });
    return log;
  };
  return { log, printed, machine, at, hard, run };
}
