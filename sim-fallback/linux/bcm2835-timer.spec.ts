// Timers of the model over the system timer of the chip: when they come, through which interrupt, and what comes for nothing.
import { beforeEach, describe, expect, it } from 'vitest';
import {
  HRTIMER_MODE_REL,
  HRTIMER_NORESTART,
  Hrtimer,
  hrtimerCancel,
  hrtimerStart,
  ktimeGet,
  localIrqDisable,
  localIrqEnable,
  Machine,
  msleep,
  udelay,
} from '../../kernel/index.js';
import { ARMCTRL_BASE, ENABLE_IRQS_1, IRQ_PENDING_1 } from '../bcm2835/armctrl.js';
import { SYSTIMER_BASE, SYSTIMER_C1, SYSTIMER_CLO, SYSTIMER_CS } from '../bcm2835/system-timer.js';
import { createSimulatedPi, type SimulatedPi } from './simulated-pi.js';

const US = 1_000;
const MS = 1_000_000;

let log: string[];
let machine: Machine;
let pi: SimulatedPi;

/** Interrupts of the timer so far. */
function interrupts(): number {
  const [, count = '0'] =
    /(\d+)\s+ARMCTRL-level\s+35 Edge\s+timer$/m.exec(machine.files.read('/proc/interrupts')) ?? [];
  return Number(count);
}

/** Starts a timer in a task, and notes when it is called. */
function startTimer(ns: number, called: number[]): Hrtimer {
  const timer = new Hrtimer(() => {
    called.push(ktimeGet());
    return HRTIMER_NORESTART;
  });
  machine.runTask(() => hrtimerStart(timer, ns, HRTIMER_MODE_REL));
  return timer;
}

beforeEach(() => {
  log = [];
  machine = new Machine({ printk: (level, text) => log.push(`${level}: ${text}`) });
  pi = createSimulatedPi({ machine, board: {}, clockEvents: 'system-timer' });
});

describe('the system timer as clock event device', () => {
  it('is requested as the line of compare 3, and told of', () => {
    const [, irq] = /^ *(\d+):.* timer$/m.exec(machine.files.read('/proc/interrupts')) ?? [];
    expect(log).toEqual([`info: bcm2835: system timer (irq = ${irq})`]);
    expect([interrupts(), pi.soc.read32(ARMCTRL_BASE + ENABLE_IRQS_1)]).toEqual([0, 1 << 3]);
  });

  it('calls a timer in its interrupt, at the microsecond', () => {
    const called: number[] = [];
    startTimer(50 * US, called);
    machine.advance(MS);
    expect([called, interrupts(), log.length]).toEqual([[50 * US], 1, 1]);
    expect(pi.soc.read32(SYSTIMER_BASE + SYSTIMER_CS)).toBe(0);
  });

  it('is early by a part of a tick for times between microseconds, and then 15 of them late', () => {
    const called: number[] = [];
    startTimer(50 * US + 500, called);
    machine.advance(MS);
    expect([called, interrupts()]).toEqual([[65 * US], 2]);
  });

  it('is programmed at least 15 µs ahead', () => {
    const called: number[] = [];
    startTimer(2 * US, called);
    machine.advance(MS);
    expect(called).toEqual([15 * US]);
  });

  it('interrupts for nothing when a timer was cancelled, as it cannot be stopped', () => {
    const called: number[] = [];
    const timer = startTimer(50 * US, called);
    machine.runTask(() => hrtimerCancel(timer));
    machine.advance(MS);
    expect([called, interrupts()]).toEqual([[], 1]);
  });

  it('waits at the controller while interrupts are off', () => {
    const called: number[] = [];
    startTimer(50 * US, called);
    machine.runTask(function* () {
      localIrqDisable();
      yield* udelay(70);
      expect(pi.soc.read32(ARMCTRL_BASE + IRQ_PENDING_1)).toBe(1 << 3);
      localIrqEnable();
      yield* udelay(1);
    });
    expect(called).toEqual([70 * US]);
  });

  it('lets a timer function take its time before the interrupt ends', () => {
    const seen: string[] = [];
    const timer = new Hrtimer(function* () {
      seen.push(`begins at ${ktimeGet() / US}`);
      yield* udelay(5);
      seen.push(`ends, timer masked: ${(pi.soc.read32(ARMCTRL_BASE + ENABLE_IRQS_1) & 8) === 0}`);
      return HRTIMER_NORESTART;
    });
    machine.runTask(() => hrtimerStart(timer, 20 * US, HRTIMER_MODE_REL));
    machine.advance(MS);
    expect(seen).toEqual(['begins at 20', 'ends, timer masked: true']);
    expect(pi.soc.read32(ARMCTRL_BASE + ENABLE_IRQS_1)).toBe(1 << 3);
  });

  it('wakes sleepers across the wrap of its counter', () => {
    const clock = machine.clock;
    machine.advance((2 ** 32 - 5_000) * US - clock.now());
    const before = clock.now();
    machine.runTask(() => msleep(10));
    expect(clock.now() - before).toBeGreaterThanOrEqual(10 * MS);
    expect(clock.now() - before).toBeLessThan(20 * MS);
    expect(pi.soc.read32(SYSTIMER_BASE + SYSTIMER_CLO)).toBeLessThan(20_000);
  });
});

describe('a compare that no driver uses', () => {
  it('is GPU interrupt 1 for compare 1', () => {
    pi.soc.write32(SYSTIMER_BASE + SYSTIMER_C1, 100);
    machine.advance(MS);
    pi.soc.write32(ARMCTRL_BASE + ENABLE_IRQS_1, 1 << 1);
    expect(log.at(-1)).toBe('crit: ARMCTRL: interrupt 1 of bank 1 is disabled: nobody handles it');
  });
});
