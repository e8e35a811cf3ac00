// Durations as written in configuration, in scenarios and on the command line: `5ms`, `200us`, `2s`, `1h`.

/** Units that durations are written in by us. */
const UNIT_NS = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['µs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
]);

/** Units that are read besides; `m` is none, as it may be meant for either of two. */
const LONG_UNIT_NS = new Map([
  ['min', 60e9],
  ['h', 3600e9],
]);

const DURATION = /^(\d{1,15}(?:\.\d{1,9})?)\s?(ns|us|µs|ms|s|min|h)$/;

/**
 * Reads a duration with its unit (`ns`, `us` or `µs`, `ms`, `s`, `min`, `h`), a decimal fraction allowed.
 *
 * @returns whole nanoseconds, 0 to 2^53 - 1; `undefined` for anything else, a number without a unit or a fraction of a
 *   nanosecond included.
 */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  const unit = match?.[2] ?? '';
  const scale = UNIT_NS.get(unit) ?? LONG_UNIT_NS.get(unit);
  if (match?.[1] === undefined || scale === undefined) return undefined;
  const exact = Number(match[1]) * scale;
  const ns = Math.round(exact);
  // A decimal fraction such as 0.07ms is not exact in binary; what is left over must be no more than that.
  if (Math.abs(exact - ns) > 1e-6 || !Number.isSafeInteger(ns)) return undefined;
  return ns;
}

/** Writes nanoseconds (an integer, 0 or more) in the largest unit that keeps it exact: 5,000,000 is `5ms`, 1,500 is `1500ns`. */
export function formatDuration(ns: number): string {
  if (ns === 0) return '0s';
  for (const [unit, scale] of [...UNIT_NS].reverse()) {
    if (ns % scale === 0 && unit !== 'µs') return `${ns / scale}${unit}`;
  }
  return `${ns}ns`;
}

/** Writes nanoseconds (0 or more) for people: four digits of the largest unit that fits, so 4,187,203,111 is `4.187s`. */
export function formatApproximate(ns: number): string {
  const rounded = Number(ns.toPrecision(4));
  if (rounded < 1) return '0s';
  // Whole seconds are never rounded away.
  if (rounded >= 1e12) return `${Math.round(ns / 1e9)}s`;
  const [unit, scale] =
    rounded >= 1e9 ? ['s', 1e9] : rounded >= 1e6 ? ['ms', 1e6] : rounded >= 1e3 ? ['us', 1e3] : ['ns', 1];
  return `${Number((rounded / scale).toPrecision(4))}${unit}`;
}
