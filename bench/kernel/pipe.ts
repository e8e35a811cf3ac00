// How long this machine itself takes from a record to its handler: a pipe in place of a kernel's FIFO of edges, on one CPU.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { percentile } from './figures.js';
import { measureRound, type Round } from './latency.js';
import { C, C_LOOP } from './readers.js';
import type { Bench, Reader } from './session.js';

const ADDON = 'addon alone';
const TOP_HALF = 'top half';
const SIZE = { warmUp: 5_000, edges: 1_000, intervalUs: 1_000 };

const [programs, cpu, rounds = '5'] = process.argv.slice(2);
if (programs === undefined || cpu === undefined) {
  throw new Error('usage: pipe DIRECTORY_OF_THE_C_PROGRAMS NAME_OF_THE_CPU [ROUNDS]');
}
const scratch = mkdtempSync(join(tmpdir(), 'bench-pipe-'));
const fifo = join(scratch, 'records');
const bench: Bench = { path: fifo, injector: [join(programs, 'write-records'), fifo], scratch };
const epoll = [join(programs, 'epoll-reader')];
const node = [process.execPath, fileURLToPath(new URL('pipe-reader.js', import.meta.url))];
const readers: readonly Reader[] = [
  { name: C, command: epoll },
  { name: C_LOOP, command: epoll, more: '2' },
  { name: ADDON, command: node },
  { name: TOP_HALF, command: node, more: 'top-half' },
];

/** Medians of the rounds: what one of them was disturbed by counts for that one only. */
function row(name: string, found: readonly Round[]): string {
  const cell = (p: number): string => {
    const each = found.map(({ fromKernel }) => percentile(fromKernel, p) / 1000);
    return `${percentile(each, 50).toFixed(1)} (${Math.min(...each).toFixed(1)} – ${Math.max(...each).toFixed(1)})`;
  };
  return `| ${[name, cell(50), cell(90), cell(99)].join(' | ')} |`;
}

try {
  execFileSync('mkfifo', [fifo]);
  const found = new Map(readers.map(({ name }) => [name, [] as Round[]]));
  for (let round = 0; round < Number(rounds); round++) {
    process.stderr.write(`.. round ${round + 1} of ${rounds}\n`);
    for (const reader of readers) found.get(reader.name)?.push(await measureRound(bench, reader, 1, SIZE, false));
  }
  console.log(`${rounds} interleaved rounds of ${SIZE.edges} records after ${SIZE.warmUp} to warm up, one every ms; medians of the rounds, with the least and the most.

| reader | stamp → handler, µs: p50 | p90 | p99 |
|---|--:|--:|--:|
${[...found].map(([name, each]) => row(name, each)).join('\n')}

Node ${process.version}, Linux ${release()} on ${cpu}.`);
} finally {
  rmSync(scratch, { recursive: true });
}
