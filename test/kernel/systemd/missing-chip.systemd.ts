// A chip that the configuration names and that is not there when the service starts.

import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { createGpioSim, type GpioSim } from '../gpio-sim.js';
import { gpioIrqctl, installScript, plugHeader, SERVICE, uninstall } from './installed.js';
import { configure, journal, override, stopService } from './service.js';
import { systemctl, unitState } from './systemctl.js';

let header: GpioSim;
let undo: () => Promise<void>;
beforeAll(async () => {
  await installScript();
  undo = await override('RestartSec=60s');
  header = await plugHeader();
});
beforeEach(() => stopService());
afterAll(async () => {
  await stopService();
  header.remove();
  await undo();
  await uninstall();
});

const statusText = async (): Promise<string> => (await unitState(SERVICE)).StatusText;

test.each([
  ['the chip of the file', 'chip: label:expander\nlines:\n  led9: { gpio: 9, direction: out, initial: 1 }\n'],
  [
    'a further one',
    'chips: { expander: label:expander }\nlines:\n  led9: { gpio: 9, chip: expander, direction: out, initial: 1 }\n',
  ],
])('%s is waited for: the service is ready, says so, and takes its lines when it comes', async (_, text) => {
  const since = Date.now();
  configure(text);
  await systemctl('start', SERVICE);
  expect((await unitState(SERVICE)).ActiveState).toBe('active');
  expect(await statusText()).toMatch(/is not there: no chip labelled 'expander' on this machine; it is waited for/);
  expect(await gpioIrqctl('get', 'led9')).toBe('unknown\n');
  await expect(gpioIrqctl('set', 'led9', '0')).rejects.toThrow(/not there/);
  expect(await journal(since)).toContain('is not there; it is waited for');
  const expander = createGpioSim({ label: 'expander', lines: 16 });
  onTestFinished(() => expander.remove());
  await expect.poll(() => expander.value(9)).toBe(1);
  await expect.poll(statusText).not.toContain('not there');
  expect((await gpioIrqctl('get', 'led9')).trim()).toBe('1');
});

test('on a machine without GPIO the service does not start, and says what to do', async () => {
  header.unplug();
  onTestFinished(() => header.plug());
  const since = Date.now();
  configure('chip: label:expander\nlines:\n  led9: { gpio: 9, direction: out }\n');
  await expect(systemctl('start', SERVICE)).rejects.toThrow(/control process exited with error code/);
  expect(await journal(since)).toMatch(/no chip labelled 'expander'[\s\S]*this machine has no GPIO chip/);
});
