// Recordings: levels of lines with their stamps, written as a scenario with a step a line.
import type { Level } from '../../kernel/index.js';

/** Steps younger than this, in ns, may still get one before them. */
const HELD_BACK_NS = 50_000_000;

/** What a recording says of itself. */
export interface RecordedFrom {
  readonly driver: string;
  readonly chip: string;
  readonly label: string;
  /** True when the edges are those of a daemon: debounced, and only those that its configuration asks for. */
  readonly attached: boolean;
}

/** Where a recording comes from; ends with `stop`. */
export interface Recording {
  readonly lost: number | 'unknown';
  /** Resolves when all is on record that has happened before the call. Rejects with `ETIMEDOUT` when the source does not tell it. */
  upToNow(): Promise<void>;
  stop(): void;
  /** Rejects when the source fails. */
  readonly failed: Promise<never>;
}

interface HeldStep {
  readonly atNs: number;
  readonly line: string;
  readonly value: Level;
}

/** Writes a recording, in the order of time, keeping no more than the last 50 ms. Times are ns since its start. */
export class Recorder {
  /** Steps so far. */
  steps = 0;
  readonly #output: (text: string) => void;
  /** Not written yet: nothing is, before there is something to record. */
  #header: string;
  readonly #held: HeldStep[] = [];
  /** Of lines that report one kind of edge only: when the last one was. */
  readonly #lastNs = new Map<string, number>();
  #writtenNs = 0;

  constructor(name: string, from: RecordedFrom, write: (text: string) => void) {
    this.#output = write;
    this.#header = `${JSON.stringify({ scenario: 1, name, recorded: from })}\n`;
  }

  /** A line has got a logical level. */
  level(atNs: number, line: string, value: Level): void {
    this.#hold({ atNs, line, value });
    // Only a line with one kind of edges may get a step before this one.
    this.#release(this.#lastNs.size === 0 ? atNs : atNs - HELD_BACK_NS);
  }

  /**
   * A line has had an edge, and does not report those the other way: the line goes back half-way to the next one, 50 ms after
   * it at the latest.
   */
  only(atNs: number, line: string, value: Level): void {
    const lastNs = this.#lastNs.get(line);
    if (lastNs !== undefined) this.#back(lastNs, atNs, line, value);
    this.#lastNs.set(line, atNs);
    this.level(atNs, line, value);
  }

  /** Writes what is left; lines with one kind of edges go back. @param values of the last edges of such lines */
  finish(values: ReadonlyMap<string, Level>): void {
    for (const [line, lastNs] of this.#lastNs)
      this.#back(lastNs, Number.POSITIVE_INFINITY, line, values.get(line) ?? 1);
    this.#release(Number.POSITIVE_INFINITY);
  }

  #back(lastNs: number, nextNs: number, line: string, value: Level): void {
    const atNs = lastNs + Math.floor(Math.min(HELD_BACK_NS, (nextNs - lastNs) / 2));
    this.#hold({ atNs, line, value: value === 1 ? 0 : 1 });
  }

  #hold(step: HeldStep): void {
    let at = this.#held.length;
    while (at > 0 && (this.#held[at - 1]?.atNs ?? 0) > step.atNs) at--;
    this.#held.splice(at, 0, step);
  }

  #release(untilNs: number): void {
    let text = '';
    let count = 0;
    for (const { atNs, line, value } of this.#held) {
      if (atNs > untilNs) break;
      // A stamp from before the start, or one that comes later than it may: the order of lines is that of their times.
      this.#writtenNs = Math.max(this.#writtenNs, atNs);
      text += `${JSON.stringify({ at: `${this.#writtenNs}ns`, level: line, value })}\n`;
      count++;
    }
    if (count === 0 && untilNs !== Number.POSITIVE_INFINITY) return;
    this.#held.splice(0, count);
    this.steps += count;
    const header = this.#header;
    this.#header = '';
    this.#output(header + text);
  }
}
