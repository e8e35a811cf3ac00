// A storm on one line of the service: left out and counted, told once, and over before another line has to wait for it.

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DaemonStatus, LineStatus } from '../../../daemon/control/target.js';
import type { GpioSim } from '../gpio-sim.js';
import {
  BUTTON1,
  BUTTON2,
  CONFIG,
  gpioIrqctl,
  installScript,
  LED1,
  plugHeader,
  SERVICE,
  uninstall,
} from './installed.js';
import { ask, configure, journal, stopService, watchEvents } from './service.js';
import { systemctl } from './systemctl.js';

/** Edges of the flood before each press; with the press they fit into the kernel's FIFO. */
const BURST = 200;
const PRESSES = 8;
/** A line that keeps to its rate for so long has its storm behind it. */
const WINDOW_MS = 3_000;

let sim: GpioSim;
let level: 0 | 1 = 1;
let flooded = 0;
/** When each burst began, and when the press after it was answered; ms. */
let bursts: { readonly from: number; readonly to: number }[] = [];

beforeAll(async () => {
  await installScript();
  // Each edge of the flood costs a millisecond, which nobody can give the other line back.
  const slow =
    'export function topHalf() { for (const end = performance.now() + 1; performance.now() < end; ); return 1; }';
  writeFileSync(join(dirname(CONFIG), 'slow.mjs'), `${slow}\n`);
  sim = await plugHeader();
});
afterAll(async () => {
  await stopService();
  sim.remove();
  await uninstall();
});

const floodLine = () => ask<LineStatus>('/v1/lines/flood');

async function start(guard: string): Promise<void> {
  await stopService();
  configure(`
lines:
  flood: { gpio: ${BUTTON1}, edge: both, bias: pull-up${guard} }
  button: { gpio: ${BUTTON2}, edge: both, bias: pull-up, active: low }
  led1: { gpio: ${LED1}, direction: out, initial: 0 }
interrupts:
  - { line: flood, handler: ./slow.mjs }
  - { line: button, top_half: [{ toggle: led1 }] }
`);
  flooded = 0;
  bursts = [];
  await systemctl('start', SERVICE);
}

/** A burst on one line, then an edge of the other: ms until the LED shows it. */
async function latency(button: 0 | 1): Promise<number> {
  const began = performance.now();
  for (let i = 0; i < BURST; i++) {
    level = level === 0 ? 1 : 0;
    sim.pull(BUTTON1, level);
  }
  flooded += BURST;
  const led = sim.value(LED1);
  const from = performance.now();
  sim.pull(BUTTON2, button);
  await expect.poll(() => sim.value(LED1), { interval: 1 }).toBe(1 - led);
  const answered = performance.now();
  bursts.push({ from: began, to: answered });
  return answered - from;
}

/** The latency that half of the presses stay below, with a flood without a pause. */
async function medianLatency(): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < PRESSES; i++) all.push(await latency(i % 2 === 0 ? 0 : 1));
  return all.sort((a, b) => a - b)[PRESSES / 2] ?? Number.NaN;
}

/** Storms that the flood may have been: one, and another for each pause in which a guest that stands still lets one end. */
function stormsAtMost(): number {
  const pauses = bursts.slice(1).filter(({ to }, i) => to - (bursts[i]?.from ?? to) >= WINDOW_MS);
  return 1 + pauses.length;
}

const begins = /flood: storm: more than 10 edges a second; disabled for 500ms/g;
const ends = /flood: storm is over: disabled .* edges left out/g;

test('the guard lets the other line through; every edge is handled or counted; the journal says each storm once', async () => {
  await start('');
  const unguarded = await medianLatency();
  await start(`, storm_guard: { rate: 10, window: ${WINDOW_MS}ms, backoff: 500ms, max_backoff: 1s }`);
  const since = Date.now();
  const told: string[] = [];
  const events = await watchEvents((event) => {
    if (event.type === 'storm') told.push(`${event.line} ${event.phase}`);
    return false;
  });
  // The end of the service cuts it off.
  events.all.catch(() => undefined);
  const guarded = await medianLatency();
  expect(guarded).toBeLessThan(unguarded / 4);

  const counted = async () => {
    const { rising, falling, storm } = await floodLine();
    return { edges: rising + falling + (storm?.leftOut ?? 0), throttled: storm?.throttled };
  };
  await expect.poll(counted).toEqual({ edges: flooded, throttled: false });
  const storms = async () => (await floodLine()).storm?.storms ?? 0;
  const perStorm = async () => Array.from({ length: await storms() }, () => ['flood begins', 'flood ends']).flat();
  await expect.poll(async () => told.length === (await perStorm()).length).toBe(true);
  expect(told).toEqual(await perStorm());
  expect(await storms()).toBeGreaterThan(0);
  expect(await storms()).toBeLessThanOrEqual(stormsAtMost());

  const { lost, storm } = await floodLine();
  expect(lost).toBe(0);
  expect(storm?.leftOut).toBeGreaterThan(flooded / 2);
  expect(await ask<DaemonStatus>('/v1/status')).toMatchObject({ leftOut: storm?.leftOut, edges: { lost: 0 } });
  expect(await gpioIrqctl('lines')).toMatch(new RegExp(`^flood .* 0  ${storm?.leftOut}$`, 'm'));
  const said = async (words: RegExp) => (await journal(since)).match(words)?.length ?? 0;
  await expect.poll(() => said(ends)).toBe(await storms());
  expect(await said(begins)).toBe(await storms());
});
