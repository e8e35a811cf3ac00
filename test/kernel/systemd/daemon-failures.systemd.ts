// What becomes of the service when something is against it: a hang, a chip that leaves, lines held, no permission.

import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
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
  undo = await override('WatchdogSec=2', 'RestartSec=500ms');
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

/** Starts the service where it cannot come up. */
async function failsToStart(): Promise<void> {
  await expect(systemctl('start', SERVICE)).rejects.toThrow(/control process exited with error code/);
  expect(await unitState(SERVICE)).toMatchObject({ Result: 'exit-code', ExecMainStatus: 1 });
}

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

test('a chip that is unplugged ends it with exit 1; systemd starts it until the chip is back', async () => {
  await systemctl('start', SERVICE);
  const before = await unitState(SERVICE);
  sim.unplug();
  const failed = await unitReaches(SERVICE, (now) => now.SubState === 'auto-restart');
  expect(failed).toMatchObject({ Result: 'exit-code', ExecMainStatus: 1 });
  expect(await journal(since)).toContain('the GPIO chip is gone');
  // One start in vain at least.
  await unitReaches(SERVICE, (now) => now.SubState === 'auto-restart' && now.NRestarts > before.NRestarts);
  expect(await journal(since)).toMatch(/no header chip on this machine.*ENOENT/);
  sim.plug();
  await unitReaches(SERVICE, restartedAfter(before));
  const status = JSON.parse(await gpioIrqctl('status', '--json')) as DaemonStatus;
  expect(status).toMatchObject({ chip: { name: sim.chipName }, simulated: false });
  expect(status).not.toHaveProperty('problem');
});

test('a line that somebody else holds: it says who, and comes up when the line is free', async () => {
  const chip = openChardev(sim.path);
  onTestFinished(() => chip.close());
  await stopService();
  const held = chip.requestLines({ lines: [{ offset: BUTTON1, direction: 'in' }], consumer: 'w1-gpio' });
  await failsToStart();
  expect(await journal(since)).toContain("GPIO17 is held by 'w1-gpio'; free it or pick another line");
  expect(linesInUse(sim)).toEqual([BUTTON1]);
  held.release();
  await unitReaches(SERVICE, (now) => now.SubState === 'running');
});

test('a chip that its user may not open: it says so, and names the remedy', async () => {
  chmodSync(sim.path, 0o600);
  onTestFinished(() => chmodSync(sim.path, 0o660));
  await stopService();
  await failsToStart();
  expect(await journal(since)).toMatch(/EACCES: Permission denied.*\n.*group that owns/);
});
