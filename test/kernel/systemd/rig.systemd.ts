// What the specs under systemd rest on: the guest's systemd starts units, sees READY and STATUS, and stops them.

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { systemctl, unitState } from './systemctl.js';

const UNIT = 'rig-notify.service';

beforeAll(() => {
  const program = fileURLToPath(new URL('notify-program.mjs', import.meta.url));
  writeFileSync('/run/rig-notify.env', `NODE=${process.execPath}\nPROGRAM="${program}"\n`);
});

afterEach(async () => {
  await systemctl('stop', UNIT);
});

test('start returns when the service said READY, and shows its status', async () => {
  await systemctl('start', UNIT);
  const state = await unitState(UNIT);
  expect(state).toMatchObject({ ActiveState: 'active', SubState: 'running', NRestarts: 0 });
  expect(state.StatusText).toBe(`${state.MainPID} is up`);
});

test('stop is SIGTERM and a clean end', async () => {
  await systemctl('start', UNIT);
  await systemctl('stop', UNIT);
  expect(await unitState(UNIT)).toMatchObject({
    ActiveState: 'inactive',
    Result: 'success',
    ExecMainStatus: 0,
    MainPID: 0,
  });
});
