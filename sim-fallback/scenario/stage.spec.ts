// Steps on the stage: what each does to the pads, and what is refused.
import { beforeEach, describe, expect, it } from 'vitest';
import { type KernelError, Machine, VirtualClock } from '../../kernel/index.js';
import { createSimulatedPi, type SimulatedPi } from '../linux/simulated-pi.js';
import { FaultyDevice } from './faulty-device.js';
import { Stage } from './stage.js';
import type { Fault, Step, StepAction } from './step.js';
import { inOrder, timeline } from './timeline.js';

const MS = 1_000_000;

describe('Stage', () => {
  let clock: VirtualClock;
  let pi: SimulatedPi;
  let stage: Stage;
  let device: FaultyDevice;
  let seen: [number, number][];

  beforeEach(() => {
    clock = new VirtualClock();
    const board = { buttons: { button: { gpio: 17 } }, pulls: [{ gpio: 22, pull: 'down' as const }] };
    pi = createSimulatedPi({ machine: new Machine({ clock }), board });
    device = new FaultyDevice(clock, () => pi.chip.open());
    const lines = new Map([
      ['button', { gpio: 17, activeLow: true }],
      ['meter', { gpio: 22, activeLow: false }],
    ]);
    stage = new Stage({ clock, board: pi.board, device, lines });
    clock.advance(MS);
    seen = [];
    for (const gpio of [17, 22]) {
      let last = pi.board.level(gpio);
      pi.soc.gpio.onPad(gpio, (level) => {
        // Told too when only who gives the level has changed.
        if (level !== last) seen.push([clock.now() - MS, level]);
        last = level;
      });
    }
  });

  const act = (action: StepAction): void => stage.perform({ atNs: 0, action });
  const fault = (what: Fault): void => act({ kind: 'fault', fault: what });

  it('holds a wire with a logical level to a line, and takes it away', () => {
    act({ kind: 'level', line: 'button', value: 1 });
    expect(seen).toEqual([[0, 0]]);
    act({ kind: 'level', line: 'button', value: 'float' });
    expect(seen).toEqual([
      [0, 0],
      [0, 1],
    ]);
  });

  it('leaves a line that is stuck alone until that is over, whatever else goes wrong with it', () => {
    fault({ fault: 'storm', line: 'meter', ratePerSec: 1000, forNs: 5 * MS });
    fault({ fault: 'stuck', line: 'meter', value: 1, forNs: 3 * MS });
    fault({ fault: 'glitch', line: 'meter', widthNs: 500 });
    fault({ fault: 'bounce', line: 'meter', bounce: {} });
    fault({ fault: 'storm', line: 'meter', ratePerSec: 1000, forNs: 5 * MS });
    clock.advance(2 * MS);
    fault({ fault: 'glitch', line: 'meter', widthNs: 500 });
    clock.advance(2 * MS);
    expect(seen).toEqual([
      [0, 1],
      [3 * MS, 0],
    ]);
    fault({ fault: 'glitch', line: 'meter', widthNs: 500 });
    clock.advance(MS);
    expect(seen).toHaveLength(4);
  });

  it('brings an unplugged chip back when the last fault that took it away says so', () => {
    const plugged = (): boolean => {
      try {
        device.open().close();
        return true;
      } catch {
        return false;
      }
    };
    fault({ fault: 'unplug', forNs: 2 * MS });
    clock.advance(MS);
    fault({ fault: 'unplug', forNs: 5 * MS });
    clock.advance(3 * MS);
    expect(plugged()).toBe(false);
    clock.advance(2 * MS);
    expect(plugged()).toBe(true);
  });

  it('knows lines by their number, too', () => {
    act({ kind: 'level', line: 'GPIO22', value: 1 });
    expect(seen).toEqual([[0, 1]]);
  });

  it('turns a line round for a glitch, from whatever level it has', () => {
    fault({ fault: 'glitch', line: 'meter', widthNs: 500 });
    clock.advance(MS);
    expect(seen).toEqual([
      [0, 1],
      [500, 0],
    ]);
  });

  it('keeps a stuck line at its level whatever is done to it, then shows what was done', () => {
    fault({ fault: 'stuck', line: 'button', value: 0, forNs: 10 * MS });
    clock.advance(MS);
    act({ kind: 'press', line: 'button', holdNs: undefined, bounce: undefined });
    clock.advance(5 * MS);
    expect(seen.filter(([, level]) => level === 0)).toEqual([]);
    clock.advance(5 * MS);
    expect(seen.at(-1)).toEqual([10 * MS, 0]);
  });

  it('ends the fault before when a line is forced anew', () => {
    fault({ fault: 'stuck', line: 'meter', value: 1, forNs: 2 * MS });
    clock.advance(MS);
    fault({ fault: 'stuck', line: 'meter', value: 1, forNs: 5 * MS });
    clock.advance(3 * MS);
    expect(seen).toEqual([[0, 1]]);
    clock.advance(3 * MS);
    expect(seen.at(-1)).toEqual([6 * MS, 0]);
  });

  it('storms at the rate that is asked for, an even number of edges', () => {
    fault({ fault: 'storm', line: 'meter', ratePerSec: 1000, forNs: 9_900_000 });
    clock.advance(20 * MS);
    expect(seen).toEqual(Array.from({ length: 8 }, (_, i) => [i * MS, i % 2 === 0 ? 1 : 0]));
  });

  it('chatters within the settle time, and ends as it began', () => {
    fault({ fault: 'bounce', line: 'meter', bounce: { maxBounces: 5, settleNs: MS } });
    clock.advance(2 * MS);
    expect(seen.length).toBeGreaterThanOrEqual(2);
    expect(seen.length % 2).toBe(0);
    expect(seen.at(-1)?.[0]).toBeLessThanOrEqual(MS);
    expect(pi.board.level(22)).toBe(0);
  });

  it.each([
    [{ kind: 'press', line: 'meter', holdNs: undefined, bounce: undefined }, 'ENOENT', "no button at 'meter'"],
    [{ kind: 'level', line: 'nothing', value: 1 }, 'ENOENT', "no line 'nothing'"],
  ] satisfies [StepAction, string, string][])('refuses what it has not: %j', (action, code, message) => {
    let error: unknown;
    try {
      act(action);
    } catch (thrown) {
      error = thrown;
    }
    expect((error as KernelError).code).toBe(code);
    expect((error as KernelError).message).toContain(message);
  });
});

