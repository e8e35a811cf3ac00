// Modules that are loaded with what V8 has kept of them: they do as they do without it, whatever the file is.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Script } from 'node:vm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mulberry32 } from '../../sim-fallback/board/prng.js';
import {
  cachePath,
  INDEX_AT,
  isOutdated,
  KeptCode,
  Loader,
  loadFromCache,
  Scratch,
  SUM_AT,
  sumOf,
  unfinishedPath,
} from './code-cache.js';

let folder: string;
/** Bytes as code has them, the same ones each time. */
function bytes(count: number, seed: number): Buffer<ArrayBuffer> {
  const random = mulberry32(seed);
  return Buffer.from(Array.from({ length: count }, () => random() * 256));
}

const require = createRequire(import.meta.url);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gpio-irqd-code-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const everything = (): Loader =>
  new Loader(
    () => true,
    () => undefined,
  );

/** A file as warm.ts writes it, with an index of that form. */
function keep(index: unknown, code = Buffer.alloc(0)): void {
  const text = Buffer.from(JSON.stringify(index));
  const head = Buffer.alloc(INDEX_AT);
  head.writeBigUInt64LE(BigInt(text.length));
  head.writeUInt32LE(sumOf(text), SUM_AT);
  writeFileSync(cachePath(folder), Buffer.concat([head, text, code]));
}

test('a module is run as `require` runs it, once, and `require` has it then', () => {
  write('deep/part.js', 'exports.folder = __dirname; exports.basename = require("node:path").basename;');
  const main = write(
    'main.js',
    'exports.runs = (globalThis.runs = (globalThis.runs ?? 0) + 1); exports.part = require("./deep/part.js");',
  );
  const loader = everything();
  const loaded = loader.load(main) as { runs: number; part: { folder: string; basename: (path: string) => string } };
  expect([loaded.runs, loaded.part.folder, loaded.part.basename('/a/b')]).toEqual([1, join(folder, 'deep'), 'b']);
  expect(loader.load(main)).toBe(loaded);
  expect(require(main)).toBe(loaded);
  expect(require(join(folder, 'deep/part.js'))).toBe(loaded.part);
});

test('modules that require each other see what there is', () => {
  write('a.js', 'exports.first = 1; exports.seen = require("./b.js").seen; ');
  write('b.js', 'exports.seen = require("./a.js").first;');
  expect(everything().load(join(folder, 'a.js'))).toEqual({ first: 1, seen: 1 });
});

test('a module that throws is run anew the next time', () => {
  const path = write('late.js', 'if (!globalThis.isTime) throw new Error("too early"); exports.done = true;');
  const loader = everything();
  expect(() => loader.load(path)).toThrow('too early');
  Object.assign(globalThis, { isTime: true });
  expect(loader.load(path)).toEqual({ done: true });
});

test.each([
  ['cut off', (kept: Buffer) => kept.subarray(0, 100)],
  ['of other bytes', (kept: Buffer) => Buffer.alloc(kept.length, 7)],
  ['of another text', () => new Script('1').createCachedData()],
] as const)('a module is compiled anew when its code is %s', (how, spoil) => {
  // V8 itself remembers what it has compiled: each text is another one.
  const path = write('sum.js', `exports.sum = (a, b) => a + b; // ${how}`);
  const kept = new Script(`1 // ${how}`).createCachedData();
  const loader = new Loader(
    () => true,
    () => spoil(kept),
  );
  expect((loader.load(path) as { sum: (a: number, b: number) => number }).sum(3, 4)).toBe(7);
  expect(loader.scripts.get(path)?.cachedDataRejected).toBe(true);
});

test('the first module of the file is loaded', () => {
  const path = write('main.js', 'exports.marker = globalThis.loadedFromFile = "yes";');
  const code = Buffer.alloc(50);
  keep([['main.js', 0, code.length, sumOf(code)]], code);
  loadFromCache(folder);
  expect(globalThis).toHaveProperty('loadedFromFile', 'yes');
  expect(require.cache[path]?.loaded).toBe(true);
});

