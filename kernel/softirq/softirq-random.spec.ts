import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { localIrqDisable, localIrqEnable, preemptPoint } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { preemptCount, smpProcessorId } from '../sched/current.js';
import { SOFTIRQ_MASK, SOFTIRQ_OFFSET } from '../sched/preempt.js';
import { ndelay, usleepRange } from '../time/delay.js';
import { localBhDisable, localBhEnable, raiseSoftirq } from './softirq.js';

const VECTORS = [2, 3, 4, 5] as const;
const CPUS = 2;

const step = fc.record({
  what: fc.constantFrom('task', 'interrupt', 'bh off', 'bh on', 'irqs off', 'irqs on', 'busy', 'sleep'),
  vector: fc.constantFrom(...VECTORS),
  /** Of the vector, each time that it runs, until as often as this. */
  again: fc.nat(14),
  ns: fc.nat(3_000_000),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** What a program of random steps does on one CPU, checked as it goes. */
function watched(machine: Machine, takesNs: number) {
  const active = [0, 0];
  const unseen = machine.cpus.map(() => VECTORS.map(() => 0));
  const again = machine.cpus.map(() => VECTORS.map(() => 0));
  const wrong: string[] = [];
  const add = (table: number[][], at: number, by: number): void => {
    const row = table[smpProcessorId()] ?? [];
    row[at] = by === 0 ? 0 : (row[at] ?? 0) + by;
  };
  const raise = (at: number): void => {
    raiseSoftirq(VECTORS[at] ?? 0);
    add(unseen, at, 1);
  };
  for (const [at, vector] of VECTORS.entries()) {
    machine.softirqs.open(vector, function* () {
      const cpu = smpProcessorId();
      active[cpu] = (active[cpu] ?? 0) + 1;
      if (active[cpu] !== 1) wrong.push(`${vector} within another one`);
      if ((preemptCount() & SOFTIRQ_MASK) !== SOFTIRQ_OFFSET) wrong.push(`${vector} at ${preemptCount().toString(16)}`);
      add(unseen, at, 0);
      yield* ndelay(takesNs);
      if ((again[cpu]?.[at] ?? 0) > 0) {
        add(again, at, -1);
        raise(at);
      }
      active[cpu] = (active[cpu] ?? 0) - 1;
    });
  }
  const program = function* (steps: readonly Step[]): Coroutine<void> {
    let off = 0;
    for (const { what, vector, again: times, ns } of steps) {
      const at = VECTORS.indexOf(vector);
      if (what === 'task') raise(at);
      else if (what === 'interrupt') {
        add(again, at, times);
        machine.cpus[smpProcessorId()]?.callFunction(() => {
          raise(at);
          return 0;
        });
      } else if (what === 'bh off') {
        localBhDisable();
        off++;
      } else if (what === 'bh on' && off > 0) {
        localBhEnable();
        off--;
      } else if (what === 'irqs off') localIrqDisable();
      else if (what === 'irqs on') localIrqEnable();
      else if (what === 'busy' || off > 0) yield* ndelay(ns / 10);
      else if (what === 'sleep') {
        localIrqEnable();
        yield* usleepRange(ns / 1_000, ns / 1_000);
      }
      yield* preemptPoint();
    }
    for (; off > 0; off--) localBhEnable();
    localIrqEnable();
    yield* preemptPoint();
  };
  return { program, wrong, unseen };
}

it('what is raised is served, one at a time on a CPU and none within another, whatever happens in which order', () => {
  const program = fc.array(step, { maxLength: 25 });
  fc.assert(
    fc.property(program, program, fc.nat(400_000), fc.boolean(), (first, second, takesNs, threadirqs) => {
      const errors: unknown[] = [];
      const machine = new Machine({ cpus: CPUS, threadirqs, lockdep: false, onOops: (_, error) => errors.push(error) });
      const { program: run, wrong, unseen } = watched(machine, takesNs);
      for (const [cpu, steps] of [first, second].entries()) {
        machine.spawn(`random/${cpu}`, () => run(steps), { cpusAllowed: 1 << cpu });
      }
      machine.advance(2_000_000_000);
      expect([errors, wrong, unseen.flat().filter((times) => times > 0)]).toEqual([[], [], []]);
      for (const cpu of machine.cpus) {
        expect([cpu.softirqs.pending, cpu.softirqs.active, cpu.current.comm]).toEqual([0, false, `swapper/${cpu.id}`]);
      }
    }),
    { numRuns: 150 },
  );
});
