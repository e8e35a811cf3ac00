// Functions called on other CPUs: where and in which context they run, what the caller waits for, and what is refused.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import { Machine } from '../machine.js';
import { localIrqDisable, localIrqEnable } from '../sched/core.js';
import { inHardirq, irqsDisabled, preemptCount, smpProcessorId } from '../sched/current.js';
import { mdelay, udelay } from '../time/delay.js';
import {
  onEachCpu,
  onEachCpuMask,
  smpCallFunction,
  smpCallFunctionMany,
  smpCallFunctionSingle,
} from './call-function.js';

const US = 1_000;

let log: string[];
let machine: Machine;

/** Runs a task on CPU 0 to its end. */
function onCpu0(body: () => Generator<number, void, unknown>): void {
  machine.spawn('caller', body, { cpusAllowed: 1 });
  machine.advance(1_000_000 * US);
}

beforeEach(() => {
  log = [];
  machine = new Machine({ cpus: 4, printk: (level, text) => log.push(`${level}: ${text}`) });
});

describe('smp_call_function_single', () => {
  it('runs the function in a hard interrupt of the other CPU, and comes back when it has returned', () => {
    const seen: unknown[] = [];
    onCpu0(function* () {
      yield* smpCallFunctionSingle(3, function* () {
        seen.push([smpProcessorId(), inHardirq()]);
        yield* udelay(30);
        seen.push(machine.clock.now());
      });
      seen.push(machine.clock.now());
    });
    expect([seen, log]).toEqual([[[3, true], 30 * US, 30 * US], []]);
  });

  it('does not wait when it is told so', () => {
    const seen: string[] = [];
    onCpu0(function* () {
      yield* smpCallFunctionSingle(
        3,
        function* () {
          yield* udelay(30);
          seen.push('function');
        },
        false,
      );
      seen.push('caller');
    });
    expect(seen).toEqual(['caller', 'function']);
  });

  it('calls it on the own CPU as a plain function, with interrupts off', () => {
    const seen: unknown[] = [];
    onCpu0(function* () {
      yield* smpCallFunctionSingle(0, function* () {
        seen.push([inHardirq(), irqsDisabled()]);
        yield* udelay(1);
      });
      seen.push([irqsDisabled(), preemptCount()]);
    });
    expect(seen).toEqual([
      [false, true],
      [false, 0],
    ]);
  });

  it('lets the caller take interrupts while it spins, and no other task', () => {
    const seen: string[] = [];
    onCpu0(function* () {
      machine.spawn('other', () => void seen.push('other task'), { cpusAllowed: 1, rtPriority: 90 });
      yield* smpCallFunctionSingle(2, function* () {
        machine.bootCpu.callFunction(() => {
          seen.push(`interrupt on ${smpProcessorId()}`);
          return 0;
        });
        yield* mdelay(1);
        seen.push('function');
      });
      seen.push('caller');
    });
    expect(seen).toEqual(['interrupt on 0', 'function', 'caller', 'other task']);
  });

  it('reports what the function throws, and lets the caller go on', () => {
    const seen: string[] = [];
    onCpu0(function* () {
      yield* smpCallFunctionSingle(1, () => {
        throw new KernelError('EIO', 'no');
      });
      seen.push('caller');
    });
    expect([seen, log.length, log[0]]).toEqual([['caller'], 1, expect.stringContaining('smp_call_function')]);
  });

  it('refuses a CPU that is not there: ENXIO', () => {
    const call = (): void => machine.runTask(() => smpCallFunctionSingle(4, () => {}));
    expect(call).toThrow(expect.objectContaining({ code: 'ENXIO' }));
  });

  it('warns once in interrupt context, and once with interrupts off', () => {
    onCpu0(function* () {
      for (let i = 0; i < 2; i++) {
        localIrqDisable();
        yield* smpCallFunctionSingle(1, () => {}, false);
        localIrqEnable();
        yield* udelay(1);
      }
    });
    expect(log.length).toBe(1);
    onCpu0(function* () {
      yield* smpCallFunctionSingle(1, function* () {
        yield* smpCallFunctionSingle(2, () => {}, false);
      });
    });
    expect(log.length).toBe(2);
  });
});

describe('functions for several CPUs', () => {
  const calledOn = (call: (fn: () => void) => Generator<number, unknown, unknown>): number[] => {
    const cpus: number[] = [];
    onCpu0(function* () {
      yield* call(() => void cpus.push(smpProcessorId()));
    });
    return cpus.sort();
  };

  it('run on all others, on those of a mask but the own, or on all', () => {
    expect(calledOn((fn) => smpCallFunction(fn))).toEqual([1, 2, 3]);
    expect(calledOn((fn) => smpCallFunctionMany(0b1101, fn))).toEqual([2, 3]);
    expect(calledOn((fn) => onEachCpuMask(0b0101, fn))).toEqual([0, 2]);
    expect(calledOn((fn) => onEachCpu(fn))).toEqual([0, 1, 2, 3]);
  });

  it('take as long as the slowest, since they run at the same time', () => {
    let done = 0;
    onCpu0(function* () {
      yield* onEachCpu(function* () {
        yield* udelay(10 * (1 + smpProcessorId()));
      });
      done = machine.clock.now();
    });
    expect(done).toBe(40 * US);
  });

  it('are all called, once each, however many tasks call them at once, and nobody waits for ever', () => {
    const call = fc.record({
      from: fc.nat({ max: 3 }),
      mask: fc.nat({ max: 15 }),
      us: fc.nat({ max: 5 }),
      wait: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 12 }), (calls) => {
        const own = new Machine({ cpus: 4, printk: (_, text) => expect.fail(text) });
        const counts = calls.map(() => [0, 0, 0, 0]);
        let ended = 0;
        for (const [i, { from, mask, us, wait }] of calls.entries()) {
          const body = function* () {
            const fn = function* () {
              yield* udelay(us);
              const count = counts[i] ?? [];
              count[smpProcessorId()] = (count[smpProcessorId()] ?? 0) + 1;
            };
            yield* onEachCpuMask(mask, fn, wait);
            if (wait) expect(counts[i]).toEqual([0, 1, 2, 3].map((cpu) => (mask >> cpu) & 1));
            ended++;
          };
          own.spawn(`caller${i}`, body, { cpusAllowed: 1 << from });
        }
        own.advance(1_000_000);
        expect(ended).toBe(calls.length);
        expect(counts).toEqual(calls.map(({ mask }) => [0, 1, 2, 3].map((cpu) => (mask >> cpu) & 1)));
      }),
      { numRuns: 100 },
    );
  });
});
