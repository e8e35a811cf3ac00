// Recording from a real kernel: the stamps of its edges, bounce included, are those that the replay has.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { daemonMain } from '../../daemon/daemon-commands.js';
import { createGpioSim, type GpioSim } from './gpio-sim.js';

let sim: GpioSim;
let directory = '';
beforeEach(() => {
  sim = createGpioSim();
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-record-'));
});
afterEach(() => {
  sim.remove();
  rmSync(directory, { recursive: true, force: true });
});

/** A command as a user calls it; `onSignal` gives its listener. */
async function command(
  args: readonly string[],
  onSignal: (send: () => void) => void,
): Promise<{ code: number; text: string }> {
  let text = '';
  const say = (part: string): void => {
    text += part;
  };
  const io = {
    out: say,
    err: say,
    terminal: false,
    env: {},
    uid: 0,
    onSignal: (listener: (signal: string) => void) => {
      onSignal(() => listener('SIGINT'));
      return () => {};
    },
  };
  const nowhere = (): Promise<never> => Promise.reject(new Error('not here'));
  const code = await daemonMain(args, io, { startService: nowhere, detect: nowhere });
  return { code, text };
}

it('records every edge of a bouncing contact with its kernel stamp, and the replay has them all', async () => {
  const config = join(directory, 'config.yaml');
  const file = join(directory, 'recorded.jsonl');
  const trace = join(directory, 'trace.jsonl');
  writeFileSync(
    config,
    `chip: ${sim.path.replace('/dev/', '')}\nlines: { button: { gpio: 17, edge: both, active: low, bias: pull-up } }\n`,
  );
  sim.pull(17, 1);
  let end: () => void = () => {};
  const recording = command(['record', '--config', config, '--out', file], (send) => {
    end = send;
  });
  while (!readFileSync(file, { encoding: 'utf8', flag: 'a+' }).includes('level'))
    await new Promise((r) => setTimeout(r, 1));
  for (let i = 0; i < 20; i++) {
    sim.pull(17, i % 2 === 0 ? 0 : 1);
    await new Promise((resolve) => setTimeout(resolve, i % 5));
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  end();
  expect(await recording).toEqual({ code: 0, text: expect.stringContaining('21 steps') });
  const recorded = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .slice(2)
    .map((line) => JSON.parse(line) as { at: string; value: number });
  expect(recorded.map(({ value }) => value)).toEqual(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 1 : 0)));
  const played = await command(['replay', file, '--config', config, '--trace', trace, '--detail', 'events'], () => {});
  expect(played).toMatchObject({ code: 0 });
  const edges = readFileSync(trace, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { ns: number; event?: string })
    .filter(({ event }) => event === 'edge');
  // The simulated chip sees a level two ticks of its clock after it came.
  for (const [i, { ns }] of edges.entries()) {
    expect(ns - Number.parseInt(recorded[i]?.at ?? '', 10)).toBeLessThanOrEqual(8);
  }
  expect(edges.length).toBe(20);
});
