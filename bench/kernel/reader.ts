// What the readers in JavaScript share: their command line, the pairs that they collect, and what they are told to do.
import { writeFileSync } from 'node:fs';

/** Pairs that are kept; edges above are only counted. */
const CAPACITY = 262_144;

/** What a reader is started with: `CHIP_PATH LINES OUT_FILE [MORE]`; it holds lines 0 to LINES - 1. */
export interface ReaderArguments {
  readonly chip: string;
  readonly lines: number;
  readonly out: string;
  readonly more: string;
}

/** The command line of a reader; too few arguments end it with status 2. */
export function readerArguments(): ReaderArguments {
  const [chip, lines, out, more = ''] = process.argv.slice(2);
  if (chip === undefined || lines === undefined || out === undefined) {
    process.stderr.write('usage: CHIP_PATH LINES OUT_FILE [MORE]\n');
    process.exit(2);
  }
  return { chip, lines: Number(lines), out, more };
}

/** Offsets of the lines that a reader holds. */
export const offsets = (lines: number): number[] => Array.from({ length: lines }, (_, line) => line);

/** Pairs of ns, kernel stamp (0 when it has none) and handler; both exact in a double for 104 days of uptime. */
export class Samples {
  seen = 0;
  readonly #pairs = new Float64Array(2 * CAPACITY).fill(1);

  /** Takes one edge. Allocates nothing. */
  take(kernelStampNs: number, handlerNs: number): void {
    const at = 2 * this.seen++;
    this.#pairs[at] = kernelStampNs;
    this.#pairs[at + 1] = handlerNs;
  }

  /** Writes the pairs as u64. */
  save(path: string): void {
    const pairs = this.#pairs.subarray(0, 2 * Math.min(this.seen, CAPACITY));
    writeFileSync(
      path,
      BigUint64Array.from(pairs, (ns) => BigInt(ns)),
    );
  }
}

/** What a reader does besides. */
export interface ReaderParts {
  readonly out: string;
  readonly samples: Samples;
  /** Edges that it knows to be lost; default: it does not know. */
  readonly lost?: () => number;
  /** Blocks JavaScript for so many ms. */
  readonly block?: (ms: number) => void;
  /** Lets the lines go. */
  readonly release?: () => void;
}

/** Says "ready", and from then on obeys: `count`, `block MS`, `save`, which ends the process. */
export function obey({ out, samples, lost, block, release }: ReaderParts): void {
  const perform = (line: string): void => {
    const [command, argument] = line.split(' ');
    if (command === 'count') process.stdout.write(`seen ${samples.seen} lost ${lost?.() ?? 'unknown'}\n`);
    if (command === 'block') block?.(Number(argument));
    if (command !== 'save') return;
    samples.save(out);
    release?.();
    process.exit(0);
  };
  // A reader that was busy gets several commands at once.
  process.stdin.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.trim().split('\n')) perform(line);
  });
  process.stdin.on('end', () => {
    release?.();
    process.exit(1);
  });
  process.stdout.write('ready\n');
}
