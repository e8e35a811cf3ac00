// Handler modules: what of them is taken, and what their functions get.

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GpioDesc, IRQ_HANDLED, IRQ_WAKE_THREAD, type LineRequest, Machine, scheduleWork } from '../../kernel/index.js';
import { unprivileged } from '../unprivileged.spec-helper.js';
import { loadHandlerModule } from './handler-module.js';
import { importFile } from './import-file.js';
import { Anew, FILES_MAX } from './imports-anew.js';

vi.mock('./import-file.js', async (original) => {
  const { importFile: real } = await original<typeof import('./import-file.js')>();
  return { importFile: vi.fn(real) };
});

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-module-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const logs: string[] = [];

function load(text: string, anew?: Anew) {
  writeFileSync(join(directory, 'handler.mjs'), text);
  return loadFile(anew);
}

function loadFile(anew?: Anew) {
  const path = join(directory, 'handler.mjs');
  const line = new GpioDesc('button', 17, 'in', {} as LineRequest);
  const edge = { stampNs: 5, rising: true, lineSeqno: 1 };
  return loadHandlerModule(path, { line, lines: { button: line }, edge, log: (said) => logs.push(said) }, anew);
}

/** A handler that imports another file. @param closed what of it nobody may use @returns where that is */
function putWithLibrary(closed: string): string {
  chmodSync(directory, 0o755);
  mkdirSync(join(directory, 'lib'));
  writeFileSync(join(directory, 'lib/far.mjs'), '');
  writeFileSync(join(directory, 'handler.mjs'), "import './lib/far.mjs'; export const topHalf = () => 1;");
  chmodSync(join(directory, closed), 0o000);
  return join(directory, closed);
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

  it.each([
    ['handler.mjs', 'sudo chmod o+r DIR/handler.mjs'],
    ['lib/far.mjs', 'sudo chmod o+r DIR/lib/far.mjs'],
  ])('says what to do when %s may not be read', async (closed, hint) => {
    const place = putWithLibrary(closed);
    // As Node reads it; here, files are read by another process.
    vi.mocked(importFile).mockImplementationOnce(async () => ({ text: readFileSync(place) }));
    await expect(unprivileged(() => loadFile())).rejects.toMatchObject({
      code: 'EACCES',
      message: `${place} cannot be read: permission denied`,
      hint: hint.replace('DIR', directory),
    });
  });

  it('says what to do when Node does not find what is in a folder that may not be gone through', async () => {
    const closed = putWithLibrary('lib');
    const place = join(closed, 'far.mjs');
    vi.mocked(importFile).mockRejectedValueOnce(
      Object.assign(new Error(`Cannot find module ${place}`), {
        code: 'ERR_MODULE_NOT_FOUND',
        url: pathToFileURL(place).href,
      }),
    );
    await expect(unprivileged(() => loadFile())).rejects.toMatchObject({
      code: 'EACCES',
      message: `${place} cannot be read: permission denied`,
      hint: `let this user through: sudo chmod o+x ${closed}`,
    });
    chmodSync(closed, 0o755);
  });

  it('takes a module that names a file which may not be read, and does not read it', async () => {
    putWithLibrary('lib/far.mjs');
    writeFileSync(join(directory, 'handler.mjs'), "// As './lib/far.mjs'.\nexport const topHalf = () => 1;");
    expect(await unprivileged(() => loadFile())).toMatchObject({ threadFn: null });
  });

  it('tells what a module has thrown, with whatever address in it', async () => {
    const failed = load("throw Object.assign(new Error('no answer'), { url: 'file://elsewhere/x' });");
    await expect(failed).rejects.toMatchObject({ code: 'EINVAL', message: expect.stringContaining('no answer') });
  });
});

describe('modules that are loaded anew', () => {
  it('are counted with what they import, each file once, up to a limit', async () => {
    writeFileSync(join(directory, 'lib.mjs'), 'export const handled = 1;');
    const text = "import { handled } from './lib.mjs'; export const topHalf = () => handled;";
    await load(text, new Anew());
    await load(text);
    new Anew().take(Array.from({ length: FILES_MAX - 6 }, (_, i) => `/${i}.mjs`));
    const together = new Anew();
    const numbers = [together.take(['/a.mjs', '/lib.mjs']), together.take(['/a.mjs', '/lib.mjs'])];
    expect(new Set(numbers).size).toBe(1);
    await load(text, new Anew());
    await expect(load(text, new Anew())).rejects.toMatchObject({
      code: 'ENOMEM',
      message: `files of handler modules were loaded anew ${FILES_MAX} times, and Node keeps them all`,
    });
  });
});
