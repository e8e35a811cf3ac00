// warm.js: starts the daemon on a simulated chip, and keeps what V8 has compiled for it (start/code-cache.ts), for this Node without options
// and with those of the unit. Whoever installs the package runs it; without it, starts take longer, and that is all.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Script } from 'node:vm';
import {
  cachePath,
  INDEX_AT,
  isOutdated,
  Loader,
  type Place,
  SUM_AT,
  sumOf,
  unfinishedPath,
} from './start/code-cache.js';

/** Lines, edges and actions as most configurations have them. */
const CONFIG = `lines:
  button: { gpio: 17, edge: both, bias: pull-up, active: low, debounce: 5ms }
  led: { gpio: 4, direction: out, initial: 0 }
interrupts:
  - line: button
    top_half:
      - { set: led, value: 1 }
`;
/** As systemd/gpio-irqd.service has them in NODE_OPTIONS. */
const UNIT_OPTIONS = ['--max-semi-space-size=1'];
/** Has the file written for the options of the call alone. */
const AS_CALLED = '--as-called';
/** Most that a start may take here, in ms: whoever installs the package does not wait for ever. */
const PATIENCE_MS = 120_000;

/** Has the daemon start and end. @returns what it compiled, by module */
async function startOnce(directory: string): Promise<ReadonlyMap<string, Script>> {
  const config = join(directory, 'config.yaml');
  writeFileSync(config, CONFIG, { mode: 0o600 });
  // What V8 has kept cannot import.
  const loader = new Loader(
    (path) => !/\bimport\(/.test(readFileSync(path, 'latin1')),
    () => undefined,
  );
  const { PLACE } = await import('./start/daemon.js');
  const { daemon } = loader.load(PLACE) as typeof import('./start/daemon.js');
  let said = '';
  let end: (signal: string) => void = () => undefined;
  const socket = join(directory, 'control.sock');
  const code = await daemon(['run', '--driver', 'sim', '--config', config, '--socket', socket], {
    // The last that is written before the daemon is ready.
    out: (text) => void (text.includes(socket) && setImmediate(end, 'SIGTERM')),
    err: (text) => {
      said += text;
    },
    terminal: false,
    env: {},
    uid: process.getuid?.() ?? 0,
    onSignal: (listener) => {
      end = listener;
      return () => undefined;
    },
  });
  if (code !== 0) throw new Error(`the daemon ended with ${code}: ${said}`);
  return loader.scripts;
}

/** The file of {@link cachePath}, put together. */
function fileOf(scripts: ReadonlyMap<string, Script>, folder: string): Buffer {
  const code = [...scripts].map(([path, script]) => [relative(folder, path), script.createCachedData()] as const);
  let offset = 0;
  const places = code.map(([path, data]): Place => {
    offset += data.length;
    return [path, offset - data.length, data.length, sumOf(data)];
  });
  const index = Buffer.from(JSON.stringify(places));
  const head = Buffer.alloc(INDEX_AT);
  head.writeBigUInt64LE(BigInt(index.length));
  head.writeUInt32LE(sumOf(index), SUM_AT);
  return Buffer.concat([head, index, ...code.map(([, data]) => data)]);
}

/** Writes a file that is there whole or not at all, even after a loss of power, and that the daemon's user may read. */
function putInPlace(path: string, file: Buffer): void {
  const made = unfinishedPath(path);
  try {
    writeFileSync(made, file, { flush: true });
    chmodSync(made, 0o644);
    renameSync(made, path);
  } finally {
    rmSync(made, { force: true });
  }
}

/** Writes the file for this Node with the options that it has. */
async function warm(folder: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-warm-'));
  try {
    putInPlace(cachePath(folder), fileOf(await startOnce(directory), folder));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What an older Node has kept, some MB, nobody takes any more. */
function removeOutdated(folder: string): void {
  for (const name of readdirSync(folder).filter(isOutdated)) rmSync(join(folder, name), { force: true });
}

async function main(self: string): Promise<void> {
  if (process.argv[2] === AS_CALLED) return warm(dirname(self));
  // Not the caller's own options.
  const { NODE_OPTIONS: _, ...env } = process.env;
  for (const options of [[], UNIT_OPTIONS]) {
    const args = [...options, self, AS_CALLED];
    execFileSync(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: PATIENCE_MS });
  }
  removeOutdated(dirname(self));
}

void main(fileURLToPath(import.meta.url)).then(
  () => process.exit(0),
  (error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`gpio-irqd: nothing is kept for its starts, which take longer so: ${why}\n`);
    process.exit(1);
  },
);
