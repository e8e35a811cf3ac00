// The built daemon on a real kernel when its configuration is reloaded: what watchers of its lines see of that, and edges
// that come meanwhile.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { ControlClient } from '../../daemon/control/client.js';
import type { DaemonStatus, InterruptsStatus, LineStatus, ReloadReport } from '../../daemon/control/target.js';
import { openChardev } from '../../drivers/index.js';
import { daemon, OFTEN, setUpEach, sim, write } from './daemon-lab.js';
import { createGpioSim, type GpioSim } from './gpio-sim.js';

const BUTTON1 = 17;
const BUTTON2 = 18;
const DOOR = 22;
const LED = 4;
const RELAY = 5;
const LAMP = 6;
const RELOADS = 50;

setUpEach();

const BASE = `
driver: hardware
lines:
  button1: { gpio: ${BUTTON1}, edge: both }
  button2: { gpio: ${BUTTON2}, edge: both }
  led1: { gpio: ${LED}, direction: out }
  relay: { gpio: ${RELAY}, direction: out, initial: keep }
interrupts:
  - { line: button1, top_half: [{ follow: led1 }] }
`;

async function line(client: ControlClient, name: string): Promise<LineStatus> {
  return (await client.call('GET', `/v1/lines/${name}`)) as LineStatus;
}

const status = async (client: ControlClient): Promise<DaemonStatus> =>
  (await client.call('GET', '/v1/status')) as DaemonStatus;

async function reload(client: ControlClient, text: string): Promise<ReloadReport> {
  write(text);
  return (await client.call('POST', '/v1/reload')) as ReloadReport;
}

/** What the kernel tells others of lines from now on. */
function watch(of: GpioSim, ...offsets: number[]): string[] {
  const seen: string[] = [];
  const chip = openChardev(of.path);
  onTestFinished(() => chip.close());
  for (const offset of offsets) chip.watchLineInfo(offset, ({ kind, info }) => seen.push(`${info.offset} ${kind}`));
  return seen;
}

/** A line of the shared request changes, one comes and goes, and so do an output, an interrupt and a workqueue. */
function variant(i: number): string {
  const door = `  door: { gpio: ${DOOR}, edge: both }\n`;
  const lamp = `  lamp: { gpio: ${LAMP}, direction: out, initial: ${i % 2} }\n`;
  const lines = `${i % 3 === 0 ? door : ''}${i % 2 === 0 ? lamp : ''}`;
  return `${BASE.replace(`${BUTTON2}, edge: both`, `${BUTTON2}, edge: ${i % 2 === 0 ? 'rising' : 'falling'}`).replace(
    'interrupts:',
    `${lines}workqueues: { slow: { max_active: ${1 + (i % 3)} } }\ninterrupts:`,
  )}  - { line: button2, name: second#${i % 4}, work: { queue: slow, do: [{ toggle: relay }] } }\n`;
}

it(`${RELOADS} reloads lose no edge of a line that stays, and nobody who watches it sees anything`, async () => {
  sim.pull(RELAY, 1);
  const { running, client } = await daemon(BASE);
  await client.call('PUT', '/v1/lines/relay', { value: 1 });
  const seen = watch(sim, BUTTON1, LED, RELAY, BUTTON2);
  let edges = 0;
  let glitches = 0;
  let told = 0;
  for (let i = 0; i < RELOADS; i++) {
    write(variant(i));
    running.child.kill('SIGHUP');
    do {
      sim.pull(BUTTON1, ++edges % 2 === 1 ? 1 : 0);
      if (sim.value(RELAY) !== 1) glitches++;
      await delay(1);
      told = running.out.match(/configuration reloaded: /g)?.length ?? 0;
    } while (told <= i);
  }
  await expect.poll(() => sim.value(LED), OFTEN).toBe(edges % 2);
  const { rising, falling, lost } = await line(client, 'button1');
  expect({ edges: rising + falling, lost, glitches }).toEqual({ edges, lost: 0, glitches: 0 });
  expect(new Set(seen)).toEqual(new Set([`${BUTTON2} reconfigured`]));
  expect(await status(client)).not.toHaveProperty('problem');
  expect(running.out).not.toMatch(/"level":"(error|fatal)"/);
  process.stdout.write(`${RELOADS} reloads, ${edges} edges meanwhile, none lost\n`);
  expect(await running.ends('SIGTERM')).toMatchObject({ code: 0 });
});

