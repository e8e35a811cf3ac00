// What the soak came to: whether anything grew or was lost, and the figures as a page shows them.
import type { Status } from './daemon.js';
import type { Presses, Watcher } from './load.js';
import { type Line, regression } from './regression.js';

/** The daemon at one moment. */
export interface Sample {
  /** Since the start. */
  readonly minute: number;
  readonly rssKiB: number;
  /** Heap of JavaScript in use; what the next collection frees is in it. */
  readonly heapKiB: number;
  readonly descriptors: number;
  readonly cpuS: number;
  readonly edges: number;
}

/** A soak that is over. */
export interface Soaked {
  readonly minutes: number;
  readonly samples: readonly Sample[];
  readonly presses: Presses;
  readonly watcher: Watcher;
  readonly status: Status;
}

/** Until memory has found its level: compilers, pools, the trace ring. */
const WARM_UP = 1 / 3;
/** Growth of RSS in a minute, in KiB, that still counts as flat: 1.4 MiB a day. */
const FLAT_KIB_PER_MIN = 1;
/** The same for the surest end of a slope that a short run cannot know better. */
const SIGMAS = 2;
/** Samples of the heap in which a collection is likely: of each so many the smallest counts. */
const HEAP_WINDOW = 12;

/** Warnings that there have to be: of the simulation, and of what `limit:` leaves out. */
const USUAL = /SIMULATED|left out by its limit/;

/** The slope of RSS after the warm-up, KiB a minute. */
function rssLine({ samples, minutes }: Soaked): Line {
  return regression(
    samples.filter(({ minute }) => minute >= minutes * WARM_UP).map(({ minute, rssKiB }) => [minute, rssKiB]),
  );
}

/** The slope of the heap after collections, KiB a minute; `undefined` for a run too short to have three. */
function heapLine({ samples, minutes }: Soaked): Line | undefined {
  const warm = samples.filter(({ minute }) => minute >= minutes * WARM_UP);
  const floors: [number, number][] = [];
  for (let at = 0; at + HEAP_WINDOW <= warm.length; at += HEAP_WINDOW) {
    const window = warm.slice(at, at + HEAP_WINDOW);
    const lowest = window.reduce((low, one) => (one.heapKiB < low.heapKiB ? one : low));
    floors.push([lowest.minute, lowest.heapKiB]);
  }
  return floors.length < 3 ? undefined : regression(floors);
}

/** What is not as it has to be. @param out what the daemon wrote */
export function judge(soaked: Soaked, exitCode: number | null, out: string): string[] {
  const { presses, watcher, status } = soaked;
  const failures: string[] = [...presses.failures.slice(0, 3), ...watcher.errors.slice(0, 3)];
  const wrong = (what: string, is: unknown, expected: unknown): void => {
    if (is !== expected) failures.push(`${what}: ${is}, expected ${expected}`);
  };
  const { received, lost } = status.edges;
  wrong('edges received and lost', received + (lost === 'unknown' ? Number.NaN : lost), presses.edges);
  wrong('edges that the watcher was told of', watcher.edges, received);
  wrong('work that was dropped', status.dropped, 0);
  wrong('errors of handlers', status.handlerErrors, 0);
  wrong('watchers that were cut off', status.control.dropped, 0);
  wrong('exit code', exitCode, 0);
  const warnings = out.split('\n').filter((line) => line.startsWith('{"level"') && !USUAL.test(line));
  if (warnings.length > 0) failures.push(`${warnings.length} warnings in the log, the first: ${warnings[0]}`);
  const descriptors = soaked.samples.map((one) => one.descriptors);
  const [first = 0] = descriptors;
  // The programs that run just now have some.
  if ((descriptors.at(-1) ?? 0) > first + 8) failures.push(`descriptors went from ${first} to ${descriptors.at(-1)}`);
  const { slope, error } = rssLine(soaked);
  if (slope - SIGMAS * error > FLAT_KIB_PER_MIN) failures.push(`RSS grows by ${slope.toFixed(2)} KiB a minute`);
  return failures;
}

function per(line: Line): string {
  return `${line.slope.toFixed(2)} ± ${line.error.toFixed(2)} KiB a minute`;
}

function mebi(kib: number): string {
  return `${(kib / 1_024).toFixed(1)} MiB`;
}

/** The report in Markdown. */
export function report(soaked: Soaked, machine: string, failures: readonly string[]): string {
  const { minutes, samples, presses, watcher, status } = soaked;
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined) throw new RangeError('no samples');
  const warm = samples.filter(({ minute }) => minute >= minutes * WARM_UP);
  const rss = warm.map(({ rssKiB }) => rssKiB);
  const heap = heapLine(soaked);
  const rate = last.edges / (last.minute * 60);
  const rows = [
    ['time', `${minutes} min`],
    ['edges made', `${presses.edges}, ${rate.toFixed(1)} a second`],
    ['edges received, and lost', `${status.edges.received}, and ${status.edges.lost}`],
    ['edges that a watcher was told of, and other events', `${watcher.edges}, and ${watcher.others}`],
    ['work dropped, errors of handlers', `${status.dropped}, ${status.handlerErrors}`],
    ['runs left out by `limit:`', `${status.limited ?? 0}`],
    ['requests answered', `${presses.answered} presses, and ${samples.length * 2} others`],
    ['latest that a press began', `${presses.worstLagMs.toFixed(0)} ms`],
    ['RSS at the start, and at the end', `${mebi(first.rssKiB)}, and ${mebi(last.rssKiB)}`],
    ['RSS after the first third: least, most', `${mebi(Math.min(...rss))}, ${mebi(Math.max(...rss))}`],
    ['slope of RSS after the first third', `${per(rssLine(soaked))} (${warm.length} samples)`],
    ['slope of the heap, the least of each minute', heap === undefined ? 'too short to tell' : per(heap)],
    ['descriptors at the start, and at the end', `${first.descriptors}, and ${last.descriptors}`],
    ['CPU', `${(((last.cpuS - first.cpuS) / (last.minute - first.minute) / 60) * 100).toFixed(1)} % of one`],
  ];
  const table = rows.map(([what, value]) => `| ${what} | ${value} |`).join('\n');
  const verdict = failures.length === 0 ? 'All as it has to be.' : `**Not as it has to be:** ${failures.join('; ')}.`;
  return `${machine}.\n\n| | |\n|---|---|\n${table}\n\n${verdict}`;
}
