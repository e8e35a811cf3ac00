// The per-core controller's driver: lines of each CPU, interrupts between CPUs by mailbox, and the GPU's behind a chained handler.
import { beforeEach, describe, expect, it } from 'vitest';
import {
  disablePercpuIrq,
  enablePercpuIrq,
  IRQ_HANDLED,
  IRQF_TRIGGER_FALLING,
  inHardirq,
  localIrqDisable,
  localIrqEnable,
  Machine,
  onEachCpu,
  PerCpu,
  requestIrq,
  requestPercpuIrq,
  smpCallFunction,
  smpCallFunctionSingle,
  smpProcessorId,
  udelay,
} from '../../kernel/index.js';
import {
  LOCAL_GPU_ROUTING,
  LOCAL_INTC_BASE,
  LOCAL_IRQ_CNTVIRQ,
  LOCAL_IRQ_PMU_FAST,
  LOCAL_MAILBOX_INT_CONTROL0,
  LOCAL_MAILBOX0_CLR0,
  LOCAL_MAILBOX0_SET0,
  LOCAL_PM_ROUTING_SET,
  LOCAL_TIMER_CONTROL,
  LOCAL_TIMER_INT_CONTROL0,
} from '../bcm2836/local-intc.js';
import type { Bcm2836 } from '../bcm2836/soc.js';
import { LAB_BOARD } from '../board/board.js';
import { createSimulatedPi, type SimulatedPi } from './simulated-pi.js';

const US = 1_000;
const BUTTON1 = 17;

let log: string[];
let machine: Machine;
let pi: SimulatedPi<Bcm2836>;

const local = (register: number): number => pi.soc.read32(LOCAL_INTC_BASE + register);

/** Counts of a line of /proc/interrupts that shows `what`, by CPU. */
function counts(what: string): number[] {
  const line =
    machine.files
      .read('/proc/interrupts')
      .split('\n')
      .find((text) => text.includes(what)) ?? '';
  const [, numbers = ''] = /:((?:\s+\d+){4})/.exec(line) ?? [];
  return numbers.trim().split(/\s+/).map(Number);
}

function pressed(handler: () => void): void {
  const irq = pi.pinctrl.toIrq(BUTTON1);
  const top = () => {
    handler();
    return IRQ_HANDLED;
  };
  machine.runTask(() => requestIrq(irq, top, IRQF_TRIGGER_FALLING, 'button1'));
  pi.board.press('button1', { holdNs: 10_000 });
  machine.advance(100 * US);
}

beforeEach(() => {
  log = [];
  machine = new Machine({ cpus: 4, printk: (level, text) => log.push(`${level}: ${text}`) });
  pi = createSimulatedPi({ machine, board: LAB_BOARD, soc: 'bcm2836' });
});

describe('interrupts of the GPU', () => {
  it('come through the controller of the core that they are routed to', () => {
    const cpus: number[] = [];
    pressed(() => cpus.push(smpProcessorId()));
    pi.soc.write32(LOCAL_INTC_BASE + LOCAL_GPU_ROUTING, 2);
    pi.board.press('button1', { holdNs: 10_000 });
    machine.advance(100 * US);
    expect([cpus, counts('button1'), log]).toEqual([[0, 2], [1, 0, 1, 0], []]);
  });
});

