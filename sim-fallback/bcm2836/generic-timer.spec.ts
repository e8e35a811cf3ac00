// The cores' own timers as system registers show them: compare, enable, mask, status, and the counter under them.
import { beforeEach, describe, expect, it } from 'vitest';
import { Machine } from '../../kernel/index.js';
import { VirtualClock } from '../../kernel/time/clock.js';
import { createSimulatedPi } from '../linux/simulated-pi.js';
import { CNT_CTL_ENABLE, CNT_CTL_IMASK, CNT_CTL_ISTATUS, GenericTimers } from './generic-timer.js';
import { CoreCounter, PRESCALER_ONE } from './local-timer.js';

const US = 1_000;
const HZ = 1_000_000;

describe('GenericTimers', () => {
  let clock: VirtualClock;
  let counter: CoreCounter;
  let timers: GenericTimers;
  let irqs: [number, number, boolean, number][];

  beforeEach(() => {
    clock = new VirtualClock();
    counter = new CoreCounter(clock, HZ);
    counter.setRate(PRESCALER_ONE, 1);
    irqs = [];
    timers = new GenericTimers({
      clock,
      counter,
      cores: 2,
      onIrq: (core, timer, asserted) => irqs.push([core, timer, asserted, clock.now()]),
    });
  });

  it('interrupt when the counter has reached the compare value, until that is moved or the timer is off', () => {
    timers.writeCompare(1, 3, 50);
    timers.writeControl(1, 3, CNT_CTL_ENABLE);
    clock.advance(60 * US);
    expect(timers.readControl(1, 3)).toBe(CNT_CTL_ENABLE | CNT_CTL_ISTATUS);
    timers.writeCompare(1, 3, 80);
    expect(timers.readControl(1, 3)).toBe(CNT_CTL_ENABLE);
    clock.advance(40 * US);
    timers.writeControl(1, 3, 0);
    expect(irqs).toEqual([
      [1, 3, true, 50 * US],
      [1, 3, false, 60 * US],
      [1, 3, true, 80 * US],
      [1, 3, false, 100 * US],
    ]);
  });

  it('keep their status while their interrupt is masked', () => {
    timers.writeCompare(0, 1, 10);
    timers.writeControl(0, 1, CNT_CTL_ENABLE | CNT_CTL_IMASK);
    clock.advance(20 * US);
    expect([timers.readControl(0, 1) & CNT_CTL_ISTATUS, irqs]).toEqual([CNT_CTL_ISTATUS, []]);
    timers.writeControl(0, 1, CNT_CTL_ENABLE);
    expect(irqs).toEqual([[0, 1, true, 20 * US]]);
  });

  it('go by the counter when its rate is changed, or when it stands still', () => {
    timers.writeCompare(0, 0, 100);
    timers.writeControl(0, 0, CNT_CTL_ENABLE);
    clock.advance(50 * US);
    counter.setRate(0, 1);
    clock.advance(1_000 * US);
    expect([timers.count, irqs]).toEqual([50, []]);
    counter.setRate(PRESCALER_ONE / 2, 1);
    clock.advance(200 * US);
    expect(irqs).toEqual([[0, 0, true, 1_150 * US]]);
  });

  it('refuse a core or a timer that is not there: EINVAL', () => {
    for (const [core, timer] of [
      [2, 0],
      [0, 4],
      [-1, 0],
    ] as const) {
      expect(() => timers.readControl(core, timer)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    }
  });
});

describe('the counter', () => {
  it('has the frequency of the chip', () => {
    const machine = new Machine({ cpus: 4 });
    const pi3 = createSimulatedPi({ machine, board: {}, soc: 'bcm2837' });
    const pi4 = createSimulatedPi({ machine, board: {}, soc: 'bcm2711' });
    machine.advance(10 * US);
    expect([pi3.soc.timers.count, pi4.soc.timers.count]).toEqual([192, 540]);
  });
});
