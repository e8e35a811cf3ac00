// The Markdown of what was measured.
import { cpus } from 'node:os';
import { type Measured, NOISE_BYTES } from './operation.js';

const NSEC_PER_SEC = 1_000_000_000;

/** The middle value; of an even number, the mean of the two in the middle. `RangeError` when there are none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const low = sorted[(sorted.length - 1) >> 1];
  const high = sorted[sorted.length >> 1];
  if (low === undefined || high === undefined) throw new RangeError('no median of no values');
  return (low + high) / 2;
}

const number = (value: number): string => value.toFixed(value < 100 ? 1 : 0).replace(/\B(?=(\d{3})+$)/, ',');

/** Of the quickest twentieth, the slowest. `RangeError` when there are none. */
function undisturbed(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.floor(sorted.length / 20)];
  if (value === undefined) throw new RangeError('no quickest of no values');
  return value;
}

function spread(values: readonly number[]): string {
  return `${number(Math.min(...values))} – ${number(Math.max(...values))}`;
}

/** One row an operation. */
export function operationTable(measured: readonly Measured[]): string {
  const rows = measured.map(({ name, ns, bytes }) => {
    const allocated = Math.abs(bytes) < NOISE_BYTES ? '0' : number(bytes);
    const quick = undisturbed(ns);
    return `| ${name} | ${number(quick)} | ${number(median(ns))} | ${number(NSEC_PER_SEC / quick / 1e6)} | ${allocated} |`;
  });
  const head = '| operation | ns, undisturbed | ns, median | million a second | bytes |';
  return [head, '|---|--:|--:|--:|--:|', ...rows].join('\n');
}

/** One line: how many of an operation a second takes, and how many it should. */
export function goalLine({ name, ns }: Measured, goal: number): string {
  const millions = (count: number): string => `${(count / 1e6).toFixed(2)} million`;
  return `- ${name}: **${millions(NSEC_PER_SEC / undisturbed(ns))}** a second (goal: ${millions(goal)})`;
}

/** One line: how much faster than real time. */
export function factorLine(what: string, factors: readonly number[]): string {
  return `- ${what}: **${number(median(factors))}** times faster than real time (${spread(factors)})`;
}

/** What it was measured on. */
export function machineLine(): string {
  return `Node ${process.version} on ${cpus()[0]?.model.trim() ?? 'an unknown CPU'}.`;
}
