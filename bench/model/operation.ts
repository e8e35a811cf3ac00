// What is measured: an operation that is done many times, and how long and how much memory one takes.

/** Does the operation `count` times. */
export type Repeat = (count: number) => void | Promise<void>;

/** One row of the table. */
export interface Operation {
  readonly name: string;
  /** Times that it is done in a round: some 100 ms of them. */
  readonly count: number;
  /** It cannot be divided: `count` of them are one batch. */
  readonly whole?: boolean;
  /** It has to do without allocating. */
  readonly allocationFree?: boolean;
  /** Sets up what it works on, which is not measured. */
  prepare(): Repeat;
}

/** What was measured of one operation. */
export interface Measured {
  readonly name: string;
  /** Ns an operation, a value for each batch of each round. */
  readonly ns: readonly number[];
  /** Bytes allocated an operation; what is less than {@link NOISE_BYTES} is none. */
  readonly bytes: number;
}

/** What the heap may grow by without the operation, for each: samples, compiled code, counters that became floating point. */
export const NOISE_BYTES = 0.5;

/** Parts of a round that are timed one by one: what disturbs the machine now and then spoils some, and leaves the others. */
const BATCHES = 25;

/** Rounds that nobody looks at, in which the engine compiles what is hot. */
const WARM_UP_ROUNDS = 3;

async function timed(repeat: Repeat, count: number, batches: number): Promise<number[]> {
  const ns: number[] = [];
  const size = Math.ceil(count / batches);
  for (let i = 0; i < batches; i++) {
    const before = process.hrtime.bigint();
    const promise = repeat(size);
    if (promise !== undefined) await promise;
    ns.push(Number(process.hrtime.bigint() - before) / size);
  }
  return ns;
}

/**
 * Growth of the heap an operation. The young generation has to be large enough that nothing is collected meanwhile
 * (`--max-semi-space-size`), and `--expose-gc` has to be given; it throws otherwise.
 */
async function allocated(repeat: Repeat, count: number): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('start node with --expose-gc');
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  const promise = repeat(count);
  if (promise !== undefined) await promise;
  const grown = process.memoryUsage().heapUsed - before;
  if (grown < 0)
    throw new Error('the heap was collected while it was measured: a larger --max-semi-space-size is needed');
  return grown / count;
}

/** Measures one operation. */
export async function measure({ name, count, whole, prepare }: Operation, rounds: number): Promise<Measured> {
  const repeat = prepare();
  const ns: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const values = await timed(repeat, count, whole === true ? 1 : BATCHES);
    if (round >= 0) ns.push(...values);
  }
  let bytes = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) bytes = Math.min(bytes, await allocated(repeat, Math.ceil(count / 4)));
  return { name, ns, bytes };
}

/** What several measurements of an operation say together. Throws when it allocates in each of them and may not. */
export function together({ name, allocationFree }: Operation, parts: readonly Measured[]): Measured {
  // What the engine does on the side can only add to it: in one process of ten it compiles otherwise than in the rest.
  const bytes = Math.min(...parts.map((part) => part.bytes));
  if (allocationFree === true && bytes >= NOISE_BYTES) throw new Error(`${name}: allocates ${bytes} bytes each time`);
  return { name, ns: parts.flatMap(({ ns }) => ns), bytes };
}
