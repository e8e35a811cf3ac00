// A press followed all the way: finger, pad, detector, latch, bank line, controller, handlers, thread, work, LED.
import { describe, expect, it } from 'vitest';
import {
  context,
  current,
  GpioDesc,
  gpiodGetValue,
  gpiodSetValue,
  IRQ_HANDLED,
  IRQ_WAKE_THREAD,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_RISING,
  localIrqDisable,
  localIrqEnable,
  Machine,
  ndelay,
  requestThreadedIrq,
  scheduleWork,
  udelay,
  Work,
} from '../../kernel/index.js';
import {
  ARMCTRL_BASE,
  DISABLE_IRQS_2,
  ENABLE_IRQS_2,
  FIQ_CONTROL,
  FIQ_ENABLE,
  IRQ_BASIC_PENDING,
  IRQ_PENDING_2,
} from '../bcm2835/armctrl.js';
import { GPEDS0, GPFEN0, GPFSEL1, GPIO_BASE, GPLEV0, GPREN0 } from '../bcm2835/gpio.js';
import { LAB_BOARD } from '../board/board.js';
import { createSimulatedPi } from './simulated-pi.js';

const BUTTON1 = 17;
const LED1 = 4;
const IRQF_TRIGGER_BOTH = IRQF_TRIGGER_FALLING | IRQF_TRIGGER_RISING;
const BUTTON1_BIT = 1 << BUTTON1;
/** GPU interrupt 49, bank 0 of the GPIO block, in the second registers of the ARMCTRL. */
const BANK0_BIT = 1 << (49 - 32);

function rig() {
  const log: string[] = [];
  const machine = new Machine({ printk: (level, text) => log.push(`${level}: ${text}`) });
  const pi = createSimulatedPi({ machine, board: LAB_BOARD });
  const gpio = (register: number): number => pi.soc.read32(GPIO_BASE + register);
  const armctrl = (register: number): number => pi.soc.read32(ARMCTRL_BASE + register);
  return { log, machine, pi, gpio, armctrl };
}

describe('a press', () => {
  it('passes every station of the hardware and of the kernel, in order, and lights the LED', () => {
    const { log, machine, pi, gpio, armctrl } = rig();
    const stations: string[] = [];
    const note = (station: string): void => {
      stations.push(`${station}: ${context()} ${current().comm}`);
    };
    const lines = [{ offset: BUTTON1, direction: 'in' } as const, { offset: LED1, direction: 'out' } as const];
    const request = pi.chip.requestLines({ lines, consumer: 'gpiomod' });
    const led1 = new GpioDesc('led1', LED1, 'out', request);
    const button1 = new GpioDesc('button1', BUTTON1, 'in', request, pi.pinctrl);
    const work = new Work(function* () {
      yield* udelay(3);
      note('work');
      gpiodSetValue(led1, 1);
    });
    const irq = button1.toIrq();

    machine.runTask(function* () {
      yield* requestThreadedIrq(
        irq,
        () => {
          note('top half');
          expect(gpio(GPEDS0) & BUTTON1_BIT, 'acknowledged before').toBe(0);
          expect(armctrl(ENABLE_IRQS_2) & BANK0_BIT, 'bank masked by its chained handler').toBe(0);
          expect(pi.pinctrl.edge).toMatchObject({ rising: false, lineSeqno: 1 });
          return IRQ_WAKE_THREAD;
        },
        () => {
          note('thread');
          expect(armctrl(ENABLE_IRQS_2) & BANK0_BIT, 'bank unmasked again').toBe(BANK0_BIT);
          expect(gpiodGetValue(button1)).toBe(0);
          scheduleWork(work);
          return IRQ_HANDLED;
        },
        IRQF_TRIGGER_FALLING,
        'button1',
      );
    });
    expect([gpio(GPFEN0), gpio(GPREN0)], 'the trigger type set the detector').toEqual([BUTTON1_BIT, 0]);
    expect((gpio(GPFSEL1) >>> 21) & 7, 'the line is an input').toBe(0);

    machine.runTask(function* () {
      localIrqDisable();
      pi.board.press('button1', { holdNs: 50_000_000 });
      expect(gpio(GPLEV0) & BUTTON1_BIT, 'pad low').toBe(0);
      expect(gpio(GPEDS0), 'not yet sampled').toBe(0);
      yield* ndelay(8);
      expect(gpio(GPEDS0), 'latched').toBe(BUTTON1_BIT);
      expect(armctrl(IRQ_PENDING_2), 'pending').toBe(BANK0_BIT);
      expect(armctrl(IRQ_BASIC_PENDING), 'told of in the basic register').toBe(1 << 9);
      expect(stations, 'interrupts are off').toEqual([]);
      localIrqEnable();
      yield* udelay(1);
      expect(armctrl(IRQ_PENDING_2), 'handled').toBe(0);
    });
    machine.advance(100_000_000);

    expect(stations).toEqual([
      'top half: hardirq init',
      `thread: task irq/${irq}-button1`,
      expect.stringMatching(/^work: task kworker/),
    ]);
    expect(pi.soc.gpio.level(LED1)).toBe(1);
    expect(pi.board.led('led1').log()).toEqual([{ atNs: expect.any(Number), lit: true }]);
    expect(log).toEqual([]);
  });

  it('that bounces gives the same edges on every run of a seed', () => {
    const run = (): unknown[] => {
      const { machine, pi } = rig();
      const lines = [{ offset: BUTTON1, direction: 'in', edge: 'both' } as const];
      const seen: unknown[] = [];
      pi.chip.requestLines({ lines, consumer: 'spec' }).onEdges((batch) => {
        for (let i = 0; i < batch.count; i++) seen.push([batch.rising(i), batch.timestampNs(i)]);
      });
      pi.board.press('button1', { holdNs: 50_000_000, bounce: true });
      machine.advance(100_000_000);
      return seen;
    };
    const first = run();
    expect(first.length).toBeGreaterThan(2);
    expect(run()).toEqual(first);
  });

  it('is one edge down and one up with the debounce of a request', () => {
    const { machine, pi } = rig();
    const lines = [{ offset: BUTTON1, direction: 'in', edge: 'both', debounceUs: 5000, activeLow: true } as const];
    const seen: unknown[] = [];
    const request = pi.chip.requestLines({ lines, consumer: 'spec' });
    request.onEdges((batch) => {
      for (let i = 0; i < batch.count; i++) seen.push([batch.rising(i), request.getValue(BUTTON1)]);
    });
    pi.board.press('button1', { holdNs: 50_000_000, bounce: true });
    machine.advance(100_000_000);
    expect(seen).toEqual([
      [true, 1],
      [false, 0],
    ]);
  });
});

