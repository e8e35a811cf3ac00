import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { VirtualClock } from './clock.js';
import {
  initialJiffies,
  jiffies,
  jiffiesToMsecs,
  MAX_JIFFY_OFFSET,
  msecsToJiffies,
  roundJiffies,
  roundJiffiesRelative,
  roundJiffiesUp,
  roundJiffiesUpRelative,
  timeAfter,
  timeAfterEq,
  timeBefore,
  timeInRange,
  timeInRangeOpen,
  usecsToJiffies,
} from './jiffies.js';

describe('jiffies', () => {
  it.each([100, 250, 1000])('start five minutes before the wrap with HZ %i, and wrap', (hz) => {
    const machine = new Machine({ hz });
    const read = () => machine.runTask(() => jiffies());
    expect(read()).toBe(2 ** 32 - 300 * hz);
    machine.advance(299_999_999_999);
    expect(read()).toBe(0xffff_ffff);
    machine.advance(1);
    expect(read()).toBe(0);
  });

  it('count from the start of the machine, whatever its clock says then', () => {
    const clock = new VirtualClock(1_234_567_890);
    const machine = new Machine({ clock });
    clock.advance(3_999_999);
    expect(machine.runTask(() => jiffies())).toBe(initialJiffies(250));
    clock.advance(1);
    expect(machine.runTask(() => jiffies())).toBe(initialJiffies(250) + 1);
  });

  it('compare across the wrap', () => {
    expect(timeAfter(2, 0xffff_fffe)).toBe(true);
    expect(timeBefore(0xffff_fffe, 2)).toBe(true);
    expect(timeAfterEq(5, 5)).toBe(true);
    expect(timeAfter(5, 5)).toBe(false);
    expect(timeInRange(1, 0xffff_ffff, 1)).toBe(true);
    expect(timeInRangeOpen(1, 0xffff_ffff, 1)).toBe(false);
  });

  it('come at one of three rates', () => {
    expect(() => new Machine({ hz: 300 })).toThrow(/HZ is 100, 250 or 1000, not 300/);
  });
});

/** Facts of the recordings 43-msecs-to-jiffies, .hz100 and .hz1000. */
describe('conversions round as the kernel does', () => {
  it.each<[number, number[], number[], number]>([
    [250, [0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5], [1, 1, 2, 3], 4],
    [100, [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2], [1, 1, 1, 2], 10],
    [1000, Array.from({ length: 21 }, (_, ms) => ms), [1, 2, 5, 11], 1],
  ])('HZ %i', (hz, ofMs, ofUs, msPerJiffy) => {
    for (const [ms, expected] of ofMs.entries()) {
      expect(msecsToJiffies(ms, hz)).toBe(expected);
      expect(jiffiesToMsecs(expected, hz)).toBe(expected * msPerJiffy);
    }
    expect([1, 1001, 4001, 10_001].map((us) => usecsToJiffies(us, hz))).toEqual(ofUs);
    expect(msecsToJiffies(999, hz)).toBe(Math.ceil((999 * hz) / 1000));
    expect(msecsToJiffies(-1, hz)).toBe(MAX_JIFFY_OFFSET);
  });
});

describe.each([100, 250, 1000])('rounding jiffies with HZ %i', (hz) => {
  /** Rounds on a CPU, at 1.5 s. */
  const on = (cpu: number, body: (now: number) => void): void => {
    const machine = new Machine({ hz, cpus: 2 });
    machine.advance(1_500_000_000);
    machine.spawn('rounds', () => body(jiffies()), { cpusAllowed: 1 << cpu });
    machine.advance(1_000_000);
  };

  it('gives whole seconds, down from less than a quarter, of a time that is not past by that', () => {
    let rounded = 0;
    on(0, (now) => {
      for (let delay = 1; delay < 3 * hz; delay++) {
        const rest = (now + delay) % hz;
        const down = rest < Math.trunc(hz / 4);
        const whole = delay - rest + (down ? 0 : hz);
        expect(roundJiffies(now + delay)).toBe(now + (whole > 0 ? whole : delay));
        expect(roundJiffiesRelative(delay)).toBe(whole > 0 ? whole : delay);
        expect(roundJiffiesUp(now + delay)).toBe(now + delay - rest + hz);
        expect(roundJiffiesUpRelative(delay)).toBe(delay - rest + hz);
        rounded++;
      }
    });
    expect(rounded).toBe(3 * hz - 1);
  });

  it('keeps the CPUs three ticks apart', () => {
    const at: number[] = [];
    for (const cpu of [0, 1]) on(cpu, (now) => at.push(roundJiffiesUp(now + hz + Math.trunc(hz / 2))));
    const [first = 0, second = 0] = at;
    expect([first % hz, (second + 3) % hz]).toEqual([0, 0]);
  });
});
