// How much a reliability test does, and the figures that it came to.
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { RELIABILITY = 'short', RELIABILITY_PUBLISH } = process.env;

/** What was measured, as rows of a table. */
export type Rows = readonly (readonly [what: string, value: string | number])[];

/** How often something is done: less where every change has to pass, all with `RELIABILITY=full`. */
export function times(full: number, short: number): number {
  return RELIABILITY === 'full' ? full : short;
}

/** Prints figures; `RELIABILITY_PUBLISH=1` has them put into docs/reliability.md, between the markers of that name. */
export function tell(marker: string, rows: Rows): void {
  const table = rows.map(([what, value]) => `| ${what} | ${value} |`).join('\n');
  const text = `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}.\n\n| | |\n|---|---|\n${table}`;
  console.log(`${marker}\n${text}`);
  if (RELIABILITY_PUBLISH !== '1') return;
  execFileSync(process.execPath, ['bench/publish.mjs', 'docs/reliability.md', marker], { cwd: ROOT, input: text });
}

/** The `p`th percentile (0 < p <= 100) by nearest rank, in ms. */
export function percentile(valuesMs: readonly number[], p: number): string {
  const sorted = [...valuesMs].sort((a, b) => a - b);
  return `${(sorted[Math.ceil((p / 100) * sorted.length) - 1] ?? Number.NaN).toFixed(1)} ms`;
}
