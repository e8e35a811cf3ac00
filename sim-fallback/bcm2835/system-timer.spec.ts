// The system timer as firmware sees it: the counter, its compares and their interrupts.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../kernel/time/clock.js';
import {
  SYSTIMER_C0,
  SYSTIMER_C1,
  SYSTIMER_C3,
  SYSTIMER_CHI,
  SYSTIMER_CLO,
  SYSTIMER_CS,
  SystemTimer,
} from './system-timer.js';

const US = 1_000;
const WRAP_US = 2 ** 32;

describe('SystemTimer', () => {
  let clock: VirtualClock;
  let warnings: string[];
  let irqs: [number, boolean, number][];
  let timer: SystemTimer;

  const make = (startUs: number): void => {
    clock = new VirtualClock(startUs * US);
    warnings = [];
    irqs = [];
    timer = new SystemTimer({
      clock,
      warn: (message) => warnings.push(message),
      onIrq: (compare, asserted) => irqs.push([compare, asserted, clock.now() / US]),
    });
  };

  beforeEach(() => make(0));

  it('counts microseconds in 64 bits, of which each half is a register', () => {
    clock.advance(1_999);
    expect([timer.read32(SYSTIMER_CLO), timer.read32(SYSTIMER_CHI)]).toEqual([1, 0]);
    make(3 * WRAP_US + 7);
    expect([timer.read32(SYSTIMER_CLO), timer.read32(SYSTIMER_CHI)]).toEqual([7, 3]);
  });

  it('matches a compare when the low half of the counter gets its value, and holds the interrupt until it is cleared', () => {
    timer.write32(SYSTIMER_C3, 50);
    timer.write32(SYSTIMER_C1, 20);
    clock.advance(100 * US);
    expect(irqs).toEqual([
      [1, true, 20],
      [3, true, 50],
    ]);
    expect(timer.read32(SYSTIMER_CS)).toBe(0b1010);
    timer.write32(SYSTIMER_CS, 0b1000);
    expect([timer.read32(SYSTIMER_CS), irqs[2]]).toEqual([0b0010, [3, false, 100]]);
  });

  it('keeps time still for no compare that was never written', () => {
    expect(clock.nextDueNs).toBe(Number.POSITIVE_INFINITY);
  });

  it('waits for the counter to wrap when a compare is written behind it', () => {
    make(1_000);
    timer.write32(SYSTIMER_C0, 999);
    clock.advance((WRAP_US - 2) * US);
    expect(irqs).toEqual([]);
    clock.advance(US);
    expect(irqs).toEqual([[0, true, WRAP_US + 999]]);
  });

  it('matches again each time that the counter has gone round', () => {
    timer.write32(SYSTIMER_C1, 10);
    for (let round = 0; round < 3; round++) {
      clock.advance(round === 0 ? 10 * US : WRAP_US * US);
      expect(timer.read32(SYSTIMER_CS)).toBe(0b10);
      timer.write32(SYSTIMER_CS, 0b10);
    }
    expect(irqs.filter(([, asserted]) => asserted).map(([, , at]) => at)).toEqual([10, WRAP_US + 10, 2 * WRAP_US + 10]);
  });

  it('lets the callback of an interrupt clear its match', () => {
    const heard: boolean[] = [];
    const own: SystemTimer = new SystemTimer({
      clock,
      warn: () => {},
      onIrq: (_, asserted) => {
        heard.push(asserted);
        if (asserted) own.write32(SYSTIMER_CS, 0xf);
      },
    });
    own.write32(SYSTIMER_C1, 5);
    clock.advance(10 * US);
    expect(heard).toEqual([true, false]);
  });

  it('warns of writes to the counter and of what is not in its map', () => {
    timer.write32(SYSTIMER_CLO, 1);
    timer.read32(0x1c);
    timer.write32(0x05, 1);
    expect(warnings).toEqual([
      'system timer: write to read-only register 0x20003004',
      'system timer: read of unmapped register 0x2000301c',
      'system timer: misaligned write to register 0x20003005',
    ]);
  });

  it('raises, over any writes and waits, what a counter that is looked at each microsecond raises', () => {
    const step = fc.record({
      waitUs: fc.nat({ max: 12 }),
      compare: fc.nat({ max: 3 }),
      aheadUs: fc.nat({ max: 20 }),
      clear: fc.nat({ max: 15 }),
    });
    fc.assert(
      fc.property(fc.nat({ max: 30 }), fc.array(step, { maxLength: 30 }), (before, steps) => {
        make(WRAP_US - before);
        const compares = [-1, -1, -1, -1];
        let matched = 0;
        for (const { waitUs, compare, aheadUs, clear } of steps) {
          for (let us = 0; us < waitUs; us++) {
            clock.advance(US);
            const low = (clock.now() / US) % WRAP_US;
            for (const [i, value] of compares.entries()) if (value === low) matched |= 1 << i;
          }
          expect(timer.read32(SYSTIMER_CS)).toBe(matched);
          timer.write32(SYSTIMER_CS, clear);
          matched &= ~clear;
          const value = (timer.read32(SYSTIMER_CLO) + aheadUs) % WRAP_US;
          timer.write32(SYSTIMER_C0 + 4 * compare, value);
          compares[compare] = value;
          const level = irqs.reduce((bits, [n, on]) => (on ? bits | (1 << n) : bits & ~(1 << n)), 0);
          expect(level).toBe(matched);
        }
      }),
      { numRuns: 200 },
    );
  });
});