describe('timeline', () => {
  const step = (atNs: number, line: string, repeat?: Step['repeat']): Step => ({
    atNs,
    action: { kind: 'level', line, value: 1 },
    ...(repeat === undefined ? {} : { repeat }),
  });
  const laidOut = (steps: Iterable<Step>): string[] =>
    [...timeline(steps)].map(({ atNs, action }) => `${atNs} ${action.kind === 'level' ? action.line : ''}`);

  it('lays repeated steps out among the others; at one time, what stands first comes first', () => {
    const steps = [step(0, 'a', { everyNs: 10, count: 3 }), step(5, 'b', { everyNs: 5, count: 4 }), step(20, 'c')];
    expect(laidOut(steps)).toEqual(['0 a', '5 b', '10 a', '10 b', '15 b', '20 a', '20 b', '20 c']);
  });

  it('refuses steps out of order, with their place', () => {
    expect(() => laidOut([step(5, 'a'), { ...step(4, 'b'), place: 'f:3:1' }])).toThrow('f:3:1: the step at 4 ns');
    expect(laidOut(inOrder([step(5, 'a'), step(4, 'b'), step(5, 'c')]))).toEqual(['4 b', '5 a', '5 c']);
  });

  it('reads one step at a time', () => {
    let read = 0;
    function* endless(): Generator<Step> {
      for (;;) yield step(read++, 'a');
    }
    const steps = timeline(endless());
    for (let i = 0; i < 10; i++) steps.next();
    expect(read).toBe(10);
  });
});
