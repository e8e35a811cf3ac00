import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { preemptCount } from '../sched/current.js';
import { udelay } from '../time/delay.js';
import {
  AtomicT,
  atomicAddNegative,
  atomicAddReturn,
  atomicAddUnless,
  atomicCmpxchg,
  atomicDecAndTest,
  atomicDecIfPositive,
  atomicDecUnlessPositive,
  atomicFetchAnd,
  atomicFetchAndnot,
  atomicFetchOr,
  atomicFetchSub,
  atomicFetchXor,
  atomicInc,
  atomicIncAndTest,
  atomicIncNotZero,
  atomicIncUnlessNegative,
  atomicRead,
  atomicSet,
  atomicTryCmpxchg,
  atomicXchg,
} from './atomic.js';
import {
  BIT,
  bitmapWeight,
  changeBit,
  clearBit,
  declareBitmap,
  ffs,
  ffz,
  findFirstBit,
  findFirstZeroBit,
  findNextBit,
  findNextZeroBit,
  fls,
  forEachSetBit,
  GENMASK,
  hweight32,
  setBit,
  testAndChangeBit,
  testAndClearBit,
  testAndSetBit,
  testBit,
} from './bitops.js';
import {
  forEachPossibleCpu,
  getCpu,
  getCpuVar,
  PerCpu,
  perCpu,
  putCpu,
  putCpuVar,
  thisCpuInc,
  thisCpuSub,
  thisCpuXchg,
} from './percpu.js';

describe('atomic_t', () => {
  it('wraps at 32 bits', () => {
    const v = new AtomicT(0x7fff_ffff);
    expect(atomicAddReturn(1, v)).toBe(-0x8000_0000);
    expect(atomicFetchSub(1, v)).toBe(-0x8000_0000);
    expect(atomicRead(v)).toBe(0x7fff_ffff);
    expect(atomicAddNegative(1, v)).toBe(true);
    atomicSet(v, 0xffff_ffff);
    expect(atomicIncAndTest(v)).toBe(true);
  });

  it('gives the value before or after, and tells what it did', () => {
    const v = new AtomicT(1);
    expect(atomicDecAndTest(v)).toBe(true);
    expect(atomicIncNotZero(v)).toBe(false);
    expect(atomicAddUnless(v, 5, 1)).toBe(true);
    expect(atomicXchg(v, 0b1100)).toBe(5);
    expect([atomicFetchAnd(0b0111, v), atomicFetchOr(0b0011, v), atomicFetchXor(1, v)]).toEqual([12, 4, 7]);
    expect([atomicFetchAndnot(2, v), atomicRead(v)]).toEqual([6, 4]);
    expect([atomicCmpxchg(v, 3, 9), atomicCmpxchg(v, 4, 9), atomicRead(v)]).toEqual([4, 4, 9]);
    const old = { value: 1 };
    expect([atomicTryCmpxchg(v, old, 2), old.value, atomicTryCmpxchg(v, old, 0)]).toEqual([false, 9, true]);
    expect([atomicDecIfPositive(v), atomicRead(v), atomicDecUnlessPositive(v)]).toEqual([-1, 0, true]);
    expect([atomicIncUnlessNegative(v), atomicRead(v)]).toEqual([false, -1]);
  });

  it('counts right from many CPUs', () => {
    const v = new AtomicT();
    const machine = new Machine({ cpus: 4 });
    for (let cpu = 0; cpu < 4; cpu++) {
      machine.spawn(`t${cpu}`, function* () {
        for (let i = 0; i < 100; i++) {
          atomicInc(v);
          yield* udelay(1);
        }
      });
    }
    machine.advance(1_000_000_000);
    expect(atomicRead(v)).toBe(400);
  });
});

