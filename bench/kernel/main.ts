// Runs in the test kernel: every reader in turn, several rounds, the same edges; prints the tables as Markdown.
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGpioSim } from '../../test/kernel/gpio-sim.js';
import { measureRound, type Round } from './latency.js';
import { readersIn, TOP_HALF } from './readers.js';
import { blockedLines, costTable, goalLines, latencyTable, sustainedTable } from './report.js';
import type { Bench } from './session.js';
import { measureBlocked, measureSustained, type Sustained } from './sustained.js';

const LINES = [1, 8, 54];
const SUSTAINED_LINES = [1, 54];
/** Readers of which the highest rate is searched with more than one line: those in C, and those of the chardev driver. */
const SUSTAINED_ALL_LINES = 4;
const SIZE = { warmUp: 2_500, edges: 600, intervalUs: 1_500 };
const BLOCK_MS = 200;
/** What the FIFO holds, with room to spare, and far more. */
const BLOCKED_COUNTS = [800, 6_000];

const [programs, cpu, rounds = '3'] = process.argv.slice(2);
if (programs === undefined || cpu === undefined) {
  throw new Error('usage: main DIRECTORY_OF_THE_C_PROGRAMS NAME_OF_THE_CPU [ROUNDS]');
}
const sim = createGpioSim();
const bench: Bench = {
  path: sim.path,
  injector: [join(programs, 'inject'), sim.pullFile(0).replace('0/pull', '')],
  scratch: mkdtempSync(join(tmpdir(), 'bench-kernel-')),
};
const readers = readersIn(programs);
const progress = (text: string): void => {
  const seconds = String(Math.round(performance.now() / 1000)).padStart(4);
  process.stderr.write(`.. ${seconds} s: ${text}, load of the guest ${loadavg()[0]?.toFixed(1)}\n`);
};

async function latencyRounds(): Promise<Map<number, Map<string, Round[]>>> {
  const byLines = new Map(LINES.map((lines) => [lines, new Map(readers.map(({ name }) => [name, [] as Round[]]))]));
  for (let round = 0; round < Number(rounds); round++) {
    for (const [lines, found] of byLines) {
      progress(`round ${round + 1} of ${rounds}, ${lines} lines`);
      for (const reader of readers) {
        const idle = round === 0;
        found.get(reader.name)?.push(await measureRound(bench, reader, lines, SIZE, idle));
      }
    }
  }
  return byLines;
}

async function sustainedRates(): Promise<Map<number, Map<string, Sustained>>> {
  const byLines = new Map<number, Map<string, Sustained>>();
  for (const lines of SUSTAINED_LINES) {
    const found = new Map<string, Sustained>();
    byLines.set(lines, found);
    for (const reader of lines === 1 ? readers : readers.slice(0, SUSTAINED_ALL_LINES)) {
      progress(`sustained, ${lines} lines, ${reader.name}`);
      found.set(reader.name, await measureSustained(bench, reader, lines));
    }
  }
  return byLines;
}

try {
  const byLines = await latencyRounds();
  const sustained = await sustainedRates();
  progress(`blocked for ${BLOCK_MS} ms`);
  const topHalf = readers.find(({ name }) => name === TOP_HALF);
  const blocked = topHalf === undefined ? [] : await measureBlocked(bench, topHalf, BLOCK_MS, BLOCKED_COUNTS);
  const tables = [...byLines].map(
    ([lines, found]) =>
      `${lines === 1 ? 'One line' : `${lines} lines`}, edges on each in turn:\n\n${latencyTable(found)}`,
  );
  console.log(`${rounds} interleaved rounds of ${SIZE.edges} edges after ${SIZE.warmUp} to warm up, one every ${SIZE.intervalUs / 1000} ms.

${tables.join('\n\n')}

What an edge costs, and what waiting costs:

${costTable(byLines)}

Without a miss:

${sustainedTable(sustained)}

${goalLines(byLines, sustained.get(1) ?? new Map())}

${blockedLines(BLOCK_MS, blocked)}

Node ${process.version}, Linux ${release()} (User Mode Linux, one CPU) on ${cpu}.`);
} finally {
  sim.remove();
  rmSync(bench.scratch, { recursive: true });
}