it('an output that is driven by hand, and one that keeps its level, stay as they are; others come and go', async () => {
  sim.pull(RELAY, 1);
  const { client } = await daemon(BASE);
  await client.call('PUT', '/v1/lines/led1', { value: 1 });
  const seen = watch(sim, BUTTON1, BUTTON2, DOOR, LED, RELAY, LAMP);
  const report = await reload(
    client,
    BASE.replace(/ {2}button2.*\n/, `  door: { gpio: ${DOOR}, edge: both }\n`).replace(
      /led1: .*\n/,
      `led1: { gpio: ${LED}, direction: out, active: low, initial: 0 }\n  lamp: { gpio: ${LAMP}, direction: out, initial: 1 }\n`,
    ),
  );
  expect(report).toMatchObject({
    ok: true,
    problems: [],
    sections: { lines: { added: ['door', 'lamp'], changed: ['led1'], removed: ['button2'], kept: 2 } },
  });
  await expect.poll(() => seen.length, OFTEN).toBe(4);
  // The second button is held as long as the first is, and interrupts nobody.
  const expected = [`${BUTTON2} reconfigured`, `${DOOR} requested`, `${LED} reconfigured`, `${LAMP} requested`];
  expect([...seen].sort()).toEqual(expected.sort());
  expect((await status(client)).parked).toEqual([{ gpio: BUTTON2, name: 'button2', until: ['button1'] }]);
  expect([LED, RELAY, LAMP].map((offset) => sim.value(offset))).toEqual([1, 1, 1]);
  // The level stays, and is called the other way round.
  expect(await line(client, 'led1')).toMatchObject({ value: 0, activeLow: true });
  sim.pull(BUTTON2, 1);
  sim.pull(DOOR, 1);
  await expect.poll(async () => (await line(client, 'door')).rising, OFTEN).toBe(1);
  expect((await status(client)).edges).toEqual({ received: 1, lost: 0 });
});

it('a configuration that is wrong, or cannot be had, leaves all as it was, and says why', async () => {
  const { running, client } = await daemon(BASE);
  const seen = watch(sim, BUTTON1, BUTTON2, LED, RELAY);
  write(BASE.replace('direction: out }', 'direction: oot }'));
  running.child.kill('SIGHUP');
  await running.says('configuration not reloaded, the old one goes on');
  expect(running.out).toMatch(/config\.yaml:6:\d+: lines\.led1\.direction: /);
  await expect(reload(client, BASE.replace(`gpio: ${LED},`, 'gpio: 54,'))).rejects.toThrow();
  expect(seen).toEqual([]);
  sim.pull(BUTTON1, 1);
  await expect.poll(() => sim.value(LED), OFTEN).toBe(1);
  const { restart } = await reload(client, `event_buffer: 16\n${BASE}`);
  expect(restart.map(({ key }) => key)).toEqual(['event_buffer']);
});

it('a line that somebody else has is waited for after a reload, as at the start', async () => {
  const { running, client } = await daemon(BASE);
  const other = openChardev(sim.path);
  onTestFinished(() => other.close());
  const taken = other.requestLines({ lines: [{ offset: LAMP, direction: 'in' }], consumer: 'w1-gpio' });
  const text = BASE.replace('interrupts:', `  lamp: { gpio: ${LAMP}, direction: out, initial: 1 }\ninterrupts:`);
  expect((await reload(client, text)).problems).toEqual(["lamp is held by 'w1-gpio'"]);
  taken.release();
  await running.says('lamp was waited for, and is held now');
  expect(sim.value(LAMP)).toBe(1);
});

