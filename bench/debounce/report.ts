// The Markdown of the verdicts.
import { percentile } from '../kernel/figures.js';
import type { Verdict } from './judge.js';

/** A way in a scene. */
export interface Row {
  readonly scene: string;
  readonly way: string;
  readonly verdict: Verdict;
}

const ms = (ns: number): string => (ns / 1e6).toFixed(1);

/** One row a way in a scene. */
export function verdictTable(rows: readonly Row[]): string {
  const lines = [
    '| button | way | presses | false presses | missed presses | added latency, ms: p50 | p99 | max |',
    '|---|---|--:|--:|--:|--:|--:|--:|',
  ];
  let scene = '';
  for (const { scene: name, way, verdict } of rows) {
    const { presses, falsePresses, missed, latenciesNs } = verdict;
    const late = latenciesNs.length === 0 ? ['–', '–', '–'] : [50, 99, 100].map((p) => ms(percentile(latenciesNs, p)));
    lines.push(`| ${[name === scene ? '' : name, way, presses, falsePresses, missed, ...late].join(' | ')} |`);
    scene = name;
  }
  return lines.join('\n');
}
