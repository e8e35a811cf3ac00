// How many edges a second a reader takes without missing one, and what it says of those that it misses.
import { percentile } from './figures.js';
import { type Bench, type Reader, Session, wholeTurns } from './session.js';

/** The highest rate without a miss. */
export interface Sustained {
  readonly perSecond: number;
  /** No pause between edges: faster ones could not be made. */
  readonly flatOut: boolean;
}

/** More than any FIFO holds, several times. */
const PROBE_EDGES = 5_000;
/** Lower rates come in more time: those have fewer edges. */
const PROBE_LONGEST_US = 1_000_000;
const SLOWEST_US = 4_000;
const STEPS = 5;
/** Series without a pause: one takes a third of a second, in which the machine may do something else. */
const FASTEST = 5;

interface Probe {
  readonly perSecond: number;
  readonly missed: boolean;
}

async function probe(session: Session, lines: number, intervalUs: number): Promise<Probe> {
  const edges = intervalUs === 0 ? PROBE_EDGES : Math.min(PROBE_EDGES, Math.ceil(PROBE_LONGEST_US / intervalUs));
  const before = (await session.count()).seen;
  const injected = await session.inject(edges, intervalUs);
  const seen = (await session.count()).seen - before;
  const elapsed = Number((injected.at(-1) ?? 0n) - (injected[0] ?? 0n));
  return { perSecond: (injected.length / elapsed) * 1e9, missed: seen !== wholeTurns(edges, lines) };
}

/** Finds the rate by bisection of the pause between edges, on a scale of ratios. */
export async function measureSustained(bench: Bench, reader: Reader, lines: number): Promise<Sustained> {
  const session = await Session.start(bench, reader, lines);
  try {
    await session.inject(2_000, 300);
    const fastest: Probe[] = [];
    while (fastest.length < FASTEST && fastest.at(-1)?.missed !== true) fastest.push(await probe(session, lines, 0));
    if (fastest.at(-1)?.missed === false) {
      const rates = fastest.map(({ perSecond }) => perSecond);
      return { perSecond: percentile(rates, 50), flatOut: true };
    }
    let [low, high] = [20, SLOWEST_US];
    let perSecond = 0;
    for (let step = 0; step < STEPS; step++) {
      const middle = Math.round(Math.sqrt(low * high));
      const found = await probe(session, lines, middle);
      if (found.missed) low = middle;
      else {
        high = middle;
        perSecond = Math.max(perSecond, found.perSecond);
      }
    }
    return { perSecond, flatOut: false };
  } finally {
    await session.save();
  }
}

/** Edges while JavaScript was blocked. */
export interface Blocked {
  readonly made: number;
  readonly seen: number;
  readonly lost: number;
}

/** Blocks a reader's JavaScript by a work function of the model, and makes edges meanwhile. */
export async function measureBlocked(
  bench: Bench,
  reader: Reader,
  ms: number,
  counts: readonly number[],
): Promise<Blocked[]> {
  const session = await Session.start(bench, reader, 1);
  const found: Blocked[] = [];
  for (const count of counts) {
    const before = await session.count();
    session.block(ms);
    const made = (await session.inject(count, 0)).length;
    const after = await session.count();
    found.push({ made, seen: after.seen - before.seen, lost: after.lost - before.lost });
  }
  await session.save();
  return found;
}
