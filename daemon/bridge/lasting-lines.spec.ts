// Lines over a chip that goes and comes back, on the simulated chip in virtual time.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeSysfs, fakeSysfs } from '../../drivers/sysfs/fake-sysfs.spec-helper.js';
import { openSysfs } from '../../drivers/sysfs/sysfs.js';
import { type GpioChip, KernelError, type Level, type LineConfig } from '../../kernel/index.js';
import { failsWith } from '../../test/contract/backend.js';
import type { LastingLines } from './lasting-lines.js';
import {
  anew,
  BUTTON,
  device,
  hold,
  LED,
  other,
  pass,
  pi,
  press,
  RELAY,
  setUp,
  setUpEach,
  startTimer,
  told,
} from './lasting-lines.spec-helper.js';

setUpEach();

describe('a chip that goes and comes back', () => {
  it('is told of once, looked for, and has all its lines again', () => {
    const lines = hold([BUTTON, LED]);
    expect(lines.problem).toBeUndefined();
    device.unplug();
    pass(3_000);
    expect(told).toEqual(['gone']);
    expect(lines.problem).toMatch(/^the GPIO chip is gone: .*; it is waited for \(open: ENODEV/);
    expect(lines.waitingFor(4)).toBe('the chip is gone');
    failsWith('ENODEV', () => lines.getValue(17));
    failsWith('ENODEV', () => lines.setValue(4, 0));
    device.plug();
    pass(500);
    expect(told).toEqual(['gone', 'back as gpiochip0']);
    expect([lines.problem, lines.waitingFor(4)]).toEqual([undefined, undefined]);
    expect([lines.getValue(17), lines.getValue(4)]).toEqual([0, 1]);
  });

  it('gives an output the level that it was given last, and leaves one that keeps its level alone', () => {
    const lines = hold([LED, RELAY]);
    lines.setValue(4, 0);
    lines.setValue(5, 1);
    device.unplug();
    device.plug();
    pass(500);
    expect([4, 5].map((offset) => lines.getValue(offset))).toEqual([0, pi.pinctrl.level(5)]);
    // Nothing holds the pad of the relay while the chip is gone: it falls back to its pull.
    expect(lines.getValue(5)).toBe(1);
  });

  it('numbers the edges of its lines anew, brings them to the same sink, and says that some may be missing', () => {
    const lines = hold([BUTTON, LED]);
    const seen: number[] = [];
    lines.onEdges((batch) => {
      for (let i = 0; i < batch.count; i++) seen.push(batch.lineSeqno(i));
    });
    pass(1);
    press();
    expect(seen).toEqual([1, 2]);
    expect([lines.missed(17), lines.missed(4)]).toEqual([false, false]);
    device.unplug();
    pass(100);
    press();
    device.plug();
    pass(500);
    press();
    expect(seen).toEqual([1, 2, 1, 2]);
    expect(anew).toEqual([17, 4, 17, 4]);
    expect([lines.missed(17), lines.missed(4)]).toEqual([true, false]);
  });

  it('comes back as often as it goes, also while it is being taken', () => {
    const lines = hold([LED]);
    for (let round = 0; round < 5; round++) {
      device.unplug();
      pass(round * 700);
      device.plug();
      pass(500);
      expect(lines.getValue(4)).toBe(1);
    }
    expect(told.filter((text) => text === 'gone')).toHaveLength(5);
    let failures = 0;
    const flaky = hold([RELAY], {
      comeback: {
        reopen: () => {
          const chip = device.open();
          if (failures++ < 2) device.unplug();
          return chip;
        },
        startTimer,
      },
    });
    device.unplug();
    for (let i = 0; i < 4; i++) {
      device.plug();
      pass(500);
    }
    expect(failures).toBe(3);
    expect(flaky.problem).toBeUndefined();
  });

  it('is not looked for without a way to open it, nor after the end', () => {
    const lines = hold([LED], { comeback: undefined });
    device.unplug();
    pass(1);
    expect(lines.problem).toBe('the GPIO chip is gone: the chip: ENODEV: No such device');
    let looks = 0;
    const reopen = (): GpioChip => {
      looks++;
      return device.open();
    };
    device.plug();
    const ended = hold([RELAY], { comeback: { reopen, startTimer } });
    device.unplug();
    pass(1);
    ended.close();
    pass(5_000);
    expect(looks).toBe(0);
  });

  it('waits for a line that somebody took meanwhile, with the others held', () => {
    const lines = hold([BUTTON, LED]);
    device.unplug();
    pass(100);
    const taken = other({ offset: 4, direction: 'in' });
    device.plug();
    pass(500);
    expect(told).toEqual(['gone', "4 held by 'w1-gpio'", 'back as gpiochip0']);
    expect(lines.getValue(17)).toBe(0);
    taken.release();
    pass(1);
    expect(told.at(-1)).toBe('4 held');
    expect(lines.getValue(4)).toBe(1);
  });
});

describe('a line that is refused when its chip is back', () => {
  /** The chip, when it has come back, is without pull resistors. */
  const withoutBias = (): GpioChip => {
    const chip = device.open();
    const request = chip.requestLines.bind(chip);
    chip.requestLines = (options) => {
      if (options.lines.some(({ bias }) => bias === 'pull-up')) throw new KernelError('ENOTSUP', 'no pulls here');
      return request(options);
    };
    return chip;
  };

  it('keeps none of the others from being held', () => {
    const lines = hold([BUTTON, LED], { comeback: { reopen: withoutBias, startTimer } });
    device.unplug();
    pass(1);
    device.plug();
    pass(600);
    expect([lines.problem, lines.getValue(4)]).toEqual(['line17 is refused: no pulls here', 1]);
    expect(told).toEqual(['gone', '17 refused: no pulls here', 'back as gpiochip0']);
    lines.update([{ ...BUTTON, bias: 'as-is' }, LED]);
    expect(lines.problem).toBeUndefined();
  });

  it('is asked for again and again when there is no other', () => {
    let refuses = true;
    const reopen = (): GpioChip => (refuses ? withoutBias() : device.open());
    const lines = hold([BUTTON], { comeback: { reopen, startTimer } });
    device.unplug();
    pass(1);
    device.plug();
    pass(600);
    expect(lines.problem).toMatch(/^the GPIO chip is gone: .*; it is waited for \(no pulls here\)$/);
    refuses = false;
    pass(600);
    expect(lines.problem).toBeUndefined();
  });
});

describe('a chip that is not there yet', () => {
  const absent = new KernelError('ENOENT', "no chip labelled 'expander' on this machine");
  const wait = (reopen: () => GpioChip): LastingLines =>
    hold([BUTTON, LED], { chip: pi.chip.open(), absent, comeback: { reopen, startTimer } });

  it('is told of, looked for, and has all its lines when it comes', () => {
    let there = false;
    const lines = wait(() => {
      if (!there) throw absent;
      return device.open();
    });
    expect(told).toEqual(['gone']);
    expect(lines.problem).toMatch(/^the GPIO chip is not there: no chip labelled 'expander'.*; it is waited for/);
    expect(lines.waitingFor(17)).toBe('the chip is not there');
    failsWith('ENODEV', () => lines.setValue(4, 0));
    pass(3_000);
    there = true;
    pass(500);
    expect(told).toEqual(['gone', 'back as gpiochip0']);
    expect([lines.problem, lines.getValue(4), lines.missed(17), anew]).toEqual([undefined, 1, false, [17, 4]]);
    device.unplug();
    pass(1);
    expect([lines.waitingFor(4), lines.missed(17)]).toEqual(['the chip is gone', true]);
  });

  it('is looked for no more once the service ends', () => {
    let looks = 0;
    const lines = wait(() => {
      looks++;
      throw absent;
    });
    pass(1_200);
    lines.close();
    pass(3_000);
    expect(looks).toBe(2);
  });

  it('has the lines of the configuration that there is by then', () => {
    let there = false;
    const lines = wait(() => {
      if (!there) throw absent;
      return device.open();
    });
    lines.update([RELAY]);
    there = true;
    pass(500);
    expect(anew).toEqual([5]);
  });
});

describe('a driver that does not tell that its chip is gone', () => {
  const CHIP = { name: 'gpiochip0', label: 'pinctrl-rp1', base: 571, lines: 54, parent: 'axi/rp1' } as const;
  let root: string;
  let sysfs: FakeSysfs;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'gpio-irqd-lasting-'));
    sysfs = fakeSysfs(root);
    sysfs.chip(CHIP);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('is asked, also when no line is read or set, and again after the chip came back', () => {
    const reopen = (): GpioChip => openSysfs(CHIP.name, sysfs);
    const lines: LineConfig[] = [{ offset: 17, direction: 'in', edge: 'both' }, LED];
    const lasting = hold(lines, { chip: reopen(), comeback: { reopen, startTimer } });
    for (const round of [1, 2]) {
      pass(5_000);
      expect(told).toHaveLength(2 * (round - 1));
      sysfs.remove(CHIP.base);
      pass(2_500);
      expect(told.at(-1)).toBe('gone');
      failsWith('ENODEV', () => lasting.getValue(17));
      sysfs.chip(CHIP);
      pass(1_000);
      expect(told.at(-1)).toBe('back as gpiochip0');
      expect(lasting.getValue(4)).toBe(1);
    }
    expect(told).toEqual(['gone', 'back as gpiochip0', 'gone', 'back as gpiochip0']);
  });

  it('is asked every 2 s, however often a call found it gone before, and for each of its lines', () => {
    let asked = 0;
    const reopen = (): GpioChip => {
      const chip = openSysfs(CHIP.name, sysfs);
      const { lineInfo } = chip;
      chip.lineInfo = (offset) => {
        asked += 1;
        return lineInfo.call(chip, offset);
      };
      return chip;
    };
    const lasting = hold([LED, { offset: 17, direction: 'in' }], { chip: reopen(), comeback: { reopen, startTimer } });
    for (let round = 0; round < 5; round++) {
      sysfs.remove(CHIP.base);
      failsWith('ENODEV', () => lasting.getValue(4));
      sysfs.chip(CHIP);
      pass(500);
      expect(told.at(-1)).toBe('back as gpiochip0');
    }
    asked = 0;
    pass(20_000);
    expect(asked).toBe(10 * 2);
    sysfs.exported.get(CHIP.base + 17)?.unexport();
    pass(2_500);
    expect(told.slice(-2)).toEqual(['gone', 'back as gpiochip0']);
    expect(lasting.getValue(17)).toBe(0);
  });

  it('is not looked for when it is gone before the lines were taken', () => {
    const chip = openSysfs(CHIP.name, sysfs);
    let looks = 0;
    const reopen = (): GpioChip => {
      looks += 1;
      return openSysfs(CHIP.name, sysfs);
    };
    sysfs.remove(CHIP.base);
    failsWith('ENODEV', () => hold([LED], { chip, comeback: { reopen, startTimer } }));
    sysfs.chip(CHIP);
    pass(10_000);
    expect(looks).toBe(0);
    expect(openSysfs(CHIP.name, sysfs).lineInfo(4).used).toBe(false);
  });

  it('is asked no more once the lines were let go of', () => {
    const reopen = (): GpioChip => openSysfs(CHIP.name, sysfs);
    hold([LED], { chip: reopen(), comeback: { reopen, startTimer } }).close();
    sysfs.remove(CHIP.base);
    pass(10_000);
    expect(told).toEqual([]);
  });
});

