// Modules in worker threads: what they return, every way in which they can end, and that the next call works all the same.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ModuleEdge, ModuleWorkers } from './module-workers.js';

const LONG_NS = 60e9;
const MIB = 1024 * 1024;
const EDGE: ModuleEdge = {
  line: 'button1',
  gpio: 17,
  name: 'b1',
  edge: 'rising',
  value: 1,
  timestamp: 1_000,
  sinceLast: null,
  seqno: 5,
};

let directory: string;
let workers: ModuleWorkers;
const strays: unknown[] = [];
const never = new AbortController().signal;

/** A module whose default function has this body; `edge` is what it gets. */
function module(body: string): string {
  const path = join(directory, `${Math.abs(hash(body))}.mjs`);
  writeFileSync(path, `export default async function (edge) { ${body} }\n`);
  return path;
}

function hash(text: string): number {
  return [...text].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 7);
}

function run(body: string, { timeoutNs = LONG_NS, signal = never } = {}): Promise<unknown> {
  return workers.run({ path: module(body), edge: EDGE, timeoutNs, signal });
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-modules-'));
});
afterAll(() => rmSync(directory, { recursive: true }));
beforeEach(async () => {
  strays.length = 0;
  workers = await ModuleWorkers.create({ threads: 1, heapMax: 32 * MIB, onStray: (error) => strays.push(error) });
});
afterEach(() => workers.close());

describe('a module', () => {
  it('gets the edge, and what it returns comes back', async () => {
    expect(await run('return { twice: edge.seqno * 2, edge }')).toEqual({ twice: 10, edge: EDGE });
  });

  it('gets nothing of the environment of the daemon', async () => {
    expect(await run('return [Object.keys(process.env), process.argv.length]')).toEqual([[], 2]);
  });

  it('runs in a thread of its own, which is kept', async () => {
    const id = 'const { threadId } = await import("node:worker_threads"); return threadId;';
    const first = await run(id);
    expect([first === 0, await run(id), workers.threads]).toEqual([false, first, 1]);
  });

  it('lets the daemon go on while it computes', async () => {
    const stop = new AbortController();
    const computing = run('for (;;) {}', { signal: stop.signal });
    stop.abort();
    await expect(computing).rejects.toMatchObject({ code: 'EINTR' });
  });
});

describe('a module that fails', () => {
  it.each([
    ['computes for ever', 'for (;;) {}', 'ETIMEDOUT', /ran out of time and was ended/],
    ['waits for ever', 'await new Promise(() => {})', 'ETIMEDOUT', /ran out of time/],
    ['fills the memory', 'const all = []; for (;;) all.push(new Array(1000).fill(1.5))', 'ENOMEM', /filled its 32M/],
    [
      'allocates in a loop for ever',
      'let few = []; for (;;) { few.push(new Array(1000).fill(1.5)); if (few.length > 1000) few = []; }',
      'ETIMEDOUT',
      /ran out of time and was ended/,
    ],
    [
      'fills the memory with small objects',
      'const all = new Map(); for (let i = 0; ; i++) all.set("k" + i, { i });',
      'ENOMEM',
      /filled its 32M/,
    ],
    ['ends its thread', 'process.exit(3)', 'EIO', /worker exited with code: 3/],
    ['throws', 'throw new TypeError("no good")', 'EIO', /no good/],
    ['throws no error', 'throw "a text"', 'EIO', /a text/],
    [
      'throws in a callback',
      'setTimeout(() => { throw new Error("later") }); await new Promise(() => {})',
      'EIO',
      /later/,
    ],
    ['rejects what nobody awaits', 'Promise.reject(new Error("nobody")); await new Promise(() => {})', 'EIO', /nobody/],
    ['returns a function', 'return () => 1', 'EIO', /structured clone/],
    ['has an error of syntax', 'return )', 'EIO', /Unexpected token/],
  ])('%s: says so, with the edge, and the next call works', async (_what, body, code, message) => {
    // Long enough that a loop is optimised.
    const timeoutNs = code === 'ETIMEDOUT' ? 600e6 : LONG_NS;
    const failure = run(body, { timeoutNs });
    await expect(failure).rejects.toMatchObject({ name: 'KernelError', code });
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toThrow('edge 5 of button1 is not dealt with');
    expect(await run('return "alive"')).toBe('alive');
  });

  it('is counted when its thread was lost', async () => {
    await run('throw new Error("x")').catch(() => {});
    expect(workers.died).toBe(0);
    await run('process.exit(1)').catch(() => {});
    await run('for (;;) {}', { timeoutNs: 100e6 }).catch(() => {});
    expect(workers.died).toBe(2);
  });

  it('has no default function: says so', async () => {
    const path = join(directory, 'empty.mjs');
    writeFileSync(path, 'export const other = 1;\n');
    const call = workers.run({ path, edge: EDGE, timeoutNs: LONG_NS, signal: never });
    await expect(call).rejects.toMatchObject({ code: 'EIO' });
  });

  it('throws behind its end: is told to whoever listens', async () => {
    expect(await run('setTimeout(() => { throw new Error("stray") }, 1); return 1')).toBe(1);
    await expect.poll(() => strays.map(String)).toEqual(['Error: stray']);
    expect(await run('return "alive"')).toBe('alive');
  });
});

describe('more calls than threads', () => {
  it('wait for one, and all come back', async () => {
    const calls = Array.from({ length: 5 }, (_, i) => run(`return ${i}`));
    expect(workers.waiting).toBeGreaterThan(0);
    expect(await Promise.all(calls)).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('closing', () => {
  it('ends what runs, and says that it was', async () => {
    const running = run('for (;;) {}');
    const ended = expect(running).rejects.toMatchObject({ code: 'EINTR' });
    await workers.close();
    await ended;
    expect(workers.threads).toBe(0);
  });
});
