// Interrupts between CPUs under load, on each chip that has them: nothing is lost, nobody waits for ever, and all are counted.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Completion,
  complete,
  localIrqRestore,
  localIrqSave,
  Machine,
  onEachCpuMask,
  smpProcessorId,
  udelay,
  waitForCompletion,
} from '../../kernel/index.js';
import { createSimulatedPi } from './simulated-pi.js';

const CPUS = [0, 1, 2, 3];

function countsOf(machine: Machine, what: string): number[] {
  const line =
    machine.files
      .read('/proc/interrupts')
      .split('\n')
      .find((text) => text.endsWith(what)) ?? '';
  return line
    .slice(line.indexOf(':') + 1)
    .trim()
    .split(/\s+/)
    .slice(0, CPUS.length)
    .map(Number);
}

describe.each(['bcm2837', 'bcm2711'] as const)('CPUs of a %s', (soc) => {
  it('call each other and wake each other, however many do so at once and with interrupts off now and then', () => {
    const job = fc.record({
      from: fc.nat({ max: 3 }),
      mask: fc.nat({ max: 15 }),
      us: fc.nat({ max: 5 }),
      wait: fc.boolean(),
      wakes: fc.nat({ max: 3 }),
      offUs: fc.nat({ max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(job, { minLength: 1, maxLength: 10 }), (jobs) => {
        const log: string[] = [];
        const machine = new Machine({ cpus: 4, printk: (level, text) => level !== 'info' && log.push(text) });
        createSimulatedPi({ machine, board: {}, soc });
        const ran = jobs.map(() => CPUS.map(() => 0));
        let ended = 0;
        let woken = 0;
        for (const [i, { from, mask, us, wait, wakes, offUs }] of jobs.entries()) {
          const done = new Completion();
          const sleeper = function* () {
            yield* waitForCompletion(done);
            woken++;
          };
          const caller = function* () {
            const flags = localIrqSave();
            yield* udelay(offUs);
            localIrqRestore(flags);
            const fn = function* () {
              yield* udelay(us);
              const counts = ran[i] ?? [];
              counts[smpProcessorId()] = (counts[smpProcessorId()] ?? 0) + 1;
            };
            yield* onEachCpuMask(mask, fn, wait);
            complete(done);
            ended++;
          };
          machine.spawn(`sleeper${i}`, sleeper, { cpusAllowed: 1 << wakes, rtPriority: 10 });
          machine.spawn(`caller${i}`, caller, { cpusAllowed: 1 << from });
        }
        machine.advance(1_000_000);
        expect([ended, woken, log]).toEqual([jobs.length, jobs.length, []]);
        expect(ran).toEqual(jobs.map(({ mask }) => CPUS.map((cpu) => (mask >> cpu) & 1)));
        const asked = CPUS.map(
          (cpu) => jobs.filter(({ from, mask }) => from !== cpu && ((mask >> cpu) & 1) !== 0).length,
        );
        for (const [cpu, count] of countsOf(machine, 'Function call interrupts').entries()) {
          const most = asked[cpu] ?? 0;
          expect(count).toBeLessThanOrEqual(most);
          if (most > 0) expect(count).toBeGreaterThan(0);
        }
      }),
      { numRuns: 60 },
    );
  });
});
