// The pin controller's driver: bank interrupts to lines, acknowledgement, masking and pulls, as firmware registers show them.
import { beforeEach, describe, expect, it } from 'vitest';
import {
  disableIrqNosync,
  enableIrq,
  freeIrq,
  IRQ_HANDLED,
  IRQ_NONE,
  IRQ_TYPE_EDGE_FALLING,
  IRQ_TYPE_EDGE_RISING,
  IRQ_TYPE_LEVEL_HIGH,
  IRQF_ONESHOT,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_HIGH,
  IRQF_TRIGGER_LOW,
  IRQF_TRIGGER_RISING,
  type IrqHandler,
  irqSetIrqType,
  KernelError,
  Machine,
  requestIrq,
  requestThreadedIrq,
  udelay,
} from '../../kernel/index.js';
import { ARMCTRL_BASE, DISABLE_IRQS_2, ENABLE_IRQS_2 } from '../bcm2835/armctrl.js';
import {
  FSEL_ALT3,
  FSEL_INPUT,
  FSEL_OUTPUT,
  GPAREN0,
  GPEDS0,
  GPFEN0,
  GPFSEL1,
  GPHEN0,
  GPIO_BASE,
  GPLEN0,
  GPREN0,
  GPREN1,
} from '../bcm2835/gpio.js';
import { ArmctrlIrqchip } from './irq-bcm2835.js';
import { PinctrlBcm2835 } from './pinctrl-bcm2835.js';
import { createSimulatedPi, type SimulatedPi } from './simulated-pi.js';

const RISING = IRQF_TRIGGER_RISING;
const FALLING = IRQF_TRIGGER_FALLING;
const BOTH = RISING | FALLING;
/** Bits of the bank interrupts in ARMCTRL's second register. */
const BANK_BITS = [1 << 17, 1 << 18, 1 << 19] as const;
const MOMENT_NS = 1000;

let log: string[];
let machine: Machine;
let pi: SimulatedPi;

const gpio = (register: number): number => pi.soc.read32(GPIO_BASE + register);
const enabledBanks = (): number => pi.soc.read32(ARMCTRL_BASE + ENABLE_IRQS_2);

function request(line: number, flags: number, handler: IrqHandler): number {
  const irq = pi.pinctrl.toIrq(line);
  machine.runTask(() => requestIrq(irq, handler, flags, `GPIO${line}`));
  return irq;
}

/** Drives lines to a level at one instant, and gives the detectors time. */
function drive(level: 0 | 1, ...lines: number[]): void {
  machine.batch(() => {
    for (const line of lines) pi.board.drive(line, level);
  });
  machine.advance(MOMENT_NS);
}

beforeEach(() => {
  log = [];
  machine = new Machine({ printk: (level, text) => log.push(`${level}: ${text}`) });
  pi = createSimulatedPi({ machine, board: {} });
  drive(0, ...Array.from({ length: 54 }, (_, line) => line));
});

