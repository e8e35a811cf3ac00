// A line is an interrupt or an output, as gpiolib has it: who comes second is refused, in the kernel's words.
import { beforeEach, describe, expect, it } from 'vitest';
import {
  disableIrq,
  enableIrq,
  freeIrq,
  IRQ_HANDLED,
  IRQF_NO_AUTOEN,
  IRQF_TRIGGER_RISING,
  Machine,
  requestIrq,
} from '../../kernel/index.js';
import { FSEL_ALT0, GPFSEL1, GPIO_BASE } from '../bcm2835/gpio.js';
import { createSimulatedPi, type SimulatedPi } from './simulated-pi.js';

const CHIP = 'err: gpio gpiochip0: (pinctrl-bcm2835):';
const TIED = 'gpiod_direction_output: tried to set a GPIO tied to an IRQ as output';
const EIO = expect.objectContaining({ code: 'EIO' });

let log: string[];
let machine: Machine;
let pi: SimulatedPi;

function request(line: number, flags = 0): number {
  const irq = pi.pinctrl.toIrq(line);
  machine.runTask(() => requestIrq(irq, () => IRQ_HANDLED, IRQF_TRIGGER_RISING | flags, 'button'));
  return irq;
}

beforeEach(() => {
  log = [];
  machine = new Machine({ printk: (level, text) => log.push(`${level}: ${text}`) });
  pi = createSimulatedPi({ machine, board: {} });
});

describe('the interrupt of an output', () => {
  it('is refused with EIO, until the line is an input again', () => {
    pi.pinctrl.directionOutput(17, 0);
    expect(() => request(17)).toThrow(EIO);
    expect(log).toEqual([
      `${CHIP} gpiochip_lock_as_irq: tried to flag a GPIO set as output for IRQ`,
      `${CHIP} unable to lock HW IRQ 17 for IRQ`,
      `err: genirq: Failed to request resources for button (irq ${pi.pinctrl.toIrq(17)}) on irqchip pinctrl-bcm2835`,
    ]);
    expect(pi.chip.lineInfo(17).used).toBe(false);
    pi.pinctrl.directionInput(17);
    request(17);
  });

  it('is given when the output only ever pulls low', () => {
    const held = pi.chip.requestLines({
      consumer: 'bus',
      lines: [{ offset: 17, direction: 'out', drive: 'open-drain' }],
    });
    const irq = request(17);
    held.setValue(17, 1);
    held.setValue(17, 0);
    machine.runTask(() => freeIrq(irq));
    held.reconfigure([{ offset: 17, direction: 'out' }]);
    expect(() => request(17)).toThrow(EIO);
  });
});

it('the interrupt of a line with another function is refused with EINVAL', () => {
  pi.soc.write32(GPIO_BASE + GPFSEL1, FSEL_ALT0 << 21);
  expect(() => request(17)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  expect(log[0]).toBe(`${CHIP} gpiochip_lock_as_irq: cannot get GPIO direction`);
});

describe('a line that is an interrupt', () => {
  it('cannot become an output, by whomever, and is held by nobody then: EIO', () => {
    request(17);
    expect(() => pi.pinctrl.directionOutput(17, 1)).toThrow(EIO);
    const lines = [{ offset: 17, direction: 'out' }] as const;
    expect(() => pi.chip.requestLines({ consumer: 'led', lines })).toThrow(EIO);
    expect(log).toEqual([`err: gpio-529 (interrupt): ${TIED}`, `err: gpio-529 (interrupt): ${TIED}`]);
    expect(pi.chip.lineInfo(17)).toMatchObject({ used: true, consumer: '', direction: 'in' });
    const held = pi.chip.requestLines({ consumer: 'reader', lines: [{ offset: 17, direction: 'in' }] });
    expect(() => held.reconfigure(lines)).toThrow(EIO);
    expect(log.at(-1)).toBe(`err: gpio-529 (reader): ${TIED}`);
  });

  it('can while it is disabled and masked, and its enabling warns then', () => {
    const irq = request(17);
    machine.runTask(() => disableIrq(irq));
    // Lazy: the line stays unmasked until an edge comes.
    expect(() => pi.pinctrl.directionOutput(17, 1)).toThrow(EIO);
    pi.board.drive(17, 1);
    machine.advance(1_000);
    pi.board.drive(17, 'float');
    log = [];
    pi.pinctrl.directionOutput(17, 1);
    machine.runTask(() => enableIrq(irq));
    expect(log).toHaveLength(1);
    expect(log[0]).toMatch(/WARNING: CPU: 0 PID: \d+ at .*gpiochip_enable_irq/);
  });

  it('is one from its request on, enabled or not, until it is freed', () => {
    const irq = request(17, IRQF_NO_AUTOEN);
    expect(() => pi.pinctrl.directionOutput(17, 1)).toThrow(EIO);
    machine.runTask(() => freeIrq(irq));
    pi.pinctrl.directionOutput(17, 1);
    expect(pi.chip.lineInfo(17)).toMatchObject({ used: false, direction: 'out' });
  });
});