describe('whatever becomes of the chip and its lines', () => {
  const LINES: readonly LineConfig[] = [BUTTON, LED, RELAY];
  const step = fc.oneof(
    fc.constantFrom('unplug', 'plug', 'set', 'free'),
    fc.record({ take: fc.constantFrom(...LINES.map(({ offset }) => offset)) }),
    fc.record({ pass: fc.integer({ min: 0, max: 1_200 }) }),
  );

  it('a line is held by one side or by nobody, is told of at each change, and is held in the end', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        setUp();
        const lasting = hold(LINES);
        const taken = new Map<number, { release(): void }>();
        const free = (): void => {
          for (const held of taken.values()) held.release();
          taken.clear();
        };
        let led: Level = lasting.getValue(4);
        for (const one of steps) {
          if (one === 'unplug') device.unplug();
          else if (one === 'plug') device.plug();
          else if (one === 'free') free();
          else if (one === 'set' && lasting.waitingFor(4) === undefined) {
            led = led === 1 ? 0 : 1;
            lasting.setValue(4, led);
          } else if (typeof one === 'object' && 'pass' in one) pass(one.pass);
          else if (typeof one === 'object' && !pi.chip.lineInfo(one.take).used) {
            taken.set(one.take, other({ offset: one.take, direction: 'in' }));
          }
          // What is told of comes at once, and not before.
          pass(0);
          for (const { offset } of LINES) {
            if (lasting.waitingFor(offset) === undefined) lasting.getValue(offset);
            else expect(() => lasting.getValue(offset)).toThrow(KernelError);
          }
        }
        free();
        device.plug();
        pass(1_100);
        expect(lasting.problem).toBeUndefined();
        expect(LINES.map(({ offset }) => pi.chip.lineInfo(offset).consumer)).toEqual(['test', 'test', 'test']);
        expect(lasting.getValue(4)).toBe(led);
        const count = (text: string): number => told.filter((one) => one.startsWith(text)).length;
        expect(count('gone')).toBe(count('back'));
        lasting.close();
        expect(LINES.map(({ offset }) => pi.chip.lineInfo(offset).used)).toEqual([false, false, false]);
      }),
      { numRuns: 60 },
    );
  });
});