describe('bank interrupts', () => {
  it('reach every line through its own bank, which alone is masked meanwhile', () => {
    const all = BANK_BITS[0] | BANK_BITS[1] | BANK_BITS[2];
    expect(enabledBanks()).toBe(all);
    for (let line = 0; line < 54; line++) {
      const bank = line < 28 ? 0 : line < 46 ? 1 : 2;
      const seen: number[] = [];
      request(line, RISING, () => {
        seen.push(enabledBanks());
        return IRQ_HANDLED;
      });
      drive(1, line);
      expect(seen).toEqual([all & ~BANK_BITS[bank]]);
      expect(enabledBanks()).toBe(all);
    }
  });

  it('hand their lines out lowest first, over both registers, bank by bank', () => {
    const order = [0, 9, 27, 28, 31, 32, 45, 46, 53];
    const seen: number[] = [];
    for (const line of order) {
      request(line, RISING, () => {
        seen.push(line);
        return IRQ_HANDLED;
      });
    }
    drive(1, ...[...order].reverse());
    expect(seen).toEqual(order);
  });

  it('wait for a handler that takes time before the next line, and stay masked until the last is done', () => {
    const seen: string[] = [];
    const slow = (line: number): void => {
      request(line, RISING, function* () {
        seen.push(`${line} at ${machine.clock.now() % 100_000}`);
        yield* udelay(5);
        seen.push(`${line} done, banks ${enabledBanks().toString(16)}`);
        return IRQ_HANDLED;
      });
    };
    slow(3);
    slow(9);
    slow(30);
    machine.advance(100_000 - (machine.clock.now() % 100_000));
    drive(1, 3, 9, 30);
    machine.advance(20_000);
    expect(seen).toEqual([
      '3 at 8',
      '3 done, banks c0000',
      '9 at 5008',
      '9 done, banks c0000',
      '30 at 10008',
      '30 done, banks a0000',
    ]);
    expect(enabledBanks()).toBe(0xe_0000);
  });

  it('turn the detectors of a line off that has an event and no interrupt', () => {
    const seen: number[] = [];
    request(4, RISING, () => {
      seen.push(4);
      return IRQ_HANDLED;
    });
    pi.soc.write32(GPIO_BASE + GPAREN0, 1 << 17);
    drive(1, 4, 17);
    expect(log).toEqual(['crit: pinctrl-bcm2835: event on GPIO17, which has no interrupt; its detectors are off']);
    expect(gpio(GPAREN0)).toBe(0);
    expect(gpio(GPEDS0)).toBe(0);
    expect(seen).toEqual([4]);
  });
});

describe('an edge', () => {
  it('is acknowledged before its handler, so that one that comes meanwhile is not lost', () => {
    const latched: number[] = [];
    request(17, BOTH, function* () {
      latched.push(gpio(GPEDS0));
      yield* udelay(5);
      latched.push(gpio(GPEDS0));
      return IRQ_HANDLED;
    });
    drive(1, 17);
    drive(0, 17);
    machine.advance(20_000);
    expect(latched).toEqual([0, 1 << 17, 0, 0]);
  });

  it('is told with its time, its direction and its number on the line', () => {
    const seen: unknown[] = [];
    const note: IrqHandler = () => {
      seen.push({ ...pi.pinctrl.edge });
      return IRQ_HANDLED;
    };
    request(17, BOTH, note);
    request(18, FALLING, note);
    pi.pinctrl.setActiveLow(18, true);
    drive(1, 17, 18);
    drive(0, 17);
    drive(0, 18);
    expect(seen).toEqual([
      { stampNs: MOMENT_NS + 8, rising: true, lineSeqno: 1 },
      { stampNs: 2 * MOMENT_NS + 8, rising: false, lineSeqno: 2 },
      { stampNs: 3 * MOMENT_NS + 8, rising: true, lineSeqno: 1 },
    ]);
  });

  it('that was latched before the line was masked is stale and not delivered', () => {
    let calls = 0;
    const handler: IrqHandler = () => {
      calls += 1;
      return IRQ_HANDLED;
    };
    const irq = request(17, RISING, handler);
    const desc = machine.irqs.get(irq);
    machine.runTask(function* () {
      // With the bank's interrupt held off, the event is latched and waits.
      pi.soc.write32(ARMCTRL_BASE + DISABLE_IRQS_2, BANK_BITS[0]);
      pi.board.drive(17, 1);
      yield* udelay(1);
      expect(gpio(GPEDS0)).toBe(1 << 17);
      desc.chip?.mask(desc);
      expect(gpio(GPEDS0)).toBe(0);
      desc.chip?.unmask(desc);
      pi.soc.write32(ARMCTRL_BASE + ENABLE_IRQS_2, BANK_BITS[0]);
      yield* udelay(1);
    });
    expect(calls).toBe(0);
    drive(0, 17);
    drive(1, 17);
    expect(calls).toBe(1);
  });

  it('that comes while the line is disabled is kept, and numbered when it is delivered', () => {
    const seen: number[] = [];
    const irq = request(17, BOTH, () => {
      seen.push(pi.pinctrl.edge.lineSeqno);
      return IRQ_HANDLED;
    });
    drive(1, 17);
    machine.runTask(() => disableIrqNosync(irq));
    expect(gpio(GPREN0)).toBe(1 << 17);
    drive(0, 17);
    expect(gpio(GPREN0)).toBe(0);
    expect(seen).toEqual([1]);
    machine.runTask(() => enableIrq(irq));
    expect(seen).toEqual([1, 2]);
    drive(1, 17);
    expect(seen).toEqual([1, 2, 3]);
  });
});

