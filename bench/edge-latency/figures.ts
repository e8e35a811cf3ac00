// From samples to the figures that are published: percentiles, ratios, and the Markdown that shows them.

/** Latencies of one reader, in ns, over one or more rounds. */
export interface Latencies {
  /** From the kernel's stamp, made in the interrupt, to the handler; empty when the reader has no kernel stamps. */
  readonly fromKernel: readonly number[];
  /** From just before the write that makes the edge, to the handler. */
  readonly fromInjection: readonly number[];
}

/** The `p`th percentile (0 < p <= 100) by nearest rank. `RangeError` when there are no values. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.ceil((p / 100) * sorted.length) - 1];
  if (value === undefined) throw new RangeError('no percentile of no values');
  return value;
}

const us = (ns: number): string => (ns / 1000).toFixed(1);

function cells(values: readonly number[]): string[] {
  if (values.length === 0) return ['–', '–', '–'];
  return [50, 90, 99].map((p) => us(percentile(values, p)));
}

/** A Markdown table, one row a reader, µs. */
export function latencyTable(rows: ReadonlyMap<string, Latencies>): string {
  const lines = [
    '| reader | kernel stamp → handler, µs: p50 | p90 | p99 | injection → handler, µs: p50 | p90 | p99 | edges seen |',
    '|---|--:|--:|--:|--:|--:|--:|--:|',
  ];
  for (const [name, { fromKernel, fromInjection }] of rows) {
    lines.push(`| ${[name, ...cells(fromKernel), ...cells(fromInjection), fromInjection.length].join(' | ')} |`);
  }
  return lines.join('\n');
}

/** `a` over `b` at p50: over all samples, and from round to round. */
export function ratio(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): string {
  const of = (x: readonly number[], y: readonly number[]) => (percentile(x, 50) / percentile(y, 50)).toFixed(2);
  const rounds = a.map((round, i) => of(round, b[i] ?? []));
  return `${of(a.flat(), b.flat())} (rounds: ${rounds.join(', ')})`;
}
