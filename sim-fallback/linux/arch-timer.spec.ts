// Timers of the model over the timers of the cores: each CPU's own interrupt, when it comes, and when it does not.
import { describe, expect, it } from 'vitest';
import {
  HRTIMER_MODE_REL,
  HRTIMER_NORESTART,
  Hrtimer,
  hrtimerCancel,
  hrtimerStart,
  Machine,
  msleep,
  smpProcessorId,
  udelay,
} from '../../kernel/index.js';
import { createSimulatedPi } from './simulated-pi.js';

const MS = 1_000_000;

function rig(soc: 'bcm2836' | 'bcm2837' | 'bcm2711') {
  const machine = new Machine({ cpus: 4 });
  createSimulatedPi({ machine, board: {}, soc, clockEvents: 'arch-timer' });
  const called: [number, number][] = [];
  /** Starts a timer on a CPU, and notes where and when it is called. */
  const start = (cpu: number, ns: number): Hrtimer => {
    const timer = new Hrtimer(() => {
      called.push([smpProcessorId(), machine.clock.now()]);
      return HRTIMER_NORESTART;
    });
    machine.spawn('start', () => hrtimerStart(timer, ns, HRTIMER_MODE_REL), { cpusAllowed: 1 << cpu });
    return timer;
  };
  const counts = (): number[] => {
    const [, numbers = ''] = /:((?: +\d+){4}) .*arch_timer$/m.exec(machine.files.read('/proc/interrupts')) ?? [];
    return numbers.trim().split(/ +/).map(Number);
  };
  return { machine, called, start, counts };
}

describe.each(['bcm2836', 'bcm2837', 'bcm2711'] as const)('the timers of the cores of a %s', (soc) => {
  it('interrupt each CPU for its own timers', () => {
    const { machine, called, start, counts } = rig(soc);
    start(1, 5 * MS);
    start(3, 10 * MS);
    machine.advance(20 * MS);
    expect([called, counts()]).toEqual([
      [
        [1, 5 * MS],
        [3, 10 * MS],
      ],
      [0, 1, 0, 1],
    ]);
  });

  it('are early by a part of a tick, and late by 15 of them then', () => {
    const { machine, called, start, counts } = rig(soc);
    start(2, 5 * MS + 10);
    machine.advance(20 * MS);
    const late = (called[0]?.[1] ?? 0) - 5 * MS;
    expect([called.length, counts()[2]]).toEqual([1, 2]);
    expect(late).toBeGreaterThan(200);
    expect(late).toBeLessThan(900);
  });

  it('are stopped when there is no timer to wait for', () => {
    const { machine, called, start, counts } = rig(soc);
    const timer = start(0, 5 * MS);
    machine.runTask(() => hrtimerCancel(timer));
    machine.advance(20 * MS);
    expect([called, counts()]).toEqual([[], [0, 0, 0, 0]]);
  });

  it('let sleepers on all CPUs wake in time', () => {
    const { machine } = rig(soc);
    const woken: number[] = [];
    for (const { id } of machine.cpus) {
      const sleep = function* () {
        for (let i = 0; i < 3; i++) {
          yield* msleep(5 + id);
          yield* udelay(7);
        }
        woken.push(id);
      };
      machine.spawn(`sleeper${id}`, sleep, { cpusAllowed: 1 << id });
    }
    machine.advance(200 * MS);
    expect(woken.sort()).toEqual([0, 1, 2, 3]);
  });
});

describe('/proc/interrupts', () => {
  it('shows the timer as the controller of each chip has it', () => {
    const line = (soc: 'bcm2837' | 'bcm2711'): string => {
      const text = rig(soc).machine.files.read('/proc/interrupts');
      return text.split('\n').find((found) => found.endsWith('arch_timer')) ?? '';
    };
    expect(line('bcm2837')).toMatch(/ bcm2836-timer +1 Edge +arch_timer$/);
    expect(line('bcm2711')).toMatch(/ GICv2 +30 Level +arch_timer$/);
  });
});

describe('a BCM2835', () => {
  it('has no such timer: EINVAL', () => {
    const build = () => createSimulatedPi({ machine: new Machine(), board: {}, clockEvents: 'arch-timer' });
    expect(build).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });
});
