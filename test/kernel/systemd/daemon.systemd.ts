// The daemon as the shipped unit on a real kernel: started, pressed, counted, stopped; as its own user, hardened.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ControlEvent, DaemonStatus, InterruptsStatus, LineStatus } from '../../../daemon/control/target.js';
import type { GpioSim } from '../gpio-sim.js';
import { BUTTON1, BUTTON2, gpioIrqctl, installScript, LED1, plugHeader, SERVICE, uninstall } from './installed.js';
import {
  ask,
  configure,
  EVERY_EDGE,
  journal,
  linesInUse,
  receives,
  stopService,
  waitStopped,
  watchEvents,
} from './service.js';
import { systemctl, unitState } from './systemctl.js';

/** Entries of the kernel's FIFO of a request. */
const FIFO = 1024;
/** The example's 5 ms of debounce are counted in jiffies, of 10 ms in this kernel, with up to one more to its first tick. */
const SETTLE_MS = 200;
/** What outlasts this is no bounce, and no glitch: the least that the debounce takes. */
const DEBOUNCE_NS = 5_000_000n;

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

const lineStatus = (name: string) => ask<LineStatus>(`/v1/lines/${name}`);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A press and a release that both outlast the example's debounce. */
async function press(button: number): Promise<void> {
  sim.pull(button, 0);
  await pause(SETTLE_MS);
  sim.pull(button, 1);
  await pause(SETTLE_MS);
}

/** Changes a button right away from level to level. @returns whether it was quick enough for the debounce, on this machine just now */
function chatter(button: number, levels: readonly (0 | 1)[]): boolean {
  let quick = true;
  let before: bigint | undefined;
  for (const level of levels) {
    const from = process.hrtime.bigint();
    sim.pull(button, level);
    if (before !== undefined && process.hrtime.bigint() - before >= DEBOUNCE_NS) quick = false;
    before = from;
  }
  return quick;
}

describe('with examples/button-led.yaml', () => {
  beforeAll(async () => {
    await systemctl('start', SERVICE);
  });

  test('start returns when the service is ready, and its status names the chip and the driver', async () => {
    const { ActiveState, SubState, StatusText, NRestarts } = await unitState(SERVICE);
    expect({ ActiveState, SubState, NRestarts }).toEqual({ ActiveState: 'active', SubState: 'running', NRestarts: 0 });
    expect(StatusText).toBe(`${sim.chipName} [pinctrl-bcm2835], driver chardev`);
    expect(await systemctl('show', '--property=WatchdogUSec', SERVICE)).toBe('WatchdogUSec=10s\n');
    expect(linesInUse(sim)).toEqual([LED1, BUTTON1, BUTTON2]);
  });

  test("it runs as its own user, without privileges, behind the unit's filter", async () => {
    const status = readFileSync(`/proc/${(await unitState(SERVICE)).MainPID}/status`, 'utf8');
    expect(status).not.toMatch(/^Uid:\s+0\b/m);
    for (const set of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'])
      expect(status).toMatch(new RegExp(`^Cap${set}:\\s+0+$`, 'm'));
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Seccomp:\s+2$/m);
  });

  test('a press of button 1 lights the LED, one of button 2 puts it out', async () => {
    expect(sim.value(LED1)).toBe(0);
    await press(BUTTON1);
    await expect.poll(() => sim.value(LED1), { interval: 1 }).toBe(1);
    await press(BUTTON2);
    await expect.poll(() => sim.value(LED1), { interval: 1 }).toBe(0);
  });

  test('a press that bounces counts once, and a glitch shorter than the debounce time not at all', async () => {
    const bounce = Array.from({ length: 21 }, (_, i) => (i % 2 === 0 ? 0 : 1));
    for (let quick = false; !quick; ) {
      await systemctl('restart', SERVICE);
      quick = chatter(BUTTON1, bounce);
      await pause(SETTLE_MS);
      sim.pull(BUTTON1, 1);
      await pause(SETTLE_MS);
      quick = chatter(BUTTON1, [0, 1]) && quick;
      await pause(SETTLE_MS);
    }
    await press(BUTTON2);
    await receives(2);
    expect(await lineStatus('button1')).toMatchObject({ rising: 1, falling: 0, lost: 0 });
  });

  test('gpio-irqctl shows the presses, and /proc/interrupts of the model too', async () => {
    const { lines } = JSON.parse(await gpioIrqctl('lines', '--json')) as { lines: LineStatus[] };
    expect(lines.map(({ name, rising, falling, lost }) => [name, rising, falling, lost])).toEqual([
      ['button1', 1, 0, 0],
      ['button2', 1, 0, 0],
      ['led1', 0, 0, 0],
    ]);
    expect((await ask<InterruptsStatus>('/v1/interrupts')).text).toMatch(
      new RegExp(`\\b1 +${sim.chipName} +${BUTTON1} Edge +gpiomod#button1$`, 'm'),
    );
  });

  test('stop is SIGTERM: exit 0, and the lines are free', async () => {
    await systemctl('stop', SERVICE);
    const { ActiveState, Result, ExecMainStatus } = await unitState(SERVICE);
    expect({ ActiveState, Result, ExecMainStatus }).toEqual({
      ActiveState: 'inactive',
      Result: 'success',
      ExecMainStatus: 0,
    });
    expect(linesInUse(sim)).toEqual([]);
  });
});

