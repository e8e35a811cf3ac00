// `npm run bench:model`: measures all operations and prints the Markdown. Arguments: [--rounds N] [--only TEXT]
//
// Each operation has a process of its own (--one NAME), several times: what V8 has compiled for one would be slower for the next, which
// no program does that has one machine. They take turns, so that what else the computer does meets all of them.
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { bottomHalves } from './bottom-halves.js';
import { edges } from './edges.js';
import { ground } from './ground.js';
import { type Measured, measure, type Operation, together } from './operation.js';
import { factorLine, goalLine, machineLine, median, operationTable } from './report.js';
import { GOAL, virtualSeconds } from './virtual-second.js';
import { yardsticks } from './yardsticks.js';

/** Operations that shall be done as often as this in a second. */
const GOALS: ReadonlyMap<string, number> = new Map([
  ['edge → top half → return', 3_000_000],
  ['edge → top half → thread → work item', 1_000_000],
]);

/** Times that each operation is measured, in a process of its own. */
const PROCESSES = 3;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '4' }, only: { type: 'string' }, one: { type: 'string' } },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds}: a number from 1`);

const all = [...ground, ...edges, ...bottomHalves, ...yardsticks];

function inItsOwnProcess({ name }: Operation): Measured {
  const [, program = ''] = process.argv;
  const args = [...process.execArgv, program, '--rounds', String(rounds), '--one', name];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
}

async function measureOne(name: string): Promise<void> {
  const operation = all.find((candidate) => candidate.name === name);
  if (operation === undefined) throw new Error(`--one ${name}: no operation is called so`);
  process.stdout.write(JSON.stringify(await measure(operation, rounds)));
}

function report(): void {
  const wanted = all.filter(({ name }) => values.only === undefined || name.includes(values.only));
  if (wanted.length === 0) throw new Error(`--only ${values.only}: no operation is called so`);
  const turns = Array.from({ length: PROCESSES }, () => wanted.map(inItsOwnProcess));
  const measured = wanted.map((operation, i) => {
    const parts = turns.flatMap((turn) => turn[i] ?? []);
    return together(operation, parts);
  });
  const lines = [
    `Each operation ${PROCESSES} times in a process of its own, ${rounds} rounds a time.`,
    '',
    operationTable(measured),
    '',
  ];
  if (values.only === undefined) {
    lines.push('Full ways of an edge, on one CPU:', '');
    for (const one of measured) {
      const goal = GOALS.get(one.name);
      if (goal !== undefined) lines.push(goalLine(one, goal));
    }
    lines.push('');
    const interrupts = virtualSeconds('interrupts', PROCESSES * rounds);
    if (median(interrupts) < GOAL)
      throw new Error(`a virtual second is ${median(interrupts)} times as fast, not ${GOAL}`);
    lines.push('A virtual second on 4 CPUs with 10,000 timer interrupts:', '');
    lines.push(factorLine('interrupts only', interrupts));
    lines.push(
      factorLine(
        'each wakes a task that is busy for 20 µs',
        virtualSeconds('interrupts and tasks', PROCESSES * rounds),
      ),
    );
    lines.push('');
  }
  lines.push(machineLine());
  process.stdout.write(`${lines.join('\n')}\n`);
}

if (values.one === undefined) report();
else await measureOne(values.one);
