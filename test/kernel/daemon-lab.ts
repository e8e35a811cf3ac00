// What tests of the built daemon on a real kernel begin with: a chip, a folder, and a daemon that is ready.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, onTestFinished } from 'vitest';
import { ControlClient } from '../../daemon/control/client.js';
import { ROOT, Running } from '../e2e/running-daemon.js';
import { createGpioSim, type GpioSim } from './gpio-sim.js';

/** How often is looked for what the daemon does, in ms. */
export const OFTEN = { interval: 10 };

/** The chip of the test that runs: one that the daemon takes for the header. */
export let sim: GpioSim;
let folder: string;

/** A new chip and a new folder for each test of the file. */
export function setUpEach(): void {
  beforeEach(() => {
    sim = createGpioSim();
    folder = mkdtempSync(join(tmpdir(), 'gpio-irqd-kernel-'));
  });
  afterEach(() => {
    sim.remove();
    rmSync(folder, { recursive: true });
  });
}

export const socketPath = (): string => join(folder, 'control.sock');

/** Writes the daemon's configuration. */
export function write(text: string): void {
  writeFileSync(join(folder, 'config.yaml'), text);
}

/** Starts a daemon, which ends with the test. */
export function launch(text: string): Running {
  write(text);
  const main = join(ROOT, 'dist/daemon/main.js');
  const args = [main, 'run', '--config', join(folder, 'config.yaml'), '--socket', socketPath()];
  const running = new Running(spawn(process.execPath, args));
  onTestFinished(async () => {
    running.child.kill('SIGKILL');
    await running.finished;
  });
  return running;
}

/** A daemon that is ready, and a client of it; both end with the test. */
export async function daemon(text: string): Promise<{ running: Running; client: ControlClient }> {
  const running = launch(text);
  const client = new ControlClient(socketPath());
  onTestFinished(() => client.close());
  await running.says('Ctrl-C ends it');
  return { running, client };
}