describe('at power-up', () => {
  const edgesOf = ({ machine, pi }: ReturnType<typeof rig>, act: () => void): [number, boolean][] => {
    const seen: [number, boolean][] = [];
    machine.runTask(() => {
      const handler = () => {
        seen.push([machine.clock.now(), pi.pinctrl.edge.rising]);
        return IRQ_HANDLED;
      };
      return requestThreadedIrq(pi.pinctrl.toIrq(BUTTON1), handler, null, IRQF_TRIGGER_BOTH, 'button1');
    });
    act();
    machine.advance(1000);
    return seen;
  };

  it('pads have the level of their pull: the pull-ups of the board are no edges', () => {
    expect(edgesOf(rig(), () => undefined)).toEqual([]);
  });

  it('a press is an edge', () => {
    const pi = rig();
    expect(edgesOf(pi, () => pi.pi.board.press('button1'))).toEqual([[8, false]]);
  });
});

describe('a FIQ', () => {
  it('that somebody turns on is reported, as nothing handles it', () => {
    const { log, pi } = rig();
    pi.soc.write32(ARMCTRL_BASE + FIQ_CONTROL, FIQ_ENABLE | 20);
    pi.soc.armctrl.setGpuIrq(20, true);
    expect(log).toEqual(['warning: FIQ raised on CPU0, and nothing handles it']);
  });

  it('goes to whoever takes it, as a level, and its source needs no enable', () => {
    const machine = new Machine();
    const fiq: [boolean, number][] = [];
    const { soc, board } = createSimulatedPi({
      machine,
      board: LAB_BOARD,
      onFiq: (asserted, core) => {
        fiq.push([asserted, core]);
        if (asserted) soc.write32(GPIO_BASE + GPEDS0, BUTTON1_BIT);
      },
    });
    // As the driver's source says: with its enable left on, an interrupt would come as both.
    soc.write32(ARMCTRL_BASE + DISABLE_IRQS_2, BANK0_BIT);
    soc.write32(ARMCTRL_BASE + FIQ_CONTROL, FIQ_ENABLE | 49);
    soc.write32(GPIO_BASE + GPFEN0, BUTTON1_BIT);
    board.press('button1');
    machine.advance(1000);
    expect(fiq).toEqual([
      [true, 0],
      [false, 0],
    ]);
    expect(machine.bootCpu.interrupts).toBe(0);
  });
});

describe('an access to a register that is not there', () => {
  it('is reported with its address and with the place in the code that made it', () => {
    const { log, pi, machine } = rig();
    const place = /, by \S+simulated-pi\.spec\.ts:\d+$/;
    pi.soc.write32(0x2020_0090, 1);
    machine.runTask(() => {
      pi.soc.read32(0x2000_0000);
    });
    expect(log.map((line) => line.replace(place, ', by us'))).toEqual([
      'warning: GPIO: write to unmapped register 0x20200090, by us',
      'warning: BCM2835: read of unmapped address 0x20000000, by us',
    ]);
  });
});