describe('interrupts from one CPU to another', () => {
  it('are eight lines of /proc/interrupts behind the others, which are not among those', () => {
    const text = machine.files.read('/proc/interrupts');
    expect(text).toBe(
      [
        '           CPU0       CPU1       CPU2       CPU3       ',
        'IPI0:         0          0          0          0       Rescheduling interrupts',
        'IPI1:         0          0          0          0       Function call interrupts',
        'IPI2:         0          0          0          0       CPU stop interrupts',
        'IPI3:         0          0          0          0       CPU stop NMIs',
        'IPI4:         0          0          0          0       Timer broadcast interrupts',
        'IPI5:         0          0          0          0       IRQ work interrupts',
        'IPI6:         0          0          0          0       CPU backtrace interrupts',
        'IPI7:         0          0          0          0       KGDB roundup interrupts',
        'Err:          0',
        '',
      ].join('\n'),
    );
  });

  it('call a function on another CPU, in a hard interrupt, while the caller waits', () => {
    const seen: unknown[] = [];
    const fn = function* () {
      seen.push(['begins', smpProcessorId(), inHardirq(), local(LOCAL_MAILBOX0_CLR0 + 16 * 2)]);
      yield* udelay(5);
      seen.push('ends');
    };
    machine.runTask(function* () {
      yield* smpCallFunctionSingle(2, fn);
      seen.push('returns');
    });
    expect(seen).toEqual([['begins', 2, true, 0], 'ends', 'returns']);
    expect(counts('Function call')).toEqual([0, 0, 1, 0]);
  });

  it('do for all functions that wait, and carry a bit of the mailbox for each kind', () => {
    const seen: string[] = [];
    machine.spawn(
      'busy',
      function* () {
        localIrqDisable();
        yield* udelay(50);
        seen.push(`mailbox ${local(LOCAL_MAILBOX0_CLR0 + 16 * 3)}`);
        localIrqEnable();
        yield* udelay(1);
      },
      { cpusAllowed: 1 << 3 },
    );
    machine.runTask(function* () {
      for (const name of ['a', 'b', 'c']) {
        yield* smpCallFunctionSingle(3, () => seen.push(name), false);
      }
      machine.spawn('late', () => seen.push('late'), { cpusAllowed: 1 << 3, rtPriority: 50 });
    });
    machine.advance(1_000 * US);
    expect(seen).toEqual(['mailbox 3', 'a', 'b', 'c', 'late']);
    expect([counts('Function call')[3], counts('Rescheduling')[3]]).toEqual([1, 1]);
  });

  it('tell a CPU of a task that is woken there, and not the CPU that wakes', () => {
    machine.runTask(() => {
      const here = smpProcessorId();
      machine.spawn('other', () => {}, { cpusAllowed: 1 << ((here + 1) % 4) });
      machine.spawn('same', () => {}, { cpusAllowed: 1 << here, rtPriority: 1 });
      return here;
    });
    expect(counts('Rescheduling').reduce((sum, count) => sum + count)).toBe(1);
  });

  it('run a function everywhere: on the others in interrupts, on the own CPU with interrupts off', () => {
    const seen: string[] = [];
    const fn = (): void => {
      seen.push(`${smpProcessorId()} ${inHardirq() ? 'interrupt' : 'call'}`);
    };
    machine.runTask(() => onEachCpu(fn), 'init');
    const interrupts = seen.filter((text) => text.endsWith('interrupt'));
    expect([seen.length, interrupts.length, new Set(seen.map((text) => text[0])).size]).toEqual([4, 3, 4]);
    seen.length = 0;
    machine.runTask(() => smpCallFunction(fn));
    expect(seen.length).toBe(3);
  });

  it('refuse a CPU that is not there: ENXIO', () => {
    const call = () => machine.runTask(() => smpCallFunctionSingle(4, () => {}));
    expect(call).toThrow(expect.objectContaining({ code: 'ENXIO' }));
  });

  it('warn of a caller that keeps interrupts off, as two of them may wait for each other', () => {
    machine.runTask(function* () {
      localIrqDisable();
      yield* smpCallFunctionSingle(2, () => {}, false);
      localIrqEnable();
    });
    expect(log.map((text) => /smp_call_function_single$/m.test(text))).toEqual([true]);
  });
});

