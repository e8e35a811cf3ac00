// The GIC's driver: levels and edges by the fasteoi flow, affinity, lines of each CPU, and interrupts between CPUs.
import { beforeEach, describe, expect, it } from 'vitest';
import {
  enablePercpuIrq,
  IRQ_HANDLED,
  IRQ_TYPE_LEVEL_LOW,
  IRQCHIP_STATE_ACTIVE,
  IRQCHIP_STATE_PENDING,
  IRQF_ONESHOT,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_HIGH,
  IRQF_TRIGGER_RISING,
  type IrqHandler,
  irqGetIrqchipState,
  irqSetAffinity,
  irqSetIrqchipState,
  irqSetIrqType,
  Machine,
  onEachCpu,
  PerCpu,
  requestIrq,
  requestPercpuIrq,
  requestThreadedIrq,
  smpCallFunctionSingle,
  smpProcessorId,
  udelay,
} from '../../kernel/index.js';
import { GICD_BASE, GICD_ISACTIVER, GICD_ISENABLER, GICD_ITARGETSR } from '../bcm2711/gic-distributor.js';
import { type Bcm2711, gicIrqOf } from '../bcm2711/soc.js';
import { LAB_BOARD } from '../board/board.js';
import { createSimulatedPi, type SimulatedPi } from './simulated-pi.js';

const US = 1_000;
const BUTTON1 = 17;
/** A shared interrupt that no peripheral here has: a UART's. */
const UART = gicIrqOf(57);
const GREETING = 'info: GIC: Using split EOI/Deactivate mode';

let log: string[];
let machine: Machine;
let pi: SimulatedPi<Bcm2711>;

const dist = (register: number): number => pi.soc.read32(GICD_BASE + register);
const active = (hwirq: number): boolean => ((dist(GICD_ISACTIVER + 4 * (hwirq >> 5)) >>> (hwirq & 31)) & 1) !== 0;
const enabled = (hwirq: number): boolean => ((dist(GICD_ISENABLER + 4 * (hwirq >> 5)) >>> (hwirq & 31)) & 1) !== 0;

function request(hwirq: number, handler: IrqHandler, flags = 0): number {
  const irq = pi.intc.domain.createMapping(hwirq);
  machine.runTask(() => requestIrq(irq, handler, flags, `spi${hwirq}`));
  return irq;
}

beforeEach(() => {
  log = [];
  machine = new Machine({ cpus: 4, printk: (level, text) => log.push(`${level}: ${text}`) });
  pi = createSimulatedPi({ machine, board: LAB_BOARD, soc: 'bcm2711' });
});

describe('a press on a Pi 4', () => {
  it('comes through shared interrupt 113 and its chained handler, which deactivates it behind all lines', () => {
    const seen: unknown[] = [];
    const irq = pi.pinctrl.toIrq(BUTTON1);
    const handler = function* () {
      seen.push([smpProcessorId(), active(32 + 113)]);
      yield* udelay(5);
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestIrq(irq, handler, IRQF_TRIGGER_FALLING, 'button1'));
    for (let i = 0; i < 2; i++) {
      pi.board.press('button1', { holdNs: 10 * US });
      machine.advance(100 * US);
      expect(active(32 + 113)).toBe(false);
    }
    expect([seen, log]).toEqual([
      [
        [0, true],
        [0, true],
      ],
      [GREETING],
    ]);
    expect(machine.files.read('/proc/interrupts')).toMatch(/ 2 +0 +0 +0 +pinctrl-bcm2835 +17 Edge +button1\n/);
  });

  it('on the lines behind 54, which older chips have not got, is one too', () => {
    const seen: number[] = [];
    const handler = () => {
      seen.push(57);
      return IRQ_HANDLED;
    };
    pi.board.drive(57, 0);
    machine.runTask(() => requestIrq(pi.pinctrl.toIrq(57), handler, IRQF_TRIGGER_RISING, 'gpio57'));
    machine.advance(US);
    pi.board.drive(57, 1);
    machine.advance(100 * US);
    expect([seen, pi.chip.info.lines, pi.chip.info.label]).toEqual([[57], 58, 'pinctrl-bcm2711']);
  });
});

