// The installed service under test: its configuration, its start, its journal, its counts and its events.

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { ControlClient } from '../../../daemon/control/client.js';
import type { ControlEvent, DaemonStatus } from '../../../daemon/control/target.js';
import { openChardev } from '../../../drivers/chardev/chardev.js';
import type { GpioSim } from '../gpio-sim.js';
import { BUTTON1, BUTTON2, CONFIG, LED1, SERVICE, SOCKET } from './installed.js';
import { systemctl } from './systemctl.js';

const run = promisify(execFile);

/** Both edges of button 1, as fast as they come: nothing debounces, and no other line brings edges. */
export const EVERY_EDGE = `
lines:
  button1: { gpio: ${BUTTON1}, direction: in, edge: both, bias: pull-up }
  led1: { gpio: ${LED1}, direction: out, initial: 0 }
`;

export function configure(text: string): void {
  writeFileSync(CONFIG, text);
}

const DROP_IN = `/run/systemd/system/${SERVICE}.d`;

/** Changes settings of the unit as `systemctl edit --runtime` does. @returns takes that back. */
export async function override(...settings: string[]): Promise<() => Promise<void>> {
  mkdirSync(DROP_IN, { recursive: true });
  writeFileSync(`${DROP_IN}/test.conf`, ['[Service]', ...settings, ''].join('\n'));
  await systemctl('daemon-reload');
  return async () => {
    rmSync(DROP_IN, { recursive: true });
    await systemctl('daemon-reload');
  };
}

/** Stops the service, whatever it is doing, and lets systemd forget how it failed. */
export async function stopService(): Promise<void> {
  await systemctl('stop', SERVICE);
  // Refused when the unit is not loaded any more: then there is nothing to forget.
  await systemctl('reset-failed', SERVICE).catch(() => undefined);
}

/** What the service, and systemd about it, wrote into the journal since `since` (ms, as of `Date.now()`). */
export async function journal(since: number): Promise<string> {
  await run('journalctl', ['--sync']);
  const options = ['--unit', SERVICE, '--output', 'cat', '--no-pager', '--since', `@${(since / 1000).toFixed(3)}`];
  return (await run('journalctl', options)).stdout;
}

/** Asks the service once. */
export async function ask<T>(route: string): Promise<T> {
  const client = new ControlClient(SOCKET);
  try {
    return (await client.call('GET', route)) as T;
  } finally {
    await client.close();
  }
}

/** Waits until SIGSTOP has come to the process. */
export async function waitStopped(pid: number): Promise<void> {
  await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), { interval: 1 }).toMatch(/ T /);
}

/** Waits until the service has received `count` edges: exactly, so more is an error. */
export async function receives(count: number): Promise<void> {
  const received = async () => (await ask<DaemonStatus>('/v1/status')).edges.received;
  await expect.poll(received, { interval: 20 }).toBe(count);
}

/** Watches the events until `last` holds of one; the promise inside is for all of them, that one included. */
export async function watchEvents(
  last: (event: ControlEvent) => boolean,
): Promise<{ readonly all: Promise<ControlEvent[]> }> {
  const client = new ControlClient(SOCKET);
  const collect = async (): Promise<ControlEvent[]> => {
    const seen: ControlEvent[] = [];
    for await (const event of client.events()) {
      seen.push(event);
      if (last(event)) break;
    }
    await client.close();
    return seen;
  };
  const all = collect();
  const watching = async () => (await ask<{ control: { watching: number } }>('/v1/status')).control.watching;
  await expect.poll(watching, { interval: 20 }).toBe(1);
  return { all };
}

/** Which of the example's lines somebody holds. */
export function linesInUse(sim: GpioSim): number[] {
  const chip = openChardev(sim.path);
  try {
    return [LED1, BUTTON1, BUTTON2].filter((offset) => chip.lineInfo(offset).used);
  } finally {
    chip.close();
  }
}
