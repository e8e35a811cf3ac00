// `npm run bench:model`: measures all operations and prints the Markdown. Arguments: [--rounds N] [--only TEXT]
import { parseArgs } from 'node:util';
import { bottomHalves } from './bottom-halves.js';
import { edges } from './edges.js';
import { ground } from './ground.js';
import { measure } from './operation.js';
import { factorLine, goalLine, machineLine, median, operationTable } from './report.js';
import { GOAL, virtualSeconds } from './virtual-second.js';
import { yardsticks } from './yardsticks.js';

/** Operations that shall be done as often as this in a second. */
const GOALS: ReadonlyMap<string, number> = new Map([
  ['edge → top half → return', 3_000_000],
  ['edge → top half → thread → work item', 1_000_000],
]);

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '9' }, only: { type: 'string' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds}: a number from 1`);

const all = [...ground, ...edges, ...bottomHalves, ...yardsticks];
const wanted = all.filter(({ name }) => values.only === undefined || name.includes(values.only));
if (wanted.length === 0) throw new Error(`--only ${values.only}: no operation is called so`);

const measured = await measure(wanted, rounds);
const lines = [`${rounds} interleaved rounds.`, '', operationTable(measured), ''];
if (values.only === undefined) {
  lines.push('Full ways of an edge, on one CPU:', '');
  for (const one of measured) {
    const goal = GOALS.get(one.name);
    if (goal !== undefined) lines.push(goalLine(one, goal));
  }
  lines.push('');
  const interrupts = virtualSeconds('interrupts', rounds);
  if (median(interrupts) < GOAL)
    throw new Error(`a virtual second is ${median(interrupts)} times as fast, not ${GOAL}`);
  lines.push('A virtual second on 4 CPUs with 10,000 timer interrupts:', '');
  lines.push(factorLine('interrupts only', interrupts));
  lines.push(factorLine('each wakes a task that is busy for 20 µs', virtualSeconds('interrupts and tasks', rounds)));
  lines.push('');
}
lines.push(machineLine());
process.stdout.write(`${lines.join('\n')}\n`);