describe('a shared interrupt', () => {
  it('is a level that stays active, and unmasked, while its handler runs', () => {
    const seen: unknown[] = [];
    request(UART, () => {
      seen.push([active(UART), enabled(UART)]);
      if (seen.length === 3) pi.soc.gic.setInput(UART, false);
      return IRQ_HANDLED;
    });
    pi.soc.gic.setInput(UART, true);
    expect(seen).toEqual([
      [true, true],
      [true, true],
      [true, true],
    ]);
    expect([active(UART), machine.bootCpu.interrupts]).toEqual([false, 1]);
    expect(machine.files.read('/proc/interrupts')).toMatch(/GICv2 153 Level +spi153\n/);
  });

  it('is masked for a oneshot thread, and deactivated before that has run', () => {
    const seen: unknown[] = [];
    const irq = pi.intc.domain.createMapping(UART);
    const thread = function* () {
      seen.push([active(UART), enabled(UART)]);
      yield* udelay(20);
      pi.soc.gic.setInput(UART, false);
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestThreadedIrq(irq, null, thread, IRQF_TRIGGER_HIGH | IRQF_ONESHOT, 'uart'));
    pi.soc.gic.setInput(UART, true);
    machine.advance(100 * US);
    expect([seen, enabled(UART), machine.irqs.get(irq).total]).toEqual([[[false, false]], true, 1]);
  });

  it('can be an edge, which counts while its handler runs', () => {
    let calls = 0;
    const pulse = (): void => {
      pi.soc.gic.setInput(UART, true);
      pi.soc.gic.setInput(UART, false);
    };
    const handler = () => {
      if (++calls === 1) pulse();
      return IRQ_HANDLED;
    };
    request(UART, handler, IRQF_TRIGGER_RISING);
    machine.batch(pulse);
    expect([calls, active(UART)]).toEqual([2, false]);
  });

  it('cannot be a low level or a falling edge: EINVAL', () => {
    const irq = request(UART, () => IRQ_HANDLED);
    const set = () =>
      machine.runTask(function* () {
        yield* irqSetIrqType(irq, IRQ_TYPE_LEVEL_LOW);
      });
    expect(set).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });

  it('goes to the CPU that its affinity says, by the file too', () => {
    const cpus: number[] = [];
    const irq = request(UART, () => {
      cpus.push(smpProcessorId());
      pi.soc.gic.setInput(UART, false);
      return IRQ_HANDLED;
    });
    pi.soc.gic.setInput(UART, true);
    machine.runTask(() => irqSetAffinity(irq, 0b1100));
    pi.soc.gic.setInput(UART, true);
    machine.runTask(() => machine.files.write(`/proc/irq/${irq}/smp_affinity_list`, '1'));
    pi.soc.gic.setInput(UART, true);
    expect(cpus).toEqual([0, 2, 1]);
    expect([dist(GICD_ITARGETSR + (UART & ~3)), machine.files.read(`/proc/irq/${irq}/effective_affinity`)]).toEqual([
      0x0101_0201,
      '2\n',
    ]);
  });

  it('shows and takes its states at the controller', () => {
    let calls = 0;
    const irq = request(UART, () => {
      calls++;
      return IRQ_HANDLED;
    });
    const states = machine.runTask(function* () {
      yield* irqSetIrqchipState(irq, IRQCHIP_STATE_PENDING, true);
      yield* udelay(1);
      yield* irqSetIrqchipState(irq, IRQCHIP_STATE_ACTIVE, true);
      yield* irqSetIrqchipState(irq, IRQCHIP_STATE_PENDING, true);
      yield* udelay(1);
      const pending = yield* irqGetIrqchipState(irq, IRQCHIP_STATE_PENDING);
      const isActive = yield* irqGetIrqchipState(irq, IRQCHIP_STATE_ACTIVE);
      return [pending, isActive];
    });
    expect([states, calls]).toEqual([[true, true], 1]);
  });

  it('that was enabled past the driver is disabled, and the others go on', () => {
    let calls = 0;
    request(UART, () => {
      calls++;
      pi.soc.gic.setInput(UART, false);
      return IRQ_HANDLED;
    });
    pi.soc.write32(GICD_BASE + GICD_ISENABLER + 4 * (150 >> 5), 1 << (150 & 31));
    machine.batch(() => {
      pi.soc.gic.setInput(150, true);
      pi.soc.gic.setInput(UART, true);
    });
    expect([calls, enabled(150), log.slice(1)]).toEqual([
      1,
      false,
      ['crit: GIC: interrupt 150 is disabled: nobody handles it'],
    ]);
  });
});

describe("a CPU's own interrupts", () => {
  it('are enabled and handled on each, with its own data', () => {
    const seen: unknown[] = [];
    const irq = pi.percpuIrqs?.createMapping(16 + 14) ?? 0;
    const dev = new PerCpu((cpu) => `data of ${cpu}`);
    const handler: IrqHandler = (_, data) => {
      seen.push(data);
      pi.soc.gic.setInput(30, false, smpProcessorId());
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestPercpuIrq(irq, handler, 'arch_timer', dev));
    machine.runTask(() => onEachCpu(() => enablePercpuIrq(irq)));
    for (const core of [2, 0]) pi.soc.gic.setInput(30, true, core);
    expect(seen).toEqual(['data of 2', 'data of 0']);
    expect(machine.files.read('/proc/interrupts')).toMatch(/ 1 +0 +1 +0 +GICv2 +30 Level +arch_timer\n/);
  });

  it('are disabled when they were enabled past everybody, with a number or without', () => {
    pi.percpuIrqs?.createMapping(27);
    const enable = (): void => pi.soc.write32(GICD_BASE + GICD_ISENABLER, (1 << 27) | (1 << 26));
    machine.spawn('poke', enable, { cpusAllowed: 1 << 1 });
    for (const irq of [26, 27]) pi.soc.gic.setInput(irq, true, 1);
    expect(log.slice(1)).toEqual([
      'crit: GIC: interrupt 26 is disabled: nobody handles it',
      'crit: GIC: interrupt 27 is disabled: nobody handles it',
    ]);
  });

  it('between CPUs are software generated, and ended with the core that raised them', () => {
    const seen: unknown[] = [];
    const callAll = function* () {
      for (const cpu of [0, 1, 2, 3]) yield* smpCallFunctionSingle(cpu, () => seen.push(smpProcessorId()));
    };
    machine.spawn('caller', callAll, { cpusAllowed: 1 << 2 });
    expect(seen).toEqual([0, 1, 2, 3]);
    const [, counts = ''] = /^IPI1:(.*) Function call interrupts$/m.exec(machine.files.read('/proc/interrupts')) ?? [];
    const total = counts
      .trim()
      .split(/\s+/)
      .map(Number)
      .reduce((sum, count) => sum + count);
    expect([total, log]).toEqual([3, [GREETING]]);
  });
});

describe('pulls', () => {
  it('are set at once, and no clock is waited for', () => {
    const before = machine.clock.now();
    machine.runTask(function* () {
      yield* pi.pinctrl.setPull(20, 'pull-up');
      yield* pi.pinctrl.setPull(2, 'pull-down');
    });
    expect([machine.clock.now() - before, pi.pinctrl.level(20), pi.pinctrl.level(2)]).toEqual([0, 1, 0]);
  });
});
