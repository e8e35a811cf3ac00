// Requests that fail in a simulation: tried again in virtual time, after the pauses of a seed.
import { afterEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../config/load.js';
import { Simulation, type SimulationOptions } from './simulation.js';

let simulation: Simulation | undefined;
afterEach(() => simulation?.end());

/** A simulation of hooks that send requests, and the times of the requests, in ns. */
async function start(
  hooks: number,
  options: Partial<SimulationOptions>,
): Promise<{ sim: Simulation; times: number[] }> {
  const triggers = Array.from(
    { length: hooks },
    (_, i) =>
      `  - { name: h${i}, hook: h${i}, work: { queue: many, do: [ { http: "http://localhost/", retries: 3 }, { log: done } ] } }\n`,
  );
  const config = parseConfig(
    `lines: { b: { gpio: 17, edge: both } }
workqueues: { many: { flags: [unbound], max_active: 64 } }
triggers:
${triggers.join('')}`,
    '/etc/gpio-irqd/config.yaml',
  );
  if (!config.ok) throw new Error(config.errors[0]?.message);
  const sim = await Simulation.start({ config: config.config, configPath: '/etc/gpio-irqd/config.yaml', ...options });
  simulation = sim;
  const times: number[] = [];
  sim.subscribe((event) => {
    if (event.type === 'http') times.push(event.atNs);
  });
  return { sim, times };
}

/** The tries of one request that is answered with 503. */
async function tries(seed: number): Promise<number[]> {
  const { sim, times } = await start(1, { seed, http: () => 503 });
  sim.hook('h0');
  await sim.runUntil(60e9);
  await sim.end();
  return times;
}

describe('a request in a simulation', () => {
  it('is tried again after growing pauses of virtual time, give or take half', async () => {
    const [first = 0, second = 0, third = 0, fourth = 0, ...more] = await tries(1);
    expect(more).toEqual([]);
    for (const [pauseNs, about] of [
      [second - first, 1e9],
      [third - second, 2e9],
      [fourth - third, 4e9],
    ] as const) {
      expect(pauseNs).toBeGreaterThanOrEqual(about / 2);
      expect(pauseNs).toBeLessThanOrEqual(about * 1.5);
    }
  });

  it('is tried at the same times with the same seed, and at others with another', async () => {
    const once = await tries(7);
    expect(await tries(7)).toEqual(once);
    expect(await tries(8)).not.toEqual(once);
  });

  it('goes well as soon as the answer does, and what comes after it runs then', async () => {
    const answers = [503, 429, 204];
    const { sim, times } = await start(1, { http: () => answers.shift() ?? 200 });
    const said: number[] = [];
    sim.subscribe((event) => {
      if (event.type === 'log') said.push(event.atNs);
    });
    sim.hook('h0');
    await sim.runUntil(60e9);
    expect(times).toHaveLength(3);
    expect(said).toEqual([times[2]]);
  });

  it('has its turn also behind many that wait for theirs', async () => {
    const { sim, times } = await start(40, { http: () => 503 });
    for (let i = 0; i < 40; i++) sim.hook(`h${i}`);
    await sim.runUntil(120e9);
    expect(times).toHaveLength(40 * 4);
    expect(sim.nowNs).toBe(120e9);
  });

  it('comes to its end when the simulation does, in virtual time, and what waits for its turn too', async () => {
    const { sim, times } = await start(40, { http: () => 503 });
    for (let i = 0; i < 40; i++) sim.hook(`h${i}`);
    await sim.runUntil(100e6);
    await sim.end();
    expect(times).toHaveLength(40 * 4);
  });

  it('is no leak in the eyes of Node when many of them wait', async () => {
    const warnings: string[] = [];
    const note = (warning: Error): void => void warnings.push(warning.name);
    process.on('warning', note);
    try {
      const { sim } = await start(40, { http: () => 503 });
      for (let i = 0; i < 40; i++) sim.hook(`h${i}`);
      await sim.runUntil(1e9);
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off('warning', note);
    }
    expect(warnings).toEqual([]);
  });
});
