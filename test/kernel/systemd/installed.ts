// The program as a user has it: built, put in place by its own install script, with a chip that udev has met.

import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createGpioSim, type GpioSim } from '../gpio-sim.js';

const run = promisify(execFile);

export const SERVICE = 'gpio-irqd.service';
export const CONFIG = '/etc/gpio-irqd/config.yaml';
/** Lines of the example configuration. */
export const BUTTON1 = 17;
export const BUTTON2 = 18;
export const LED1 = 4;

function built(path: string): string {
  return fileURLToPath(new URL(`../../../dist/${path}`, import.meta.url));
}

/** Runs the install script with these arguments, and gives what it printed. */
export async function installScript(...args: string[]): Promise<string> {
  return (await run(process.execPath, [built('systemd/install.js'), ...args])).stdout;
}

/** Takes away what the install script put in place, the configuration too: a test's changes to it are gone. */
export async function uninstall(): Promise<void> {
  await installScript('--uninstall');
  rmSync(CONFIG, { force: true });
}

/** Runs gpio-irqctl against the service, and gives its standard output. */
export async function gpioIrqctl(...args: string[]): Promise<string> {
  return (await run(process.execPath, [built('daemon/ctl.js'), '--socket', '/run/gpio-irqd/control.sock', ...args]))
    .stdout;
}

/** A header's chip with both buttons open (pulled up), once udev has given it group and mode. */
export async function plugHeader(): Promise<GpioSim> {
  const sim = createGpioSim();
  sim.pull(BUTTON1, 1);
  sim.pull(BUTTON2, 1);
  await run('udevadm', ['settle']);
  return sim;
}
