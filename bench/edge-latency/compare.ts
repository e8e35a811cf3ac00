// Runs in the test kernel: every reader in turn, three rounds, the same edges; prints the tables as Markdown.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createGpioSim, type GpioSim } from '../../test/kernel/gpio-sim.js';
import { type Latencies, latencyTable, percentile, ratio } from './figures.js';

const EDGES = 1000;
/** Edges before those that count, of every reader: as many as V8 needs to have compiled what it runs for each edge. */
const WARM_UP = 3000;
const ROUNDS = 3;
const INTERVAL_US = 2000;
const BUTTON = 17;
const ROUND_LIMIT_MS = 30_000;

const [programs, cpu] = process.argv.slice(2);
if (programs === undefined || cpu === undefined)
  throw new Error('usage: compare DIRECTORY_OF_THE_C_PROGRAMS NAME_OF_THE_CPU');
const node = (file: string): string[] => [process.execPath, fileURLToPath(new URL(file, import.meta.url))];

const C = 'C, epoll';
const CHARDEV = 'gpio-irqd, chardev driver';
const TOP_HALF = 'gpio-irqd, top half';
const ONOFF = 'onoff, sysfs';
const READERS: ReadonlyMap<string, readonly string[]> = new Map([
  [C, [join(programs, 'epoll-reader')]],
  [CHARDEV, node('chardev-reader.js')],
  [TOP_HALF, node('top-half-reader.js')],
  [ONOFF, node('onoff-reader.js')],
]);

const INJECTOR = [join(programs, 'inject')];

function start(command: readonly string[], args: readonly (string | number)[]): ChildProcess {
  const [program = '', ...first] = command;
  return spawn(program, [...first, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: ROUND_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
}

async function ended(name: string, child: ChildProcess): Promise<void> {
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (status === 0) return;
  throw new Error(`${name} ended with ${signal ?? status}${signal === 'SIGTERM' ? ': it did not see every edge' : ''}`);
}

async function isReady(name: string, child: ChildProcess): Promise<void> {
  for await (const chunk of child.stdout ?? []) {
    if (String(chunk).startsWith('ready')) return;
  }
  throw new Error(`${name} ended before it held the line`);
}

function u64(path: string): BigUint64Array {
  const bytes = readFileSync(path);
  return new BigUint64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** Each edge that a handler saw belongs to the last injection before it: so it is exact, or too kind, where one was missed. */
function latencies(pairs: BigUint64Array, injected: BigUint64Array): Latencies {
  const fromKernel: number[] = [];
  const fromInjection: number[] = [];
  let at = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    const stamp = pairs[i] ?? 0n;
    const handler = pairs[i + 1] ?? 0n;
    const made = stamp === 0n ? handler : stamp;
    while (at + 1 < injected.length && (injected[at + 1] ?? 0n) <= made) at += 1;
    if (i < 2 * WARM_UP) continue;
    if (stamp !== 0n) fromKernel.push(Number(handler - stamp));
    fromInjection.push(Number(handler - (injected[at] ?? 0n)));
  }
  return { fromKernel, fromInjection };
}

async function round(name: string, command: readonly string[], sim: GpioSim, directory: string): Promise<Latencies> {
  const [samples, injections] = [join(directory, 'samples'), join(directory, 'injections')];
  sim.pull(BUTTON, 0);
  const reader = start(command, [sim.path, BUTTON, WARM_UP + EDGES, samples]);
  const readerEnded = ended(name, reader);
  await Promise.race([isReady(name, reader), readerEnded]);
  // With what they load and compile at start behind them, readers wait for the first edge.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const injector = start(INJECTOR, [sim.pullFile(BUTTON), WARM_UP + EDGES, INTERVAL_US, injections]);
  await ended('inject', injector);
  // A reader that missed an edge waits for ever: onoff then hands over what it has, the others may not miss any.
  const stop = setTimeout(() => reader.kill(), 1000);
  await readerEnded;
  clearTimeout(stop);
  return latencies(u64(samples), u64(injections));
}

const directory = mkdtempSync(join(tmpdir(), 'edge-latency-'));
const sim = createGpioSim();
const measured = new Map<string, Latencies[]>([...READERS.keys()].map((name) => [name, []]));
try {
  for (let i = 0; i < ROUNDS; i++) {
    for (const [name, command] of READERS) measured.get(name)?.push(await round(name, command, sim, directory));
  }
} finally {
  sim.remove();
  rmSync(directory, { recursive: true });
}

const all = new Map(
  [...measured].map(([name, rounds]) => [
    name,
    { fromKernel: rounds.flatMap((r) => r.fromKernel), fromInjection: rounds.flatMap((r) => r.fromInjection) },
  ]),
);
const rounds = (name: string, from: keyof Latencies) => (measured.get(name) ?? []).map((r) => r[from]);
/** onoff has no kernel stamps: what lies between injection and stamp is taken off, as the C reader of its round had it. */
const onoffFromKernel = rounds(ONOFF, 'fromInjection').map((round, i) => {
  const { fromInjection = [], fromKernel = [] } = measured.get(C)?.[i] ?? {};
  const untilStamp = percentile(
    fromInjection.map((ns, edge) => ns - (fromKernel[edge] ?? 0)),
    50,
  );
  return round.map((ns) => ns - untilStamp);
});
console.log(`${ROUNDS} interleaved rounds of ${EDGES} edges after ${WARM_UP} to warm up, one every ${INTERVAL_US / 1000} ms.

${latencyTable(all)}

- p50 of the top half over the C reader, from the kernel's stamp: **${ratio(rounds(TOP_HALF, 'fromKernel'), rounds(C, 'fromKernel'))}**
- p50 of the top half over onoff, from the kernel's stamp (onoff's is reckoned): **${ratio(rounds(TOP_HALF, 'fromKernel'), onoffFromKernel)}**
- the same from the injection, which both have measured: ${ratio(rounds(TOP_HALF, 'fromInjection'), rounds(ONOFF, 'fromInjection'))}
- p50 of the plain driver over the C reader, from the kernel's stamp: ${ratio(rounds(CHARDEV, 'fromKernel'), rounds(C, 'fromKernel'))}

Node ${process.version}, Linux ${release()} (User Mode Linux, one CPU) on ${cpu}.`);
