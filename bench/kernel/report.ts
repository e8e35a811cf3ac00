// The Markdown of what was measured.
import { percentile } from './figures.js';
import type { Round } from './latency.js';
import { C, C_LOOP, CHARDEV, ONOFF, TOP_HALF } from './readers.js';
import type { Blocked, Sustained } from './sustained.js';

/** Rounds of each reader, by its name. */
export type Rounds = ReadonlyMap<string, readonly Round[]>;

const us = (ns: number): string => (ns / 1000).toFixed(1);
const median = (values: readonly number[]): number => (values.length === 0 ? Number.NaN : percentile(values, 50));
const all = (rounds: readonly Round[], from: 'fromKernel' | 'fromInjection'): number[] =>
  rounds.flatMap((round) => round[from]);

function cells(values: readonly number[]): string[] {
  if (values.length === 0) return ['–', '–', '–', '–'];
  return [50, 90, 99, 100].map((p) => us(percentile(values, p)));
}

/** One row a reader: latency, in µs. */
export function latencyTable(rounds: Rounds): string {
  const head = [
    '| reader | stamp → handler, µs: p50 | p90 | p99 | max | injection → handler, µs: p50 | p90 | p99 | max | edges seen |',
    '|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|',
  ];
  const rows = [...rounds].map(([name, found]) => {
    const injected = all(found, 'fromInjection');
    return `| ${[name, ...cells(all(found, 'fromKernel')), ...cells(injected), injected.length].join(' | ')} |`;
  });
  return [...head, ...rows].join('\n');
}

/** One row a reader, a column for each number of lines. */
export function costTable(byLines: ReadonlyMap<number, Rounds>): string {
  const counts = [...byLines.keys()];
  const columns = (what: string) => counts.map((lines) => `${what}, ${lines} line${lines === 1 ? '' : 's'}`);
  const head = ['reader', ...columns('ms CPU / 1000 edges'), ...columns('idle wake-ups a second'), 'RSS, MiB'];
  const rows = [...(byLines.get(counts[0] ?? 0) ?? [])].map(([name, first]) => {
    const of = (lines: number): readonly Round[] => byLines.get(lines)?.get(name) ?? [];
    const cpu = counts.map((lines) => (median(of(lines).map(({ cpuNsPerEdge }) => cpuNsPerEdge)) / 1000).toFixed(0));
    const idle = counts.map((lines) => {
      const found = of(lines).flatMap(({ idleWakeUps }) => (idleWakeUps === undefined ? [] : [idleWakeUps]));
      return found.length === 0 ? '–' : Math.min(...found).toFixed(1);
    });
    return [name, ...cpu, ...idle, (median(first.map(({ rssKib }) => rssKib)) / 1024).toFixed(0)];
  });
  const line = (words: readonly string[]): string => `| ${words.join(' | ')} |`;
  return [line(head), `|---|${'--:|'.repeat(head.length - 1)}`, ...rows.map(line)].join('\n');
}

/** One row a reader. */
export function sustainedTable(byLines: ReadonlyMap<number, ReadonlyMap<string, Sustained>>): string {
  const counts = [...byLines.keys()];
  const names = [...(byLines.get(counts[0] ?? 0)?.keys() ?? [])];
  const cell = (found: Sustained | undefined): string =>
    found === undefined
      ? '–'
      : `${Math.round(found.perSecond)}${found.flatOut ? ' (as fast as edges can be made)' : ''}`;
  return [
    `| reader | ${counts.map((lines) => `edges a second, ${lines} line${lines === 1 ? '' : 's'}`).join(' | ')} |`,
    `|---|${'--:|'.repeat(counts.length)}`,
    ...names.map((name) => `| ${[name, ...counts.map((lines) => cell(byLines.get(lines)?.get(name)))].join(' | ')} |`),
  ].join('\n');
}

/** What each run of edges became. */
export function blockedLines(ms: number, blocked: readonly Blocked[]): string {
  return blocked
    .map(({ made, seen, lost }) => {
      const right =
        seen + lost === made ? 'every one is accounted for' : `**${made - seen - lost} are not accounted for**`;
      return `- ${made} edges while JavaScript was blocked for ${ms} ms: ${seen} seen, ${lost} lost and counted: ${right}`;
    })
    .join('\n');
}

/** `a` over `b`: over all samples, and from round to round. */
function ratio(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): string {
  const of = (x: readonly number[], y: readonly number[]) => (median(x) / median(y)).toFixed(2);
  return `${of(a.flat(), b.flat())} (rounds: ${a.map((round, i) => of(round, b[i] ?? [])).join(', ')})`;
}

/**
 * The ratios that have goals. onoff has no kernel stamps: what lies between injection and stamp is taken off, as the C reader
 * of its round had it.
 */
export function goalLines(byLines: ReadonlyMap<number, Rounds>, sustained: ReadonlyMap<string, Sustained>): string {
  const rounds = byLines.get(1) ?? new Map();
  const of = (name: string, from: 'fromKernel' | 'fromInjection') =>
    (rounds.get(name) ?? []).map((round: Round): readonly number[] => round[from]);
  const untilStamp = (rounds.get(C) ?? []).map(
    ({ fromInjection, fromKernel }: Round) => median(fromInjection) - median(fromKernel),
  );
  const onoff = of(ONOFF, 'fromInjection').map((round: readonly number[], i: number) =>
    round.map((ns) => ns - (untilStamp[i] ?? 0)),
  );
  const rate = (name: string): number => sustained.get(name)?.perSecond ?? Number.NaN;
  const cost = (lines: number): number =>
    median((byLines.get(lines)?.get(TOP_HALF) ?? []).map(({ cpuNsPerEdge }) => cpuNsPerEdge));
  return [
    `- p50 of the top half over the C reader: **${ratio(of(TOP_HALF, 'fromKernel'), of(C, 'fromKernel'))}**, goal 1.35`,
    `- the same over the C reader with an event loop's clock reads: ${ratio(of(TOP_HALF, 'fromKernel'), of(C_LOOP, 'fromKernel'))}`,
    `- p50 of the plain driver over the C reader: ${ratio(of(CHARDEV, 'fromKernel'), of(C, 'fromKernel'))}`,
    `- p50 of the top half over onoff (reckoned from the stamp): **${ratio(of(TOP_HALF, 'fromKernel'), onoff)}**, goal 0.6`,
    `- the same from the injection, which both have measured: ${ratio(of(TOP_HALF, 'fromInjection'), of(ONOFF, 'fromInjection'))}`,
    `- sustained rate of the top half over the C reader: **${(rate(TOP_HALF) / rate(C)).toFixed(2)}**, goal 0.8`,
    `- CPU of an edge with 54 lines over that with one: **${(cost(54) / cost(1)).toFixed(2)}**, goal 1`,
  ].join('\n');
}