describe('bit operations', () => {
  it('do on a bitmap what they would do on a set of numbers', () => {
    const size = 100;
    const step = fc.tuple(fc.constantFrom('set', 'clear', 'change', 'tas', 'tac', 'tachg'), fc.nat(size - 1));
    fc.assert(
      fc.property(fc.array(step), fc.nat(size), (steps, from) => {
        const map = declareBitmap(size);
        const model = new Set<number>();
        for (const [op, bit] of steps) {
          const before = model.has(bit);
          expect(testBit(bit, map)).toBe(before);
          if (op === 'set') setBit(bit, map);
          if (op === 'clear') clearBit(bit, map);
          if (op === 'change') changeBit(bit, map);
          if (op === 'tas') expect(testAndSetBit(bit, map)).toBe(before);
          if (op === 'tac') expect(testAndClearBit(bit, map)).toBe(before);
          if (op === 'tachg') expect(testAndChangeBit(bit, map)).toBe(before);
          const after = op === 'set' || op === 'tas' || ((op === 'change' || op === 'tachg') && !before);
          if (after) model.add(bit);
          else model.delete(bit);
        }
        const all = Array.from({ length: size }, (_, bit) => bit);
        const set = all.filter((bit) => model.has(bit));
        const clear = all.filter((bit) => !model.has(bit));
        expect([...forEachSetBit(map, size)]).toEqual(set);
        expect(bitmapWeight(map, size)).toBe(set.length);
        expect(findFirstBit(map, size)).toBe(set[0] ?? size);
        expect(findFirstZeroBit(map, size)).toBe(clear[0] ?? size);
        expect(findNextBit(map, size, from)).toBe(set.find((bit) => bit >= from) ?? size);
        expect(findNextZeroBit(map, size, from)).toBe(clear.find((bit) => bit >= from) ?? size);
      }),
    );
  });

  it('know their numbers', () => {
    expect([BIT(0), BIT(31), GENMASK(7, 4), GENMASK(31, 0)]).toEqual([1, 0x8000_0000, 0xf0, 0xffff_ffff]);
    expect([ffs(0), ffs(1), ffs(0x8000_0000), fls(0), fls(1), fls(0x8000_0000)]).toEqual([0, 1, 32, 0, 1, 32]);
    expect([ffz(0), ffz(0b0111), hweight32(0xffff_ffff), hweight32(0)]).toEqual([0, 3, 32, 0]);
  });

  it('refuse a bit that is not there', () => {
    expect(() => setBit(64, declareBitmap(33))).toThrow('bit 64 of a bitmap of 64 bits');
    expect(() => setBit(2 ** 32, declareBitmap(33))).toThrow('bit 4294967296 of a bitmap of 64 bits');
    expect(() => setBit(-1, declareBitmap(33))).toThrow('bit -1 of');
    expect(() => testBit(-1, declareBitmap(33))).toThrow('bit -1');
  });
});

describe('per-CPU data', () => {
  it('is one value for each CPU and machine', () => {
    const counter = new PerCpu(() => 10);
    const machine = new Machine({ cpus: 3 });
    for (const cpu of [0, 1, 1]) machine.spawn('t', () => thisCpuInc(counter), { cpusAllowed: 1 << cpu });
    machine.advance(1000);
    expect(machine.runTask(() => forEachPossibleCpu().map((cpu) => perCpu(counter, cpu)))).toEqual([11, 12, 10]);
    expect(new Machine().runTask(() => perCpu(counter, 0))).toBe(10);
    expect(() => machine.runTask(() => perCpu(counter, 3))).toThrow('no CPU 3');
  });

  it('keeps its user on its CPU from get to put', () => {
    const counter = new PerCpu(() => 5);
    new Machine({ lockdep: false }).runTask(() => {
      expect([getCpuVar(counter), preemptCount()]).toEqual([5, 1]);
      expect(thisCpuXchg(counter, 7)).toBe(5);
      thisCpuSub(counter, 3);
      putCpuVar(counter);
      expect([perCpu(counter, getCpu()), preemptCount()]).toEqual([4, 1]);
      putCpu();
      expect(preemptCount()).toBe(0);
    });
  });
});
