// A restart of the service on a real kernel, on purpose and by SIGKILL: outputs hold, and edges wait for the process that comes.

import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { DaemonStatus, LineStatus } from '../../../daemon/control/target.js';
import { type AdoptingChip, openChardev } from '../../../drivers/index.js';
import type { GpioSim } from '../gpio-sim.js';
import { BUTTON1, BUTTON2, gpioIrqctl, installScript, LED1, plugHeader, SERVICE, uninstall } from './installed.js';
import { ask, configure, EVERY_EDGE, journal, linesInUse, override, receives, stopService } from './service.js';
import { systemctl, type UnitState, unitReaches, unitState } from './systemctl.js';

/** Entries of the kernel's FIFO of a request. */
const FIFO = 1024;
/** Each edge in the journal, with its number and stamp. */
const TELLING = `${EVERY_EDGE}interrupts:
  - { line: button1, thread: [ { log: "edge {edge}" } ] }
`;

/** While this file is there, systemd does not get as far as starting the process anew. */
const HELD = '/run/gpio-irqd-test-held';

let sim: GpioSim;
let watcher: AdoptingChip;
let undo: () => Promise<void>;
let level: 0 | 1 = 1;
beforeAll(async () => {
  await installScript();
  const held = `while [ -e ${HELD} ]; do sleep 0.05; done`;
  undo = await override('RestartSec=1s', `ExecStartPre=/bin/sh -c '${held}'`);
  sim = await plugHeader();
});
afterAll(async () => {
  await stopService();
  sim.remove();
  await undo();
  await uninstall();
});

beforeEach(async () => {
  rmSync(HELD, { force: true });
  await stopService();
  level = 1;
  sim.pull(BUTTON1, level);
  watcher = openChardev(sim.path);
  onTestFinished(() => watcher.close());
});

const lineStatus = (name: string) => ask<LineStatus>(`/v1/lines/${name}`);

/** Makes `count` edges of button 1. */
function inject(count: number): void {
  for (let i = 0; i < count; i++) {
    level = level === 0 ? 1 : 0;
    sim.pull(BUTTON1, level);
  }
}

/** Looks at what happens to a line until it is asked what did: its levels each millisecond, and whatever its info tells. */
function observe(offset: number): () => { readonly levels: ReadonlySet<number>; readonly changes: readonly string[] } {
  const levels = new Set<number>();
  const changes: string[] = [];
  const timer = setInterval(() => levels.add(sim.value(offset)), 1);
  const unwatch = watcher.watchLineInfo(offset, ({ kind }) => changes.push(kind));
  return () => {
    clearInterval(timer);
    unwatch();
    return { levels, changes };
  };
}

/** Up again by systemd's hand, and not the process of before. */
const after = (before: UnitState) => (now: UnitState) => now.SubState === 'running' && now.MainPID !== before.MainPID;

/** Ends the process without a word, does something while there is none, and waits for the next one. */
async function killed(meanwhile: () => void): Promise<void> {
  const before = await unitState(SERVICE);
  writeFileSync(HELD, '');
  process.kill(before.MainPID, 'SIGKILL');
  await unitReaches(SERVICE, ({ MainPID }) => MainPID === 0);
  meanwhile();
  rmSync(HELD);
  await unitReaches(SERVICE, after(before));
}

test('an output holds the level that it was given, and no line is let go of: by a restart, by SIGKILL, and again', async () => {
  configure(EVERY_EDGE);
  await systemctl('start', SERVICE);
  await gpioIrqctl('set', 'led1', '1');
  const seen = [LED1, BUTTON1].map(observe);
  await systemctl('restart', SERVICE);
  await killed(() => {});
  expect((await lineStatus('led1')).value).toBe(1);
  await systemctl('restart', SERVICE);
  const [led, button] = seen.map((end) => end());
  expect(led).toEqual({ levels: new Set([1]), changes: [] });
  expect(button?.changes).toEqual([]);
  await gpioIrqctl('set', 'led1', '0');
  expect(sim.value(LED1)).toBe(0);
});

test('presses while there is no process are all handled by the next: in order, with their stamps and numbers', async () => {
  const since = Date.now();
  configure(TELLING);
  await systemctl('start', SERVICE);
  inject(3);
  await receives(3);
  let last = { from: 0n, to: 0n };
  await killed(() => {
    inject(199);
    const from = process.hrtime.bigint();
    inject(1);
    last = { from, to: process.hrtime.bigint() };
  });
  await receives(200);
  const status = await lineStatus('button1');
  expect(status).toMatchObject({ rising: 100, falling: 100, lost: 0, lineSeqno: 203 });
  expect(BigInt(status.lastEdgeNs ?? 0)).toBeGreaterThanOrEqual(last.from);
  expect(BigInt(status.lastEdgeNs ?? 0)).toBeLessThanOrEqual(last.to);
  const told = (await journal(since)).match(/edge (rising|falling)/g) ?? [];
  expect(told).toEqual(Array.from({ length: 203 }, (_, i) => (i % 2 === 0 ? 'edge falling' : 'edge rising')));
});

test('what the FIFO has no room for while there is no process is counted, exactly, and told', async () => {
  const lost = 300;
  configure(EVERY_EDGE);
  await systemctl('start', SERVICE);
  inject(5);
  await receives(5);
  const since = Date.now();
  await killed(() => inject(FIFO + lost));
  await receives(FIFO);
  expect((await ask<DaemonStatus>('/v1/status')).edges).toEqual({ received: FIFO, lost });
  expect(await lineStatus('button1')).toMatchObject({ lost, lineSeqno: 5 + FIFO + lost });
  expect((await journal(since)).match(/lost/g)).toHaveLength(1);
});

