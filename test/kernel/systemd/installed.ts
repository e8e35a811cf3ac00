// The program as a user has it: built, put in place by its own install script, with a chip that udev has met.

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

/** Where `npm install --global` puts the package, and where the shipped unit looks for it. */
const PACKAGE = '/usr/lib/node_modules/gpio-irqd';

/** Shows the checkout there too: the service may not see into a home directory, nor into the machine's /tmp. */
async function putInPlace(): Promise<void> {
  if (existsSync(join(PACKAGE, 'package.json'))) return;
  mkdirSync(PACKAGE, { recursive: true });
  await run('mount', ['--bind', fileURLToPath(new URL('../../..', import.meta.url)), PACKAGE]);
}

/** Runs the install script with these arguments, and gives what it printed. */
export async function installScript(...args: string[]): Promise<string> {
  await putInPlace();
  return (await run(process.execPath, [join(PACKAGE, 'dist/systemd/install.js'), ...args])).stdout;
}

/** Takes away what the install script put in place, and all that lies beside the configuration: what a test put there is gone. */
export async function uninstall(): Promise<void> {
  await installScript('--uninstall');
  rmSync(dirname(CONFIG), { recursive: true, force: true });
}

export const SOCKET = '/run/gpio-irqd/control.sock';

/** Runs gpio-irqctl against the service, and gives its standard output. */
export async function gpioIrqctl(...args: string[]): Promise<string> {
  return (await run(process.execPath, [join(PACKAGE, 'dist/daemon/ctl.js'), '--socket', SOCKET, ...args])).stdout;
}

/** A header's chip with both buttons open (pulled up), once udev has given it group and mode. */
export async function plugHeader(): Promise<GpioSim> {
  const sim = createGpioSim();
  sim.pull(BUTTON1, 1);
  sim.pull(BUTTON2, 1);
  await run('udevadm', ['settle']);
  return sim;
}
