// Handler modules: what of them is taken, and what their functions get.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GpioDesc, IRQ_HANDLED, IRQ_WAKE_THREAD, type LineRequest, Machine, scheduleWork } from '../../kernel/index.js';
import { loadHandlerModule, nextInstance } from './handler-module.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-module-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const logs: string[] = [];

function load(text: string) {
  const path = join(directory, 'handler.mjs');
  writeFileSync(path, text);
  const line = new GpioDesc('button', 17, 'in', {} as LineRequest);
  const edge = { stampNs: 5, rising: true, lineSeqno: 1 };
  return loadHandlerModule(path, { line, lines: { button: line }, edge, log: (said) => logs.push(said) });
}

describe('loadHandlerModule', () => {
  it('takes topHalf and threadFn as they are', async () => {
    const { topHalf, threadFn, device } = await load(
      'export const topHalf = (irq, dev) => dev.kernel.IRQ_HANDLED; export const threadFn = (irq, dev) => irq;',
    );
    expect(topHalf(3, device)).toBe(IRQ_HANDLED);
    expect(threadFn?.(3, device)).toBe(3);
  });

  it('wakes the thread where there is no top half, and has no thread where there is no threadFn', async () => {
    const threaded = await load('export const threadFn = () => 1;');
    expect(threaded.topHalf(3, threaded.device)).toBe(IRQ_WAKE_THREAD);
  });

  it('makes a work item of work, which gets the item and the device', async () => {
    const { threadFn, device } = await load(
      'export const topHalf = () => 1; export const work = (item, dev) => dev.log(item.name + " " + (item === dev.work));',
    );
    expect(threadFn).toBeNull();
    logs.length = 0;
    const machine = new Machine();
    machine.runTask(() => scheduleWork(device.work));
    machine.advance(1);
    expect(logs).toEqual(['button.work true']);
  });

  it('reports dev.work that is queued where the module exports no work', async () => {
    const { device } = await load('export const topHalf = () => 1;');
    const oopses: unknown[] = [];
    const machine = new Machine({ onOops: (_where, error) => oopses.push(error) });
    machine.runTask(() => scheduleWork(device.work));
    machine.advance(1);
    expect(oopses).toMatchObject([{ code: 'EINVAL', message: expect.stringContaining('exports no function work') }]);
  });

  it.each([
    ['export const threadFn = {};', /threadFn is not a function/],
    ['export default () => 1;', /exports neither topHalf nor threadFn/],
    ['throw new Error("no");', /cannot be loaded: no\b/],
    ['throw "text";', /cannot be loaded: text$/],
    ['import "./missing.mjs";', /cannot be loaded: Cannot find module/],
  ])('refuses %j', async (text, message) => {
    await expect(load(text)).rejects.toMatchObject({ code: 'EINVAL', message: expect.stringMatching(message) });
  });
});

describe('nextInstance', () => {
  it('loads modules anew so many times, each apart from the others, and no more', () => {
    const numbers = Array.from({ length: 1_000 }, nextInstance);
    expect(new Set(numbers).size).toBe(1_000);
    expect(nextInstance).toThrow(/loaded anew 1000 times/);
  });
});