describe('the trigger type', () => {
  it('enables the detectors it needs, until the interrupt is freed', () => {
    const lines = [
      [5, RISING],
      [6, FALLING],
      [7, BOTH],
      [40, RISING],
    ] as const;
    const irqs = lines.map(([line, type]) => request(line, type, () => IRQ_HANDLED));
    expect([gpio(GPREN0), gpio(GPFEN0), gpio(GPREN1)]).toEqual([0xa0, 0xc0, 0x100]);
    machine.runTask(function* () {
      for (const irq of irqs) yield* freeIrq(irq);
    });
    expect([gpio(GPREN0), gpio(GPFEN0), gpio(GPREN1)]).toEqual([0, 0, 0]);
  });

  it.each([
    ['both levels', IRQF_TRIGGER_HIGH | IRQF_TRIGGER_LOW],
    ['an edge and a level', RISING | IRQF_TRIGGER_HIGH],
  ])('cannot be %s: EINVAL', (_, type) => {
    expect(() => request(5, type, () => IRQ_HANDLED)).toThrow(KernelError);
    expect(machine.irqs.get(pi.pinctrl.toIrq(5)).actions).toHaveLength(0);
  });

  it('changes on a line in use by the detectors that differ, and the flow with it', () => {
    const irq = request(5, BOTH, () => IRQ_HANDLED);
    const seen = (type: number): readonly unknown[] => {
      machine.runTask(function* () {
        yield* irqSetIrqType(irq, type);
      });
      const { handleIrq, isLevel } = machine.irqs.get(irq);
      return [gpio(GPREN0), gpio(GPFEN0), gpio(GPHEN0), gpio(GPLEN0), handleIrq.name, isLevel];
    };
    expect(seen(IRQ_TYPE_EDGE_FALLING)).toEqual([0, 0x20, 0, 0, 'handleEdgeIrq', false]);
    expect(seen(IRQ_TYPE_LEVEL_HIGH)).toEqual([0, 0, 0x20, 0, 'handleLevelIrq', true]);
    expect(seen(IRQ_TYPE_EDGE_RISING)).toEqual([0x20, 0, 0, 0, 'handleEdgeIrq', false]);
  });
});

