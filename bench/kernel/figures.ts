// Percentiles.

/** The `p`th percentile (0 < p <= 100) by nearest rank. `RangeError` when there are no values. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.ceil((p / 100) * sorted.length) - 1];
  if (value === undefined) throw new RangeError('no percentile of no values');
  return value;
}
