// `systemctl reload` of the shipped unit, with all that it forbids: the same process has the new configuration.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LineStatus } from '../../../daemon/control/target.js';
import { openChardev } from '../../../drivers/chardev/chardev.js';
import type { GpioSim } from '../gpio-sim.js';
import { BUTTON1, gpioIrqctl, installScript, LED1, plugHeader, SERVICE, uninstall } from './installed.js';
import { ask, configure, EVERY_EDGE, journal, stopService } from './service.js';
import { systemctl, unitReaches, unitState } from './systemctl.js';

const LED2 = 5;
const WITH_LED2 = `${EVERY_EDGE}  led2: { gpio: ${LED2}, direction: out, initial: 1 }\n`;

let sim: GpioSim;
beforeAll(async () => {
  await installScript();
  sim = await plugHeader();
});
afterAll(async () => {
  await stopService();
  sim.remove();
  await uninstall();
});

test('takes over what has changed, and leaves all as it is when it cannot', async () => {
  configure(EVERY_EDGE);
  await systemctl('start', SERVICE);
  const { MainPID } = await unitState(SERVICE);
  await gpioIrqctl('set', 'led1', '1');
  const chip = openChardev(sim.path);
  const seen: string[] = [];
  for (const offset of [BUTTON1, LED1]) chip.watchLineInfo(offset, ({ kind }) => seen.push(`${offset} ${kind}`));
  const since = Date.now();
  configure(WITH_LED2);
  await systemctl('reload', SERVICE);
  await expect.poll(() => journal(since)).toContain('configuration reloaded: lines: +led2');
  // It is reloading until it says that it is ready again.
  const {
    ActiveState,
    MainPID: after,
    NRestarts,
  } = await unitReaches(SERVICE, (state) => state.ActiveState === 'active');
  expect([ActiveState, after, NRestarts]).toEqual(['active', MainPID, 0]);
  expect([LED1, LED2].map((offset) => sim.value(offset))).toEqual([1, 1]);
  sim.pull(BUTTON1, 0);
  await expect.poll(async () => (await ask<LineStatus>('/v1/lines/button1')).falling).toBe(1);

  configure(WITH_LED2.replace('pull-up', 'pullup'));
  await systemctl('reload', SERVICE);
  const wrong = /configuration not reloaded.*config\.yaml:\d+:\d+: lines\.button1\.bias: /;
  await expect.poll(() => journal(since)).toMatch(wrong);
  await expect(gpioIrqctl('reload')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('did you mean pull-up?'),
  });
  expect(await unitReaches(SERVICE, (state) => state.ActiveState === 'active')).toMatchObject({
    MainPID,
    NRestarts: 0,
  });
  expect(seen).toEqual([]);
  chip.close();
});