describe('a level', () => {
  it('interrupts as long as it lasts, with its detector off while the handler runs', () => {
    const detecting: number[] = [];
    request(5, IRQF_TRIGGER_HIGH, () => {
      detecting.push(gpio(GPHEN0));
      if (detecting.length === 3) pi.board.drive(5, 0);
      return IRQ_HANDLED;
    });
    drive(1, 5);
    expect(detecting).toEqual([0, 0, 0]);
    expect(gpio(GPHEN0)).toBe(1 << 5);
    expect(enabledBanks()).toBe(BANK_BITS[0] | BANK_BITS[1] | BANK_BITS[2]);
  });

  it('keeps its line masked until the oneshot thread that deals with it is done', () => {
    const seen: string[] = [];
    const irq = pi.pinctrl.toIrq(6);
    const thread = function* () {
      seen.push(`begins, detector ${gpio(GPLEN0)}`);
      yield* udelay(50);
      pi.board.drive(6, 1);
      seen.push('ends');
      return IRQ_HANDLED;
    };
    drive(1, 6);
    machine.runTask(() => requestThreadedIrq(irq, null, thread, IRQF_TRIGGER_LOW | IRQF_ONESHOT, 'level'));
    drive(0, 6);
    machine.advance(1_000_000);
    expect(seen).toEqual(['begins, detector 0', 'ends']);
    expect([gpio(GPLEN0), machine.irqs.get(irq).total]).toEqual([1 << 6, 1]);
  });

  it('that comes while the line is disabled is there when it is enabled', () => {
    let calls = 0;
    const irq = request(5, IRQF_TRIGGER_HIGH, () => {
      calls++;
      pi.board.drive(5, 0);
      return IRQ_HANDLED;
    });
    machine.runTask(() => disableIrqNosync(irq));
    drive(1, 5);
    expect([calls, gpio(GPHEN0)]).toEqual([0, 0]);
    machine.runTask(() => enableIrq(irq));
    expect([calls, gpio(GPHEN0)]).toEqual([1, 1 << 5]);
  });

  it('that nobody wants disables its line in the end, and the others of its bank go on', () => {
    const irq = request(5, IRQF_TRIGGER_HIGH, () => IRQ_NONE);
    let calls = 0;
    request(6, RISING, () => {
      calls++;
      return IRQ_HANDLED;
    });
    drive(1, 5);
    expect(log[0]).toContain(`irq ${irq}: nobody cared (try booting with the "irqpoll" option)`);
    expect(log[1]).toBe(`emerg: Disabling IRQ #${irq}`);
    drive(1, 6);
    expect([log.length, calls, machine.irqs.get(irq).total, gpio(GPHEN0)]).toEqual([2, 1, 100_000, 0]);
  });

  it('cannot wake the system up: EINVAL', () => {
    const desc = machine.irqs.get(pi.pinctrl.toIrq(5));
    expect(() => desc.chip?.setWake?.(desc, true)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });
});

describe('functions and pulls', () => {
  it('change from an alternate function to output by way of input', () => {
    const address = GPIO_BASE + GPFSEL1;
    pi.soc.write32(address, FSEL_ALT3 << 21);
    const written: number[] = [];
    const { write32 } = pi.soc;
    pi.soc.write32 = (at, value) => {
      if (at === address) written.push((value >>> 21) & 7);
      write32.call(pi.soc, at, value);
    };
    pi.pinctrl.directionOutput(17, 0);
    pi.pinctrl.directionOutput(17, 1);
    pi.pinctrl.directionInput(17);
    expect(written).toEqual([FSEL_INPUT, FSEL_OUTPUT, FSEL_INPUT]);
  });

  it('are taken over with no detector on and no event latched', () => {
    pi.soc.write32(GPIO_BASE + GPAREN0, 1 << 17);
    pi.soc.write32(ARMCTRL_BASE + DISABLE_IRQS_2, BANK_BITS[0]);
    pi.board.drive(17, 1);
    expect(gpio(GPEDS0)).toBe(1 << 17);
    const other = new Machine();
    new PinctrlBcm2835(other, pi.soc, new ArmctrlIrqchip(other, pi.soc));
    expect([gpio(GPAREN0), gpio(GPEDS0)]).toEqual([0, 0]);
  });

  it('are refused for lines that are not there: EINVAL', () => {
    const { pinctrl } = pi;
    for (const line of [-1, 54, 1.5, Number.NaN]) {
      for (const call of [
        () => pinctrl.toIrq(line),
        () => pinctrl.level(line),
        () => pinctrl.set(line, 1),
        () => pinctrl.direction(line),
        () => pinctrl.directionInput(line),
        () => pinctrl.directionOutput(line, 1),
        () => pinctrl.setActiveLow(line, true),
        () => machine.runTask(() => pinctrl.setPull(line, 'pull-up')),
      ]) {
        expect(call).toThrow(expect.objectContaining({ code: 'EINVAL' }));
      }
    }
    expect(log).toEqual([]);
  });

  it('change one line and leave its neighbours alone', () => {
    for (const line of [9, 10, 29, 53]) pi.pinctrl.directionOutput(line, 1);
    const outputs = Array.from({ length: 54 }, (_, line) => line).filter(
      (line) => pi.pinctrl.direction(line) === 'out',
    );
    expect(outputs).toEqual([9, 10, 29, 53]);
    pi.pinctrl.directionInput(10);
    expect([9, 10, 29].map((line) => pi.pinctrl.direction(line))).toEqual(['out', 'in', 'out']);
  });

  it('are set after the times that the datasheet asks for', () => {
    for (const line of [2, 40]) pi.board.drive(line, 'float');
    const before = machine.clock.now();
    machine.runTask(function* () {
      yield* pi.pinctrl.setPull(2, 'pull-down');
      yield* pi.pinctrl.setPull(40, 'pull-up');
    });
    expect(machine.clock.now() - before).toBe(4000);
    expect([pi.pinctrl.level(2), pi.pinctrl.level(40)]).toEqual([0, 1]);
    expect(log).toEqual([]);
  });
});
