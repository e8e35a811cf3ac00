// The bus of an expander fails: who is told, and that its lines work again when it does.
import { beforeEach, describe, expect, it } from 'vitest';
import { IRQ_HANDLED } from '../../kernel/index.js';
import { expanderRig, linesOf, MS, US } from './expander.spec-helper.js';
import { mcp23s08Get, mcp23s08Set } from './pinctrl-mcp23s08.js';

let { log, machine, i2c, expander, mcp, request, noteLines, countHighs } = expanderRig();

beforeEach(() => {
  ({ log, machine, i2c, expander, mcp, request, noteLines, countHighs } = expanderRig());
});

describe('a bus that fails', () => {
  it('while an interrupt is read is reported once, and the line is handled when the bus works again', () => {
    const seen = noteLines([0]);
    expander.board.press('a0');
    i2c.bus.detach(expander.device);
    machine.advance(500 * MS);
    expect(log).toEqual(['err: mcp230xx 1-0020: cannot read the interrupt: -121']);
    i2c.bus.attach(expander.device);
    machine.advance(10 * MS);
    expect(linesOf(seen)).toEqual([0]);
    expect(machine.irqs.get(mcp.irq).disabled).toBe(false);
    expect(log).toHaveLength(1);
  });

  it('that hangs is waited for, a second a transfer, and survived', () => {
    const seen = noteLines([0]);
    i2c.bus.holdClock(true);
    expander.board.press('a0');
    machine.advance(3000 * MS);
    expect(log).toEqual(['err: mcp230xx 1-0020: cannot read the interrupt: -110']);
    i2c.bus.holdClock(false);
    machine.advance(2000 * MS);
    expect(linesOf(seen)).toEqual([0]);
  });

  it('for a moment, in the midst of an interrupt, leaves lines with a level on', () => {
    const calls = countHighs(3);
    expander.device.drive(3, 1);
    // INTF is read and GPINTEN written; the address for INTCAP finds nobody.
    machine.advance(900 * US);
    i2c.bus.detach(expander.device);
    machine.advance(80 * US);
    i2c.bus.attach(expander.device);
    machine.advance(100 * MS);
    expect(log).toEqual(['err: mcp230xx 1-0020: cannot read the interrupt: -121']);
    expect([calls(), machine.irqs.get(mcp.irq).total]).toEqual([1, 2]);
  });

  it('while registers are written is reported, and they are written with the next change', () => {
    i2c.bus.detach(expander.device);
    const seen = noteLines([0]);
    expect(log).toEqual(['err: mcp230xx 1-0020: Unable to sync register 0x0. -121']);
    i2c.bus.attach(expander.device);
    expander.board.press('a0', { holdNs: 10 * MS });
    machine.advance(20 * MS);
    expect(seen).toEqual([]);
    request(8, () => IRQ_HANDLED);
    expander.board.press('a0');
    machine.advance(20 * MS);
    expect(linesOf(seen)).toEqual([0]);
  });

  it('while a pin is read or set is an error of the caller', () => {
    i2c.bus.detach(expander.device);
    const refused = expect.objectContaining({ code: 'EREMOTEIO' });
    expect(() => machine.runTask(() => mcp23s08Get(mcp, 0))).toThrow(refused);
    expect(() => machine.runTask(() => mcp23s08Set(mcp, 0, 1))).toThrow(refused);
    i2c.bus.attach(expander.device);
    expect(machine.runTask(() => mcp23s08Get(mcp, 0))).toBe(1);
  });

  it('when the chip is taken into use is the error of that', () => {
    i2c.bus.detach(expander.device);
    expect(() => machine.runTask(() => expander.probe())).toThrow(expect.objectContaining({ code: 'EREMOTEIO' }));
  });
});