describe('lines that each CPU has for itself', () => {
  const request = (hwirq: number, name: string): { irq: number; cpus: unknown[] } => {
    const cpus: unknown[] = [];
    const { soc, percpuIrqs } = pi;
    const irq = percpuIrqs?.createMapping(hwirq) ?? 0;
    const dev = new PerCpu((cpu) => `data of ${cpu}`);
    const handler = (_: number, data: unknown) => {
      cpus.push(data);
      soc.local.setTimer(smpProcessorId(), LOCAL_IRQ_CNTVIRQ, false);
      soc.local.setPmu(smpProcessorId(), false);
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestPercpuIrq(irq, handler, name, dev));
    return { irq, cpus };
  };
  const on = (cpu: number, fn: () => void): void => {
    machine.spawn('on', fn, { cpusAllowed: 1 << cpu });
  };

  it('are enabled on each, and handled there with its own data', () => {
    const { irq, cpus } = request(LOCAL_IRQ_CNTVIRQ, 'arch_timer');
    for (const cpu of [1, 3]) on(cpu, () => enablePercpuIrq(irq));
    expect([0, 1, 2, 3].map((cpu) => local(LOCAL_TIMER_INT_CONTROL0 + 4 * cpu))).toEqual([0, 8, 0, 8]);
    for (const core of [0, 1, 3]) pi.soc.local.setTimer(core, LOCAL_IRQ_CNTVIRQ, true);
    expect(cpus).toEqual(['data of 1', 'data of 3']);
    expect(machine.files.read('/proc/interrupts')).toMatch(/bcm2836-timer +3 Edge +arch_timer$/m);
    on(3, () => disablePercpuIrq(irq));
    expect(local(LOCAL_TIMER_INT_CONTROL0 + 12)).toBe(0);
  });

  it('are routed by set and clear for performance monitors', () => {
    const { irq, cpus } = request(LOCAL_IRQ_PMU_FAST, 'arm-pmu');
    on(2, () => enablePercpuIrq(irq));
    expect(local(LOCAL_PM_ROUTING_SET)).toBe(4);
    pi.soc.local.setPmu(2, true);
    on(2, () => disablePercpuIrq(irq));
    expect([cpus, local(LOCAL_PM_ROUTING_SET)]).toEqual([['data of 2'], 0]);
  });

  it('are switched off, with a word about it, when nobody has a driver for what was enabled', () => {
    pi.soc.write32(LOCAL_INTC_BASE + LOCAL_TIMER_INT_CONTROL0 + 4, 2);
    pi.soc.local.setTimer(1, 1, true);
    pi.soc.write32(LOCAL_INTC_BASE + LOCAL_MAILBOX_INT_CONTROL0 + 8, 3);
    pi.soc.write32(LOCAL_INTC_BASE + LOCAL_MAILBOX0_SET0 + 16 * 2 + 4, 1);
    pi.soc.write32(LOCAL_INTC_BASE + LOCAL_TIMER_CONTROL, (1 << 29) | (1 << 28) | 384);
    machine.advance(100 * US);
    expect(log).toEqual([
      'crit: bcm2836: interrupt 1 of CPU1 is disabled: nobody handles it',
      'crit: bcm2836: interrupt 5 of CPU2 is disabled: nobody handles it',
      'crit: bcm2836: interrupt 11 of CPU0 is disabled: nobody handles it',
    ]);
    expect([local(LOCAL_TIMER_INT_CONTROL0 + 4), local(LOCAL_MAILBOX_INT_CONTROL0 + 8)]).toEqual([0, 1]);
  });
});

describe('a machine', () => {
  it('may have fewer CPUs than the chip has cores, but not more', () => {
    const two = new Machine({ cpus: 2 });
    createSimulatedPi({ machine: two, board: {}, soc: 'bcm2837' });
    let ran = -1;
    two.runTask(() => smpCallFunction(() => (ran = smpProcessorId())));
    expect(ran).toBeGreaterThanOrEqual(0);
    const six = () => createSimulatedPi({ machine: new Machine({ cpus: 6 }), board: {}, soc: 'bcm2837' });
    expect(six).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });
});
