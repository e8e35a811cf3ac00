// A simulation: the service in virtual time, and what becomes of it when a handler does not play along.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../config/load.js';
import { brokenInvariants } from './invariants.js';
import { Simulation, type SimulationOptions } from './simulation.js';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-simulation-spec-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let simulation: Simulation | undefined;
afterEach(() => simulation?.end());

/** A line with both edges and a handler module. */
async function start(code: string, options: Partial<SimulationOptions> = {}): Promise<Simulation> {
  writeFileSync(join(directory, 'handler.mjs'), code);
  const configPath = join(directory, 'test.yaml');
  const config = parseConfig(
    'lines: { b: { gpio: 17, edge: both, bias: pull-down } }\ninterrupts: [{ line: b, handler: ./handler.mjs }]\n',
    configPath,
  );
  if (!config.ok) throw new Error(config.errors[0]?.message);
  simulation = await Simulation.start({ config: config.config, configPath, ...options });
  return simulation;
}

function press(sim: Simulation): void {
  sim.stage.perform({ atNs: 0, action: { kind: 'level', line: 'b', value: 1 } });
}

const FOR_EVER = 'export async function threadFn() { await new Promise(() => {}); }\n';

describe('Simulation', () => {
  it('starts its time at 0, with the lines in effect', async () => {
    const sim = await start('export function topHalf(irq, dev) { dev.log(String(dev.edge.stampNs)); return 1; }\n');
    expect(sim.nowNs).toBe(0);
    const log: string[] = [];
    sim.subscribe((event) => {
      if (event.type === 'log') log.push(`${event.atNs} ${event.text}`);
    });
    press(sim);
    await sim.runUntil(5_000_000);
    expect(sim.nowNs).toBe(5_000_000);
    // The stamp is that of the machine, which booted a millisecond before.
    expect(log).toEqual(['8 1000008']);
  });

  it('gives up on a handler that waits for what never comes, and ends all the same', async () => {
    const sim = await start(FOR_EVER, { patienceMs: 50 });
    press(sim);
    await expect(sim.runUntil(1e9)).rejects.toMatchObject({
      code: 'ETIMEDOUT',
      message: 'a handler has waited for 50ms for something outside of the model',
    });
  });

  it('can be interrupted while a handler waits', async () => {
    const sim = await start(FOR_EVER);
    const stop = new AbortController();
    press(sim);
    const running = sim.runUntil(1e9, undefined, stop.signal);
    setTimeout(() => stop.abort(new Error('enough')), 20);
    await expect(running).rejects.toThrow('enough');
  });

  it('lets a handler that sleeps come to its end when it stops', async () => {
    const sim = await start(
      'export function* threadFn(_irq, dev) { yield* dev.kernel.msleep(60_000); dev.log("awake"); return 1; }\n',
    );
    const log: string[] = [];
    sim.subscribe((event) => {
      if (event.type === 'log') log.push(event.text);
    });
    press(sim);
    await sim.runUntil(1_000_000);
    await sim.end();
    expect(log).toEqual(['awake']);
  });

  it('says why it cannot start, and leaves nothing behind', async () => {
    await expect(start('export const nothing = 1;\n')).rejects.toThrow('exports neither topHalf nor threadFn');
    await expect(start('syntax error')).rejects.toThrow('cannot be loaded');
  });
});

describe('a simulation with several chips', () => {
  it('looks at the pads of the chip that a line is on', async () => {
    const parsed = parseConfig(
      'chips: { far: label:mcp23017 }\nlines: { near: { gpio: 2, edge: both, bias: pull-up }, a: { gpio: 2, chip: far, edge: both } }\n',
      join(directory, 'test.yaml'),
    );
    if (!parsed.ok) throw new Error(parsed.errors[0]?.message);
    const { config } = parsed;
    simulation = await Simulation.start({ config, configPath: '/test.yaml' });
    expect(config.lines.map((line) => simulation?.padLevel(line))).toEqual([1, 0]);
    expect(brokenInvariants(simulation, config, false)).toEqual([]);
  });
});
