// How a reader of the benchmark hands over what it measured: pairs of u64 ns, kernel stamp (0 when it has none) and handler.

import { writeFileSync } from 'node:fs';

/** What a reader is started with: `CHIP_PATH OFFSET COUNT OUT_FILE`. */
export interface ReaderArguments {
  readonly chip: string;
  readonly offset: number;
  readonly count: number;
  readonly out: string;
}

/** The command line of a reader; anything else than four arguments ends it with status 2. */
export function readerArguments(): ReaderArguments {
  const [chip, offset, count, out, ...more] = process.argv.slice(2);
  if (chip === undefined || offset === undefined || count === undefined || out === undefined || more.length > 0) {
    process.stderr.write('usage: CHIP_PATH OFFSET COUNT OUT_FILE\n');
    process.exit(2);
  }
  return { chip, offset: Number(offset), count: Number(count), out };
}

/** Collects the pairs; says when all have come. */
export class Samples {
  readonly #pairs: BigUint64Array;
  #taken = 0;

  constructor(count: number) {
    this.#pairs = new BigUint64Array(2 * count);
  }

  /** Takes one edge; true when it was the last one. Edges above the count are ignored. */
  take(kernelStampNs: bigint, handlerNs: bigint): boolean {
    this.#pairs[2 * this.#taken] = kernelStampNs;
    this.#pairs[2 * this.#taken + 1] = handlerNs;
    this.#taken += 1;
    return this.#taken === this.#pairs.length / 2;
  }

  /** Writes the pairs taken so far. */
  save(path: string): void {
    writeFileSync(path, this.#pairs.subarray(0, 2 * this.#taken));
  }
}

/** Tells compare.ts that the line is held. */
export function sayReady(): void {
  process.stdout.write('ready\n');
}
