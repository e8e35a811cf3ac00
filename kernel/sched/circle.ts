// Circles: work that has no end at one instant of virtual time, and what runs in it.
import { KernelError } from '../errno.js';
import type { Machine } from '../machine.js';
import type { Clock } from '../time/clock.js';
import { TRACEPOINT_NAMES } from '../trace/ring.js';
import { runningCpu } from './current.js';
import { contextOf } from './preempt.js';

/** Steps at one instant of virtual time after which the model is taken to run in a circle: in one call of the host's, and in all. */
const MAX_STEPS_A_PUMP = 2_000_000;
const MAX_STEPS_AT_ONCE = 20_000_000;
/** Of as many steps one is followed by a look at the clock: a power of two, less 1. */
const LOOK_MASK = 0xfff;
/** Trace records that are looked through for what goes round. */
const RECORDS = 64;

/** Counts the steps of all CPUs at one instant. */
export class CircleDetector {
  readonly #machine: Machine;
  readonly #clock: Clock;
  #steps = 0;
  #stepsAtPump = 0;
  #atNs = -1;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#clock = machine.clock;
  }

  /** The host lets the CPUs run. */
  begin(): void {
    this.#stepsAtPump = this.#steps;
  }

  /** Called after each step of a CPU. `EDEADLK` when virtual time does not move any more. */
  stepDone(): void {
    if ((++this.#steps & LOOK_MASK) === 0) this.#look();
  }

  #look(): void {
    const now = this.#clock.now();
    if (now !== this.#atNs) {
      this.#atNs = now;
      this.#restart();
      return;
    }
    if (this.#steps - this.#stepsAtPump <= MAX_STEPS_A_PUMP && this.#steps <= MAX_STEPS_AT_ONCE) return;
    this.#restart();
    throw noEndOfWork(this.#machine);
  }

  #restart(): void {
    this.#steps = 0;
    this.#stepsAtPump = 0;
  }
}

/** What is thrown where the machine finds no end of work: with the running context, and the last events of this instant. */
function noEndOfWork(machine: Machine): KernelError {
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