describe('with every edge', () => {
  const EDGES = 2000;
  /** No more than half the FIFO at once: the one CPU has the test and the service to run. */
  const CHUNK = 500;
  let pid = 0;

  beforeAll(async () => {
    configure(EVERY_EDGE);
    await systemctl('start', SERVICE);
    pid = (await unitState(SERVICE)).MainPID;
  });

  /** Makes `count` edges; the times right before and after each, in ns of CLOCK_MONOTONIC. */
  function inject(count: number): { readonly before: bigint; readonly after: bigint }[] {
    return Array.from({ length: count }, () => {
      const before = process.hrtime.bigint();
      level = level === 0 ? 1 : 0;
      sim.pull(BUTTON1, level);
      return { before, after: process.hrtime.bigint() };
    });
  }
  let level: 0 | 1 = 1;

  test("2,000 edges: each counted once, in order, with the kernel's stamp and number", async () => {
    const events = await watchEvents((event) => event.type === 'edge' && event.lineSeqno === EDGES);
    const injected: ReturnType<typeof inject> = [];
    while (injected.length < EDGES) {
      injected.push(...inject(CHUNK));
      await receives(injected.length);
    }
    const edges = (await events.all).filter((event) => event.type === 'edge');
    expect(edges.map((edge) => edge.lineSeqno)).toEqual(Array.from({ length: EDGES }, (_, i) => i + 1));
    expect(edges.map((edge) => edge.edge)).toEqual(
      Array.from({ length: EDGES }, (_, i) => (i % 2 ? 'rising' : 'falling')),
    );
    // The kernel stamps in the interrupt, which ends before the write that made the edge returns: nobody else could.
    const outside = edges.filter(({ atNs }, i) => {
      const { before, after } = injected[i] ?? { before: 0n, after: 0n };
      return BigInt(atNs) < before || BigInt(atNs) > after;
    });
    expect(outside).toEqual([]);
    const status = JSON.parse(await gpioIrqctl('status', '--json')) as DaemonStatus;
    expect(status).toMatchObject({
      driver: 'chardev',
      simulated: false,
      edges: { received: EDGES, lost: 0 },
      handlerErrors: 0,
    });
    expect(await lineStatus('button1')).toMatchObject({
      rising: EDGES / 2,
      falling: EDGES / 2,
      lost: 0,
      lineSeqno: EDGES,
    });
  });

  test('a burst beyond the FIFO while the process is stopped: exactly what did not fit is lost, and told once', async () => {
    const lost = 300;
    const since = Date.now();
    const events = await watchEvents((event) => event.type === 'edge' && event.lineSeqno === EDGES + FIFO + lost);
    process.kill(pid, 'SIGSTOP');
    await waitStopped(pid);
    inject(FIFO + lost);
    process.kill(pid, 'SIGCONT');
    await receives(EDGES + FIFO);
    const told = (await events.all).filter((event): event is ControlEvent & { type: 'lost' } => event.type === 'lost');
    expect(told.map(({ line, count }) => [line, count])).toEqual([['button1', lost]]);
    const status = JSON.parse(await gpioIrqctl('status', '--json')) as DaemonStatus;
    expect(status.edges).toEqual({ received: EDGES + FIFO, lost });
    expect(await lineStatus('button1')).toMatchObject({ lost, lineSeqno: EDGES + FIFO + lost });
    expect((await journal(since)).match(/lost/g)).toHaveLength(1);
    expect((await unitState(SERVICE)).MainPID).toBe(pid);
  });
});
