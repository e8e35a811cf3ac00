// A running service in virtual time whose configuration is another from reload to reload, for specs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import type { LineInfoChange } from '../kernel/index.js';
import type { Config } from './config/config.js';
import { parseConfig } from './config/load.js';
import type { ReloadReport } from './control/target.js';
import { Simulation, type SimulationEvent, type SimulationOptions } from './scenario/simulation.js';

export const MS = 1_000_000;
export const LINES = `
  button1: { gpio: 17, edge: both, bias: pull-down }
  button2: { gpio: 18, edge: both, bias: pull-down }
  led1: { gpio: 4, direction: out }
  led2: { gpio: 5, direction: out }
`;
export const BASE = `lines:${LINES}interrupts:\n  - { line: button1, top_half: [{ follow: led1 }] }\n`;

export let directory = '';
export let configPath = '';
let simulation: Simulation | undefined;
/** All that a watcher was told. */
export let events: SimulationEvent[];
/** A folder of its own for each test of a file, and no simulation left after it. */
export function setUpEach(): void {
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-reconfigure-'));
    configPath = join(directory, 'test.yaml');
    events = [];
  });
  afterEach(async () => {
    await simulation?.end();
    simulation = undefined;
    rmSync(directory, { recursive: true, force: true });
  });
}

export function configOf(text: string): Config {
  const result = parseConfig(text, configPath);
  if (!result.ok) expect.fail(result.errors.map(({ message }) => message).join());
  return result.config;
}

/** Starts the service in a simulation. */
export async function start(text: string, options: Partial<SimulationOptions> = {}): Promise<Simulation> {
  simulation = await Simulation.start({ config: configOf(text), configPath, ...options });
  simulation.subscribe((event) => events.push(event));
  return simulation;
}

/** Lets a promise come about that takes time of the simulation, a little of it at a time. */
export async function during<T>(sim: Simulation, done: Promise<T>): Promise<T> {
  let over = false;
  const ended = done.finally(() => {
    over = true;
  });
  while (!over) {
    await nextTurn();
    if (!over) await sim.runUntil(sim.nowNs + 10_000);
  }
  return ended;
}

/** Pulls of the simulated chip take 2 µs each, and its watchers are told then. */
export async function reload(sim: Simulation, text: string): Promise<ReloadReport> {
  const report = await during(sim, sim.service.reconfigure(configOf(text)));
  await sim.runUntil(sim.nowNs + 100_000);
  return report;
}

/** Gives a line's wire a level. */
export function level(sim: Simulation, line: string, value: 0 | 1): void {
  sim.stage.perform({ atNs: 0, action: { kind: 'level', line, value } });
}

/** Presses the button of a line for a millisecond. */
export async function press(sim: Simulation, line: string): Promise<void> {
  level(sim, line, 1);
  await sim.runUntil(sim.nowNs + MS);
  level(sim, line, 0);
  await sim.runUntil(sim.nowNs + MS);
}

/** What others see of the lines from now on. */
export function watch(sim: Simulation, ...offsets: number[]): string[] {
  const seen: string[] = [];
  const chip = sim.device.open();
  const listener = ({ kind, info }: LineInfoChange) => seen.push(`${info.offset} ${kind}`);
  for (const offset of offsets) chip.watchLineInfo(offset, listener);
  return seen;
}

/** Rising and falling edges of a line. */
export const counts = (sim: Simulation, name: string): number[] => {
  const { rising, falling } = sim.service.getLine(name);
  return [rising, falling];
};
