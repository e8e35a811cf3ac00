// Lines over a chip that can be unplugged, on the simulated chip in virtual time, for specs of LastingLines.
import { afterEach, beforeEach } from 'vitest';
import { type LineConfig, Machine, VirtualClock } from '../../kernel/index.js';
import { createSimulatedPi, FaultyDevice, type SimulatedPi } from '../../sim-fallback/index.js';
import type { StartTimer } from './bursts.js';
import { LastingLines, type LastingLinesOptions } from './lasting-lines.js';

export const BUTTON: LineConfig = { offset: 17, direction: 'in', edge: 'both', bias: 'pull-up', activeLow: true };
export const LED: LineConfig = { offset: 4, direction: 'out', initial: 1 };
export const RELAY: LineConfig = { offset: 5, direction: 'out', initial: 'keep' };

export let clock: VirtualClock;
export let pi: SimulatedPi;
export let device: FaultyDevice;
/** What the service was told, in order. */
export let told: string[];
/** Lines that were requested anew. */
export let anew: number[];
let opened: LastingLines[];
/** Begins with a chip of which nothing is held. */
export function setUp(): void {
  clock = new VirtualClock();
  pi = createSimulatedPi({ machine: new Machine({ clock }), board: { buttons: { b: { gpio: 17, pull: 'up' } } } });
  device = new FaultyDevice(clock, () => pi.chip.open());
  told = [];
  anew = [];
  opened = [];
}
/** A chip of its own for each test of a file. */
export function setUpEach(): void {
  beforeEach(setUp);
  afterEach(() => {
    for (const lines of opened) lines.close();
  });
}

export const startTimer: StartTimer = (callback, ms) => {
  const alarm = clock.createAlarm(callback);
  alarm.schedule(clock.now() + ms * 1e6);
  return () => alarm.cancel();
};

/** Lets so many ms of the clock go by. */
export function pass(ms: number): void {
  const end = clock.now() + ms * 1e6;
  while (clock.step(end));
}

/** The lines of a service that looks for its chip. */
export function hold(lines: readonly LineConfig[], more: Partial<LastingLinesOptions> = {}): LastingLines {
  const lasting = new LastingLines({
    chip: device.open(),
    lines,
    consumer: 'test',
    notices: {
      onGone: () => told.push('gone'),
      onBack: ({ name }) => told.push(`back as ${name}`),
      onWaiting: (offset, why) => told.push(`${offset} ${why}`),
      onHeld: (offset) => told.push(`${offset} held`),
    },
    comeback: { reopen: () => device.open(), startTimer },
    onAnew: (offset) => anew.push(offset),
    nameOf: (offset) => `line${offset}`,
    ...more,
  });
  opened.push(lasting);
  return lasting;
}

/** Somebody else. */
export function other(...lines: LineConfig[]): { release(): void } {
  return pi.chip.open().requestLines({ lines, consumer: 'w1-gpio' });
}

/** Presses the button, which is on line 17. */
export function press(): void {
  pi.board.press('b', { holdNs: 1e6, bounce: false });
  pass(10);
}
