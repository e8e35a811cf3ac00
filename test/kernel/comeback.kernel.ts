// The built daemon on a real kernel when its chip is unplugged and comes back, and when somebody else has its lines.
import { writeFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { LastingLines } from '../../daemon/bridge/lasting-lines.js';
import { ControlClient } from '../../daemon/control/client.js';
import type { ControlEvent, DaemonStatus, LineStatus } from '../../daemon/control/target.js';
import { openChardev } from '../../drivers/index.js';
import { findSysfsChips } from '../../drivers/sysfs/chips.js';
import { daemon, OFTEN, setUpEach, sim, socketPath } from './daemon-lab.js';
import { createGpioSim } from './gpio-sim.js';

const BUTTON = 17;
const LED = 4;
const RELAY = 5;

setUpEach();

const config = (driver: string): string => `
driver: ${driver}
lines:
  button1: { gpio: ${BUTTON}, direction: in, edge: both }
  led1: { gpio: ${LED}, direction: out, initial: 0 }
  ${driver === 'hardware' ? `relay: { gpio: ${RELAY}, direction: out, initial: keep }` : ''}
interrupts:
  - line: button1
    top_half: [{ toggle: led1 }]
`;

const status = async (client: ControlClient): Promise<DaemonStatus> =>
  (await client.call('GET', '/v1/status')) as DaemonStatus;

async function lines(client: ControlClient): Promise<Record<string, LineStatus>> {
  const { lines: all } = (await client.call('GET', '/v1/lines')) as { lines: LineStatus[] };
  return Object.fromEntries(all.map((line) => [line.name, line]));
}

async function ledFollows(level: 0 | 1): Promise<void> {
  sim.pull(BUTTON, level);
  await expect.poll(() => sim.value(LED), OFTEN).toBe(level);
}

it('a chip that comes back under another name has all its lines again, without a restart', async () => {
  sim.pull(RELAY, 1);
  const { running, client } = await daemon(config('hardware'));
  const { pid } = await status(client);
  expect([sim.value(RELAY), (await lines(client)).relay?.value]).toEqual([1, 1]);
  await ledFollows(1);
  const watcher = new ControlClient(socketPath());
  const events: ControlEvent[] = [];
  const watching = (async () => {
    for await (const event of watcher.events()) events.push(event);
  })().catch(() => undefined);
  const watched = async () =>
    ((await client.call('GET', '/v1/status')) as { control: { watching: number } }).control.watching;
  await expect.poll(watched, OFTEN).toBe(1);

  const before = sim.chipName;
  sim.unplug();
  await running.says('the GPIO chip is gone');
  const gone = await status(client);
  expect(gone.problem).toMatch(/^the GPIO chip is gone: .*it is waited for/);
  expect((await lines(client)).led1).toMatchObject({ value: 'unknown', waitingFor: 'the chip is gone' });
  await expect(client.call('PUT', '/v1/lines/led1', { value: 1 })).rejects.toThrow(/gone/);
  // Its number is taken by the next chip that comes.
  const usurper = createGpioSim({ label: 'an-expander', lines: 8 });
  onTestFinished(() => usurper.remove());
  sim.plug();
  expect(sim.chipName).not.toBe(before);
  await running.says('the GPIO chip is back');
  expect(sim.value(LED)).toBe(1);
  expect(await status(client)).toMatchObject({
    pid,
    chip: { name: sim.chipName },
    edges: { received: 1, lost: 'unknown' },
  });
  expect(await status(client)).not.toHaveProperty('problem');
  for (const level of [1, 0] as const) {
    sim.pull(BUTTON, level);
    await expect.poll(() => sim.value(LED), OFTEN).toBe(1 - level);
  }
  expect((await lines(client)).button1).toMatchObject({ rising: 2, falling: 1, lost: 'unknown', lineSeqno: 2 });
  await watcher.close();
  await watching;
  expect(events.filter(({ type }) => type === 'chip').map((event) => 'phase' in event && event.phase)).toEqual([
    'gone',
    'back',
  ]);
  expect(await running.ends('SIGTERM')).toMatchObject({ code: 0 });
});

it('a daemon whose chip is gone ends when it is told to', async () => {
  const { running } = await daemon(config('hardware'));
  sim.unplug();
  await running.says('the GPIO chip is gone');
  expect(await running.ends('SIGTERM')).toMatchObject({ code: 0 });
});

it.each(['libgpiod', 'onoff'])('driver: %s takes its lines back as well', async (driver) => {
  const { running } = await daemon(config(driver));
  await ledFollows(1);
  sim.unplug();
  // sysfs does not tell of it: the daemon asks.
  await running.says('the GPIO chip is gone');
  sim.plug();
  await running.says('the GPIO chip is back');
  expect(sim.value(LED)).toBe(1);
  sim.pull(BUTTON, 1);
  await expect.poll(() => sim.value(LED), OFTEN).toBe(0);
});

it('driver: onoff takes a line back that somebody has unexported', async () => {
  const { running } = await daemon(config('onoff'));
  await ledFollows(1);
  const base = findSysfsChips().find(({ name }) => name === sim.chipName)?.base ?? Number.NaN;
  writeFileSync('/sys/class/gpio/unexport', String(base + BUTTON));
  await running.says('which is not exported any more');
  await running.says('the GPIO chip is back');
  sim.pull(BUTTON, 0);
  await expect.poll(() => sim.value(LED), OFTEN).toBe(0);
});

it('a line that somebody else has is told of, and taken as soon as it is free', async () => {
  const other = openChardev(sim.path);
  onTestFinished(() => other.close());
  const taken = other.requestLines({ lines: [{ offset: LED, direction: 'in' }], consumer: 'w1-gpio' });
  const { running, client } = await daemon(config('hardware'));
  expect(running.out).toContain("led1 (GPIO4) is held by 'w1-gpio'; it is taken as soon as it is free");
  expect(running.out).toContain('holding button1, relay');
  expect((await status(client)).problem).toBe("led1 is held by 'w1-gpio'");
  expect(await lines(client)).toMatchObject({
    led1: { value: 'unknown', waitingFor: "held by 'w1-gpio'" },
    button1: { value: 0 },
  });
  taken.release();
  await running.says('led1 was waited for, and is held now');
  expect(await status(client)).not.toHaveProperty('problem');
  expect(other.lineInfo(LED)).toMatchObject({ used: true, consumer: 'gpio-irqd', direction: 'out' });
  await ledFollows(1);
});

it('lines that are freed all at once are all taken, though the kernel tells of 32 of them only', async () => {
  const offsets = Array.from({ length: 48 }, (_, offset) => offset);
  const lines = offsets.map((offset) => ({ offset, direction: 'in' as const }));
  const other = openChardev(sim.path);
  const taken = other.requestLines({ lines, consumer: 'a-program' });
  const held: number[] = [];
  const lasting = new LastingLines({
    ...{ chip: openChardev(sim.path), lines, consumer: 'test', onAnew: () => {}, nameOf: String },
    notices: {
      onGone: () => expect.fail('the chip is there'),
      onBack: () => expect.fail('the chip is there'),
      onWaiting: () => {},
      onHeld: (offset) => held.push(offset),
    },
  });
  onTestFinished(() => {
    lasting.close();
    other.close();
  });
  expect(lasting.problem).toContain("47 is held by 'a-program'");
  taken.release();
  await expect.poll(() => held.length, OFTEN).toBe(offsets.length);
  expect(lasting.problem).toBeUndefined();
  expect(offsets.map((offset) => other.lineInfo(offset).consumer)).toEqual(offsets.map(() => 'test'));
});
