// What becomes of the service when something is against it: a hang, a chip that leaves, lines held, no permission.

import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { DaemonStatus } from '../../../daemon/control/target.js';
import { openChardev } from '../../../drivers/chardev/chardev.js';
import type { GpioSim } from '../gpio-sim.js';
import { BUTTON1, CONFIG, gpioIrqctl, installScript, LED1, plugHeader, SERVICE, uninstall } from './installed.js';
import { configure, EVERY_EDGE, journal, linesInUse, override, stopService } from './service.js';
import { systemctl, type UnitState, unitReaches, unitState } from './systemctl.js';

let sim: GpioSim;
let since = 0;
let undo: () => Promise<void>;
beforeAll(async () => {
  await installScript();
  writeFileSync(join(dirname(CONFIG), 'hang.mjs'), 'export function topHalf() { for (;;); }\n');
  configure(`${EVERY_EDGE}interrupts:\n  - { line: button1, handler: ./hang.mjs }\n`);
  // The unit as it is shipped, but for its patience.
  undo = await override('RestartSec=500ms');
  sim = await plugHeader();
});
beforeEach(() => {
  since = Date.now();
});
afterAll(async () => {
  await stopService();
  sim.remove();
  await undo();
  await uninstall();
});

/** Up again by systemd's hand, and not the process of before. */
const restartedAfter = (before: UnitState) => (now: UnitState) =>
  now.SubState === 'running' && now.NRestarts > before.NRestarts && now.MainPID !== before.MainPID;

/** Starts the service where it cannot come up; systemd tries again and again, so that the next start may have begun already. */
async function failsToStart(): Promise<void> {
  await expect(systemctl('start', SERVICE)).rejects.toThrow(/control process exited with error code/);
  await unitReaches(SERVICE, ({ Result, ExecMainStatus }) => Result === 'exit-code' && ExecMainStatus === 1);
}

describe('with a watchdog of two seconds', () => {
  beforeAll(async () => {
    await override('WatchdogSec=2', 'RestartSec=500ms');
  });
  // A machine that stands still for a second would have it bite in the other tests too.
  afterAll(async () => {
    await stopService();
    await override('RestartSec=500ms');
  });

  test.each([
    ['is stopped', (pid: number) => process.kill(pid, 'SIGSTOP')],
    ['is busy in a handler for ever', () => sim.pull(BUTTON1, 0)],
  ])('a process that %s is killed by the watchdog and started anew', async (_, hang) => {
    await systemctl('start', SERVICE);
    const before = await unitState(SERVICE);
    hang(before.MainPID);
    await unitReaches(SERVICE, restartedAfter(before));
    expect(await journal(since)).toMatch(/Watchdog timeout \(limit 2s\)!/);
    expect(linesInUse(sim)).toEqual([LED1, BUTTON1]);
  });
});

/** `systemctl status` shows it as "Status". */
const statusText = async (): Promise<string> => (await unitState(SERVICE)).StatusText;

test('a chip that is unplugged is waited for, with its lines taken back and no restart', async () => {
  await systemctl('start', SERVICE);
  const before = await unitState(SERVICE);
  sim.unplug();
  await expect.poll(statusText).toMatch(/^the GPIO chip is gone: .*; it is waited for/);
  expect(await journal(since)).toContain('the GPIO chip is gone');
  // The watchdog, of ten seconds, leaves it alone.
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  sim.plug();
  await expect.poll(statusText).toContain(`${sim.chipName} [pinctrl-bcm2835]`);
  const status = JSON.parse(await gpioIrqctl('status', '--json')) as DaemonStatus;
  expect(status).toMatchObject({ chip: { name: sim.chipName }, simulated: false, edges: { lost: 'unknown' } });
  expect(status).not.toHaveProperty('problem');
  expect(linesInUse(sim)).toEqual([LED1, BUTTON1]);
  const { MainPID, NRestarts } = before;
  expect(await unitState(SERVICE)).toMatchObject({ MainPID, NRestarts, SubState: 'running' });
});

test('a line that somebody else holds: it says who, runs with the others, and takes the line when it is free', async () => {
  const chip = openChardev(sim.path);
  onTestFinished(() => chip.close());
  await stopService();
  const held = chip.requestLines({ lines: [{ offset: BUTTON1, direction: 'in' }], consumer: 'w1-gpio' });
  await systemctl('start', SERVICE);
  expect(await statusText()).toBe("button1 is held by 'w1-gpio'");
  expect(await journal(since)).toContain("button1 (GPIO17) is held by 'w1-gpio'; it is taken as soon as it is free");
  expect(chip.lineInfo(LED1).consumer).toBe('gpio-irqd');
  held.release();
  await expect.poll(() => chip.lineInfo(BUTTON1).consumer).toBe('gpio-irqd');
  await expect.poll(statusText).toContain(sim.chipName);
});

test('a chip that its user may not open: it says so, and names the remedy', async () => {
  chmodSync(sim.path, 0o600);
  onTestFinished(() => chmodSync(sim.path, 0o660));
  await stopService();
  await failsToStart();
  expect(await journal(since)).toMatch(/EACCES: Permission denied.*\n.*group that owns/);
});