it('a further chip that is not there is waited for after a reload, as at the start', async () => {
  const { running, client } = await daemon(BASE);
  const seen = watch(sim, BUTTON1, BUTTON2, LED, RELAY);
  const text = BASE.replace(
    'lines:',
    'chips: { expander: label:mcp23017 }\nlines:\n  far: { chip: expander, gpio: 3, edge: both }',
  );
  const { ok, problems } = await reload(client, text);
  expect([ok, problems]).toEqual([true, [expect.stringMatching(/^expander: .*it is waited for/)]]);
  expect(await line(client, 'far')).toMatchObject({ chip: 'expander', value: 'unknown' });
  const expander = createGpioSim({ label: 'mcp23017', lines: 16 });
  onTestFinished(() => expander.remove());
  await running.says('the GPIO chip expander is back');
  expander.pull(3, 1);
  await expect.poll(async () => (await line(client, 'far')).rising, OFTEN).toBe(1);
  expect(seen).toEqual([]);
});

it('lines of two chips have the same number and are told apart, and the second chip comes and goes by itself', async () => {
  const expander = createGpioSim({ label: 'mcp23017', lines: 16 });
  onTestFinished(() => expander.remove());
  const both = `chips: { expander: label:mcp23017 }
lines:
  near: { gpio: 3, edge: both }
  far: { gpio: 3, chip: expander, edge: both }
  led1: { gpio: ${LED}, direction: out }
  lamp: { gpio: ${LED}, chip: expander, direction: out }
interrupts:
  - { line: far, top_half: [{ follow: led1 }] }
  - { line: near, top_half: [{ follow: lamp }] }
`;
  const { running, client } = await daemon(both);
  sim.pull(3, 1);
  await expect.poll(() => expander.value(LED), OFTEN).toBe(1);
  expect(sim.value(LED)).toBe(0);
  for (const level of [1, 0, 1] as const) {
    expander.pull(3, level);
    await expect.poll(() => sim.value(LED), OFTEN).toBe(level);
  }
  expect([await line(client, 'near'), await line(client, 'far')]).toMatchObject([
    { rising: 1, falling: 0, lost: 0 },
    { chip: 'expander', rising: 2, falling: 1, lost: 0 },
  ]);
  expect((await status(client)).chips).toMatchObject([
    { id: 'chip', name: sim.chipName, label: 'pinctrl-bcm2835' },
    { id: 'expander', name: expander.chipName, label: 'mcp23017', lines: 16 },
  ]);
  const { text } = (await client.call('GET', '/v1/interrupts')) as InterruptsStatus;
  expect(text).toMatch(new RegExp(`${sim.chipName} +3 Edge +near\\n.*${expander.chipName} +3 Edge +far`));

  expander.unplug();
  await running.says('the GPIO chip expander is gone');
  expect((await status(client)).problem).toMatch(/^expander: the GPIO chip is gone/);
  expect(await line(client, 'far')).toMatchObject({ value: 'unknown', waitingFor: 'the chip is gone' });
  sim.pull(3, 0);
  await expect.poll(async () => (await line(client, 'near')).falling, OFTEN).toBe(1);
  expander.plug();
  await running.says('the GPIO chip expander is back');
  // A chip that is plugged in has its lines low.
  expander.pull(3, 1);
  await expect.poll(async () => (await line(client, 'far')).rising, OFTEN).toBe(3);

  const seen = watch(sim, 3, LED);
  const one = both
    .replace(/chips: .*\n/, '')
    .replace(/ {2}(far|lamp): .*\n/g, '')
    .replace(/interrupts:[\s\S]*/, '');
  expect((await reload(client, one)).ok).toBe(true);
  const chip = openChardev(expander.path);
  onTestFinished(() => chip.close());
  expect([chip.lineInfo(3).used, chip.lineInfo(LED).used]).toEqual([false, false]);
  expect((await reload(client, both)).problems).toEqual([]);
  expander.pull(3, 0);
  expander.pull(3, 1);
  await expect.poll(() => sim.value(LED), OFTEN).toBe(1);
  expect(seen).toEqual([]);
  expect(await line(client, 'near')).toMatchObject({ rising: 1, falling: 1, lost: 0 });
});