test('each module is given its own code, also when the file has been replaced meanwhile', () => {
  const parts = [100, 0, 3, 5_000, 2_000_000].map((size) => bytes(size, size));
  let offset = 0;
  const index = parts.map((part, i) => {
    offset += part.length;
    return [`${i}.js`, offset - part.length, part.length, sumOf(part)];
  });
  keep(index, Buffer.concat(parts));
  const kept = KeptCode.open(folder);
  rmSync(cachePath(folder));
  keep([]);
  const scratch = new Scratch();
  for (const i of [0, 4, 3, 2, 1, 4, 0])
    expect(kept?.codeOf(join(folder, `${i}.js`), scratch)?.equals(parts[i] ?? Buffer.alloc(1))).toBe(true);
  expect(kept?.codeOf(join(folder, 'other.js'), scratch)).toBeUndefined();
  expect(kept?.first).toBe(join(folder, '0.js'));
});

/** The smallest that disks and file systems lose. */
const BLOCK = 512;

test.each([
  ['full of zeros', (): Buffer => Buffer.alloc(BLOCK)],
  ['full of ones', () => Buffer.alloc(BLOCK, 0xff)],
  ['of another file', () => bytes(BLOCK, 1)],
] as const)('code with a block %s is not taken, wherever the block is: damaged code ends the process', (_, lost) => {
  const code = bytes(9 * BLOCK + 100, 2);
  const index = ['one.js', 'two.js'].map((name, i) => [name, i * code.length, code.length, sumOf(code)]);
  keep(index, Buffer.concat([code, code]));
  const whole = readFileSync(cachePath(folder));
  const [one, two] = [join(folder, 'one.js'), join(folder, 'two.js')];
  const taken = (file: Buffer): string[] => {
    writeFileSync(cachePath(folder), file);
    const kept = KeptCode.open(folder);
    return [one, two].filter((path) => kept?.codeOf(path, new Scratch()) !== undefined);
  };
  for (let at = 0; at + BLOCK <= whole.length; at += BLOCK) {
    const damaged = Buffer.from(whole);
    damaged.set(lost(), at);
    const [begin, end] = [at - (whole.length - 2 * code.length), at + BLOCK - (whole.length - 2 * code.length)];
    const rest = [...(begin >= code.length ? [one] : []), ...(end <= code.length ? [two] : [])];
    expect(taken(damaged)).toEqual(begin < 0 ? [] : rest);
  }
  expect(taken(whole.subarray(0, whole.length - 1))).toEqual([one]);
  expect(taken(whole.subarray(0, INDEX_AT + 10))).toEqual([]);
  expect(taken(whole)).toEqual([one, two]);
});

test('a module whose code is damaged is run without it', () => {
  const path = write('whole.js', 'exports.done = true;');
  keep([['whole.js', 0, 600, 0]], bytes(600, 3));
  loadFromCache(folder);
  expect(require.cache[path]?.exports).toEqual({ done: true });
});

test.each([
  ['not there', (): void => {}],
  ['empty', () => writeFileSync(cachePath(folder), '')],
  ['of other bytes', () => writeFileSync(cachePath(folder), Buffer.alloc(64, 0xff))],
  ['cut off', () => writeFileSync(cachePath(folder), Buffer.from([255, 0, 0, 0, 0, 0, 0, 0, 0x5b]))],
  ['of another form', () => keep({ some: 'thing' })],
  ['of modules that are gone', () => keep([['gone.js', 64, 8]])],
] as const)('nothing comes of a file that is %s', (_, make) => {
  make();
  expect(() => loadFromCache(folder)).not.toThrow();
});

const { version, arch } = process;

test.each([
  [`start_${version}_${arch}.cache`, false],
  [`start_${version}_${arch}_--max-semi-space-size=1.cache`, false],
  [`start_${version}_${arch}_--title=0.5.cache`, false],
  [`start_v18.0.0_${arch}.cache`, true],
  [`start_${version}1_${arch}.cache`, true],
  [`start_${version}_${arch}64_--max-semi-space-size=1.cache`, true],
  [`start_${version}_${arch}.4711.part.cache`, true],
  ['main.js', false],
  ['other.cache', false],
])('whether %s is outdated is %s', (name, outdated) => {
  expect(isOutdated(name)).toBe(outdated);
});

test('the file of this Node is not outdated, and is when it was never written to its end', () => {
  const path = cachePath(folder);
  expect([path, unfinishedPath(path)].map((each) => isOutdated(basename(each)))).toEqual([false, true]);
});
