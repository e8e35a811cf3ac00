// Two traces side by side: where they part, in a diff that a person can read, in constant memory.

/** Lines that are held to find where two traces come together again. */
const WINDOW = 200;
/** Lines of both that are shown before a difference. */
const CONTEXT = 3;
/** Lines that have to agree for the traces to be together again; at the end, what is left. */
const TOGETHER = 2;
/** Differences that are shown; those after it are only counted. */
const MAX_SHOWN = 10;
/** Lines of one difference that are shown of each side. */
const MAX_LINES = 30;

/** What a comparison found. */
export interface Comparison {
  readonly equal: boolean;
  /** Places where the traces differ. */
  readonly differences: number;
  /** Lines that were compared, of the expected trace. */
  readonly lines: number;
  /** `- expected` and `+ got`, with what stands before; empty when equal. */
  readonly text: string;
}

/** A source of lines that can be looked ahead in. */
class Ahead {
  readonly #source: Iterator<string>;
  readonly held: string[] = [];
  /** Lines taken so far. */
  taken = 0;

  constructor(source: Iterable<string>) {
    this.#source = source[Symbol.iterator]();
  }

  /** Line `i` from here; `undefined` after the end. */
  at(i: number): string | undefined {
    while (this.held.length <= i) {
      const next = this.#source.next();
      if (next.done === true) return undefined;
      this.held.push(next.value);
    }
    return this.held[i];
  }

  take(count: number): string[] {
    this.at(count - 1);
    const taken = this.held.splice(0, count);
    this.taken += taken.length;
    return taken;
  }
}

/** How many lines of each to leave out until both go on alike: as few as possible, within the window. */
function meetingPoint(expected: Ahead, got: Ahead): [number, number] {
  for (let sum = 1; sum <= WINDOW; sum++) {
    for (let skip = 0; skip <= sum; skip++) {
      if (alike(expected, skip, got, sum - skip)) return [skip, sum - skip];
    }
  }
  return [WINDOW, WINDOW];
}

function alike(expected: Ahead, i: number, got: Ahead, j: number): boolean {
  for (let k = 0; k < TOGETHER; k++) {
    const line = expected.at(i + k);
    if (line !== got.at(j + k)) return false;
    if (line === undefined) return true;
  }
  return true;
}

function part(sign: string, lines: readonly string[]): string[] {
  const shown = lines.slice(0, MAX_LINES).map((line) => `${sign} ${line}`);
  return lines.length > MAX_LINES ? [...shown, `${sign} ... ${lines.length - MAX_LINES} more lines`] : shown;
}

/** Compares what was expected with what came. */
export function compareTraces(expectedLines: Iterable<string>, gotLines: Iterable<string>): Comparison {
  const expected = new Ahead(expectedLines);
  const got = new Ahead(gotLines);
  const before: string[] = [];
  const text: string[] = [];
  let differences = 0;
  for (;;) {
    const line = expected.at(0);
    if (line === got.at(0)) {
      if (line === undefined) break;
      before.push(line);
      if (before.length > CONTEXT) before.shift();
      expected.take(1);
      got.take(1);
      continue;
    }
    const [missing, unexpected] = meetingPoint(expected, got);
    const head = `@@ line ${expected.taken + 1} of the expected trace, line ${got.taken + 1} of this one`;
    const minus = expected.take(missing);
    const plus = got.take(unexpected);
    if (++differences <= MAX_SHOWN) {
      text.push(head, ...before.map((same) => `  ${same}`), ...part('-', minus), ...part('+', plus));
    }
    before.length = 0;
  }
  if (differences > MAX_SHOWN) text.push(`... and ${differences - MAX_SHOWN} more differences`);
  const shown = text.length === 0 ? '' : `${text.join('\n')}\n`;
  return { equal: differences === 0, differences, lines: expected.taken, text: shown };
}
