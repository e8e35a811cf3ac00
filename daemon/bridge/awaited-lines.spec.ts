// Lines that somebody else has: waited for, and taken as soon as they are free.
import { describe, expect, it } from 'vitest';
import { KernelError, type Level, type LineConfig } from '../../kernel/index.js';
import { failsWith } from '../../test/contract/backend.js';
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
  setUpEach,
  told,
} from './lasting-lines.spec-helper.js';

setUpEach();

describe('a line that somebody else holds', () => {
  it('is told of with its holder, and taken when it is free, while the others work', () => {
    const taken = other({ offset: 17, direction: 'in' });
    const lines = hold([BUTTON, LED]);
    expect(told).toEqual(["17 held by 'w1-gpio'"]);
    expect(lines.problem).toBe("line17 is held by 'w1-gpio'");
    expect([lines.waitingFor(17), lines.waitingFor(4)]).toEqual(["held by 'w1-gpio'", undefined]);
    expect(failsWith('EBUSY', () => lines.getValue(17)).message).toContain('line17');
    lines.setValue(4, 0);
    const seen: Level[] = [];
    lines.onEdges((batch) => {
      for (let i = 0; i < batch.count; i++) seen.push(batch.rising(i) ? 1 : 0);
    });
    taken.release();
    pass(1);
    expect(told).toEqual(["17 held by 'w1-gpio'", '17 held']);
    press();
    expect(seen).toEqual([1, 0]);
    expect([lines.problem, lines.getValue(4)]).toEqual([undefined, 0]);
  });

  it('is told of again when the next one takes it', () => {
    const first = other({ offset: 4, direction: 'in' });
    hold([LED]);
    first.release();
    const second = pi.chip.open().requestLines({ lines: [{ offset: 4, direction: 'in' }], consumer: 'spi0 CS0' });
    pass(1);
    expect(told).toEqual(["4 held by 'w1-gpio'", "4 held by 'spi0 CS0'"]);
    second.release();
    pass(1);
    expect(told.at(-1)).toBe('4 held');
  });

  it('is taken with all others that were freed with it, in one request', () => {
    const offsets = Array.from({ length: 40 }, (_, i) => i);
    const lines = offsets.map((offset): LineConfig => ({ offset, direction: 'in' }));
    const taken = other(...lines);
    hold(lines);
    expect(told).toHaveLength(40);
    taken.release();
    pass(1);
    expect(told.slice(40)).toEqual(offsets.map((offset) => `${offset} held`));
    expect(anew).toEqual(offsets);
  });

  it('is free and refused: it says so, and those that were freed with it are held', () => {
    const taken = other({ offset: 4, direction: 'in' }, { offset: 5, direction: 'in' });
    const chip = device.open();
    const lines = hold([LED, RELAY], { chip });
    const request = chip.requestLines.bind(chip);
    chip.requestLines = (options) => {
      if (options.lines.some(({ offset }) => offset === 4)) throw new KernelError('EINVAL', 'no such combination');
      return request(options);
    };
    taken.release();
    pass(1);
    expect(told.slice(2)).toEqual(['4 free, and refused: no such combination', '5 held']);
    expect(lines.problem).toBe('line4 is free, and refused: no such combination');
  });

  it('is an error where the driver cannot tell who holds it or when it is free', () => {
    other({ offset: 4, direction: 'in' });
    const chip = device.open();
    Object.defineProperty(chip, 'capabilities', { value: { ...chip.capabilities, lineHolders: false } });
    failsWith('EBUSY', () => hold([BUTTON, LED], { chip }));
    expect(pi.chip.lineInfo(17).used).toBe(false);
  });

  it('any other refusal is an error, and nothing is held', () => {
    expect(() => hold([LED, { offset: 54, direction: 'in' }])).toThrow(KernelError);
    expect(pi.chip.lineInfo(4).used).toBe(false);
  });
});
