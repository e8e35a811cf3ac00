// One round of one reader: how late it has the edges, and what each costs it.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, type Reader, Session } from './session.js';

/** What a round has found; times in ns. */
export interface Round {
  readonly fromKernel: readonly number[];
  readonly fromInjection: readonly number[];
  readonly cpuNsPerEdge: number;
  /** Wake-ups a second without edges; undefined where that was not measured. */
  readonly idleWakeUps: number | undefined;
  readonly rssKib: number;
}

/** How much is measured. */
export interface RoundSize {
  /** Edges before those that count: V8 compiles what runs for each. */
  readonly warmUp: number;
  readonly edges: number;
  readonly intervalUs: number;
}

const WARM_UP_INTERVAL_US = 300;
const IDLE_MS = 2_000;
/** After the last edge, until timers of the past have run out. */
const CALM_MS = 1_000;

/** Each edge that a handler saw belongs to the last injection before it: that is exact, or too kind where one was missed. */
export function latencies(
  pairs: BigUint64Array,
  injected: BigUint64Array,
): Pick<Round, 'fromKernel' | 'fromInjection'> {
  const fromKernel: number[] = [];
  const fromInjection: number[] = [];
  const first = injected[0] ?? 0n;
  let at = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    const stamp = pairs[i] ?? 0n;
    const handler = pairs[i + 1] ?? 0n;
    const made = stamp === 0n ? handler : stamp;
    if (made < first) continue;
    while (at + 1 < injected.length && (injected[at + 1] ?? 0n) <= made) at += 1;
    if (stamp !== 0n) fromKernel.push(Number(handler - stamp));
    fromInjection.push(Number(handler - (injected[at] ?? 0n)));
  }
  return { fromKernel, fromInjection };
}

async function idleWakeUps(session: Session): Promise<number> {
  await sleep(CALM_MS);
  const before = session.cost.wakeUps;
  await sleep(IDLE_MS);
  return ((session.cost.wakeUps - before) / IDLE_MS) * 1000;
}

/** Starts a reader, measures it, ends it. */
export async function measureRound(
  bench: Bench,
  reader: Reader,
  lines: number,
  { warmUp, edges, intervalUs }: RoundSize,
  idle: boolean,
): Promise<Round> {
  const session = await Session.start(bench, reader, lines);
  await session.inject(warmUp, WARM_UP_INTERVAL_US);
  await sleep(100);
  const before = session.cost;
  const injected = await session.inject(edges, intervalUs);
  await sleep(50);
  const after = session.cost;
  const wakeUps = idle ? await idleWakeUps(session) : undefined;
  const found = latencies(await session.save(), injected);
  return {
    ...found,
    cpuNsPerEdge: (after.cpuNs - before.cpuNs) / Math.max(1, found.fromInjection.length),
    idleWakeUps: wakeUps,
    rssKib: after.rssKib,
  };
}
