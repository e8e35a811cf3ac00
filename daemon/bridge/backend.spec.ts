// The ground of the service on a simulated Pi: its lines as they were configured, and edges that reach their interrupts.

import { existsSync, readdirSync } from 'node:fs';
import { pino } from 'pino';
import { afterEach, expect, it } from 'vitest';
import { IRQ_HANDLED, IRQF_TRIGGER_FALLING, requestIrq } from '../../kernel/index.js';
import type { Config, LineSpec } from '../config/config.js';
import { type Backend, type BackendEvents, openBackend } from './backend.js';

const LINE = { edge: 'none', bias: 'as-is', drive: 'push-pull', activeLow: false, debounceNs: 0, initial: 0 } as const;
const BUTTON: LineSpec = {
  ...LINE,
  name: 'button',
  gpio: 17,
  direction: 'in',
  edge: 'rising',
  bias: 'pull-up',
  activeLow: true,
};
const LED: LineSpec = { ...LINE, name: 'led', gpio: 4, direction: 'out', initial: 1 };

const reported: string[] = [];
const EVENTS: BackendEvents = {
  onLost: (chip, offset, count) => reported.push(`lost ${chip} ${offset} ${count}`),
  onGone: (chip, error) => reported.push(`gone ${chip} ${error.message}`),
  onBack: (chip, { name }) => reported.push(`back ${chip} ${name}`),
  onWaiting: (chip, offset, why) => reported.push(`waiting ${chip} ${offset} ${why}`),
  onHeld: (chip, offset) => reported.push(`held ${chip} ${offset}`),
  onOops: (where, error) => reported.push(`oops ${where}: ${(error as Error).message}`),
  onBug: (text) => reported.push(text.split('\n')[0] ?? ''),
};

let backend: Backend | undefined;
afterEach(() => {
  backend?.close();
  backend = undefined;
  reported.length = 0;
});

function open(lines: readonly LineSpec[], driver: Config['driver'] = 'sim'): Backend {
  const config: Config = { driver, chip: { by: 'auto' }, lines, interrupts: [], workqueues: [] };
  backend = openBackend(config, pino({ level: 'silent' }), EVENTS);
  return backend;
}

it('is a BCM2835 that says that it is simulated, with the lines held as configured', () => {
  const { chip, lines: request, lostOn } = open([BUTTON, { ...LED, activeLow: true }]).main;
  expect(chip).toMatchObject({ simulated: true, driver: 'sim', info: { label: 'pinctrl-bcm2835', lines: 54 } });
  expect(chip.lineInfo(17)).toMatchObject({ consumer: 'gpio-irqd', direction: 'in', bias: 'pull-up', activeLow: true });
  // A button that nobody presses is off, an output has its initial level.
  expect([request.getValue(17), request.getValue(4)]).toEqual([0, 1]);
  expect(lostOn(17)).toBe(0);
});

it('brings a press to the interrupt of the line, with the edge that it was', async () => {
  const { machine, main, originNs } = open([BUTTON, LED]);
  const { board, edge, toIrq } = main;
  const irq = toIrq(17);
  const handled = new Promise<object>((resolve) => {
    const handler = () => {
      resolve({ ...edge, stampNs: edge.stampNs, rising: edge.rising, lineSeqno: edge.lineSeqno });
      return IRQ_HANDLED;
    };
    void machine.call(() => requestIrq(irq, handler, IRQF_TRIGGER_FALLING, 'button'));
  });
  const before = Number(process.hrtime.bigint()) - originNs;
  await machine.call(() => undefined);
  board?.press('button', { holdNs: 1_000_000 });
  const seen = (await handled) as { rising: boolean; lineSeqno: number; stampNs: number };
  expect(seen).toMatchObject({ rising: true, lineSeqno: 1 });
  // The origin is known to within a reading of the clock.
  expect(seen.stampNs).toBeGreaterThan(before - 100_000_000);
});

it('tells of functions that throw and of rules that are broken', async () => {
  const { machine, main } = open([BUTTON]);
  const { board, toIrq } = main;
  const irq = toIrq(17);
  await machine.call(() =>
    requestIrq(irq, (() => Promise.reject(new Error('late'))) as never, IRQF_TRIGGER_FALLING, 'button'),
  );
  board?.press('button', { holdNs: 1_000_000 });
  await expect.poll(() => reported).toHaveLength(2);
  expect(reported[0]).toMatch(/^BUG: scheduling while atomic: /);
  expect(reported[1]).toMatch(/^oops handler button of irq \d+: late$/);
});

it('has no line beyond the simulated chip', () => {
  expect(() => open([{ ...LED, gpio: 54 }])).toThrow(expect.objectContaining({ code: 'EINVAL', subject: 'led' }));
});

const hasChips = existsSync('/dev') && readdirSync('/dev').some((name) => name.startsWith('gpiochip'));
it.skipIf(hasChips)('is never simulated where hardware was asked for', () => {
  expect(() => open([LED], 'hardware')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  expect(open([LED], 'auto').main.chip.simulated).toBe(true);
});
