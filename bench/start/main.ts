// main.js READY PLACE ROUNDS: how long the daemon takes to be ready, and how much memory it has then, beside Node alone.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [READY = '', PLACE = '', ROUNDS = '5'] = process.argv.slice(2);
const TICKS_PER_S = 100;
const MIB = 1024;
const SETTLED_MS = 1_500;

/** What is started, by name. */
const MAIN = 'dist/daemon/main.js';
const directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-start-'));
const socket = join(directory, 'control.sock');
const bare = join(directory, 'bare.cjs');
// Says that it is ready, as far as Node can by itself.
writeFileSync(
  bare,
  `require('node:child_process').execFileSync('systemd-notify', ['--ready', '--no-block', '--pid=' + process.pid]); setInterval(() => {}, 1e6);\n`,
);
const daemon = [MAIN, 'run', '--driver', 'sim', '--config', 'examples/button-led.yaml', '--socket', socket];
const SMALL = '--max-semi-space-size=1';

interface Started {
  readonly ms: number;
  readonly cpuMs: number;
  /** Pages that it touched first until then: minor and major faults. */
  readonly pages: number;
  readonly rss: number;
  readonly asked: number;
}

function rssOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / MIB;
}

function usageOf(pid: number): { cpuMs: number; pages: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').map(Number) ?? [];
  const [minor = 0, major = 0, user = 0, system = 0] = [fields[7], fields[9], fields[11], fields[12]];
  return { cpuMs: ((user + system) * 1_000) / TICKS_PER_S, pages: minor + major };
}

function ask(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    request({ socketPath: socket, path }, (answer) => answer.resume().on('end', resolve))
      .on('error', reject)
      .end();
  });
}

async function start(args: readonly string[]): Promise<Started> {
  const command = [join(directory, 'notify'), process.execPath, ...args];
  const [pid = 0, ms = 0] =
    execFileSync(READY, command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split('\n')
      .at(-1)
      ?.split(' ')
      .map(Number) ?? [];
  const usage = usageOf(pid);
  await sleep(SETTLED_MS);
  const rss = rssOf(pid);
  let asked = Number.NaN;
  if (args.includes(MAIN)) {
    await ask('/v1/status');
    await ask('/metrics');
    asked = rssOf(pid);
  }
  process.kill(pid, 'SIGTERM');
  await sleep(SETTLED_MS);
  return { ms, ...usage, rss, asked };
}

function median(values: readonly number[]): string {
  const middle = [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
  return Number.isNaN(middle) ? '–' : middle.toFixed(0);
}

const ways: readonly (readonly [string, readonly string[]])[] = [
  ['Node alone, which runs `systemd-notify`', [bare]],
  ['gpio-irqd', daemon],
  [`gpio-irqd, \`${SMALL}\``, [SMALL, ...daemon]],
];
const measured = new Map<string, Started[]>(ways.map(([name]) => [name, []]));
for (let round = 0; round < Number(ROUNDS); round++) {
  for (const [name, args] of ways) measured.get(name)?.push(await start(args));
}
console.log(`${PLACE}, ${ROUNDS} rounds:\n`);
console.log(
  '| | ms to READY, median | least | ms CPU until then | pages touched | RSS idle, MiB | RSS after the API and the metrics were read |',
);
console.log('|---|--:|--:|--:|--:|--:|--:|');
for (const [name, all] of measured) {
  const ms = all.map((one) => one.ms);
  const row = [median(ms), Math.min(...ms).toFixed(0)];
  const cost = [median(all.map((one) => one.cpuMs)), median(all.map((one) => one.pages))];
  const memory = [median(all.map((one) => one.rss)), median(all.map((one) => one.asked))];
  console.log(`| ${[name, ...row, ...cost, ...memory].join(' | ')} |`);
}
rmSync(directory, { recursive: true, force: true });