test('edges that a stop comes in between are taken by the process after it: none is lost, none taken twice', async () => {
  // A stop that takes its time: it waits for the program.
  const slow = '{ exec: [/bin/sleep, "9"], limit: { rate: 1, per: 60s } }';
  configure(`${EVERY_EDGE}interrupts:\n  - { line: button1, work: { do: [ ${slow} ] } }\n`);
  await systemctl('start', SERVICE);
  inject(2);
  await receives(2);
  const restart = systemctl('restart', SERVICE);
  let made = 2;
  const before = (await unitState(SERVICE)).MainPID;
  for (let running = true; running; ) {
    inject(2);
    made += 2;
    await pause(2);
    const { MainPID, SubState } = await unitState(SERVICE);
    running = SubState !== 'running' || MainPID === before;
  }
  await restart;
  const { edges } = await ask<DaemonStatus>('/v1/status');
  expect(made).toBeLessThan(FIFO);
  expect(edges.lost).toBe(0);
  expect(await lineStatus('button1')).toMatchObject({ lost: 0, lineSeqno: made });
});

test('a stop lets all lines go', async () => {
  configure(EVERY_EDGE);
  await systemctl('start', SERVICE);
  await systemctl('restart', SERVICE);
  await systemctl('stop', SERVICE);
  await expect.poll(() => linesInUse(sim)).toEqual([]);
});

test('a configuration that changed meanwhile touches the lines that changed, and no others', async () => {
  configure(EVERY_EDGE);
  await systemctl('start', SERVICE);
  await gpioIrqctl('set', 'led1', '1');
  const seen = [LED1, BUTTON1, BUTTON2].map(observe);
  configure(`
lines:
  button2: { gpio: ${BUTTON2}, direction: in, edge: falling, bias: pull-up }
  led1: { gpio: ${LED1}, direction: out, initial: 0 }
`);
  await systemctl('restart', SERVICE);
  await expect.poll(() => linesInUse(sim)).toEqual([LED1, BUTTON2]);
  const [led, button1, button2] = seen.map((end) => end());
  expect(led).toEqual({ levels: new Set([1]), changes: [] });
  expect([button1?.changes, button2?.changes]).toEqual([['released'], ['requested']]);
});

test('a chip that went meanwhile is no reason to fail: its lines are requested anew', async () => {
  configure(EVERY_EDGE);
  await systemctl('start', SERVICE);
  await gpioIrqctl('set', 'led1', '1');
  await killed(() => {
    sim.unplug();
    sim.plug();
  });
  expect((await unitState(SERVICE)).StatusText).toContain('pinctrl-bcm2835');
  expect(linesInUse(sim)).toEqual([LED1, BUTTON1]);
  inject(2);
  await receives(2);
});

test('another event_buffer takes a new request of the lines with edges; outputs hold all the same', async () => {
  const small = 16;
  configure(EVERY_EDGE);
  await systemctl('start', SERVICE);
  await gpioIrqctl('set', 'led1', '1');
  const end = observe(LED1);
  const since = Date.now();
  configure(`event_buffer: ${small}\n${EVERY_EDGE}`);
  await systemctl('restart', SERVICE);
  await expect.poll(() => linesInUse(sim)).toEqual([LED1, BUTTON1]);
  expect(end()).toEqual({ levels: new Set([1]), changes: [] });
  expect(await journal(since)).toContain('their eventBufferSize is 1024, and is to be 16');
  await killed(() => inject(small + 4));
  await receives(small);
  expect(await lineStatus('button1')).toMatchObject({ lost: 4 });
});

test('killed in a storm, what a process receives and loses is what the one before had not received', async () => {
  configure(EVERY_EDGE);
  await systemctl('start', SERVICE);
  let made = 0;
  for (let life = 0; life < 3; life++) {
    const before = await unitState(SERVICE);
    const storm = setInterval(() => {
      inject(20);
      made += 20;
    }, 3);
    await pause(200 + 130 * life);
    const { lineSeqno: seen = 0 } = await lineStatus('button1');
    writeFileSync(HELD, '');
    process.kill(before.MainPID, 'SIGKILL');
    await unitReaches(SERVICE, ({ MainPID }) => MainPID === 0);
    const known = made;
    inject(20);
    made += 20;
    clearInterval(storm);
    rmSync(HELD);
    await unitReaches(SERVICE, after(before));
    await expect.poll(async () => (await lineStatus('button1')).lineSeqno).toBe(made);
    const { received, lost } = (await ask<DaemonStatus>('/v1/status')).edges;
    if (lost === 'unknown') return expect.fail('nobody knows what was lost');
    // All that came after its end, and nothing that it was seen to have.
    expect(received + lost).toBeGreaterThanOrEqual(made - known);
    expect(received + lost).toBeLessThanOrEqual(made - seen);
  }
});

test('a pulse that the process is killed in ends with the next one', async () => {
  configure(`${EVERY_EDGE}interrupts:\n  - { line: button1, top_half: [ { pulse: led1, for: 1h } ] }\n`);
  await systemctl('start', SERVICE);
  inject(1);
  await expect.poll(() => sim.value(LED1)).toBe(1);
  await killed(() => {});
  expect(sim.value(LED1)).toBe(0);
});
