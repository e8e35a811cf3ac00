// What a scenario expects, compared with what is.
import type { Level } from '../../kernel/index.js';
import type { LineExpectation, TextExpectation } from './step.js';

/** A line as it is when it is looked at; counts are since the start. */
export interface SeenLine {
  readonly value: Level | 'unknown';
  readonly rising: number;
  readonly falling: number;
  readonly lost: number | 'unknown';
  readonly dropped: number;
}

const FIELDS = ['value', 'rising', 'falling', 'lost', 'dropped'] as const;

/** What is not as expected, a sentence each; none when all is well. */
export function unmet(expect: LineExpectation, seen: SeenLine): string[] {
  return FIELDS.flatMap((field) => {
    const wanted = expect[field];
    if (wanted === undefined || wanted === seen[field]) return [];
    return [`${expect.line}: ${field} is ${seen[field]}, expected ${wanted}`];
  });
}

const WHERE: Readonly<Record<TextExpectation['of'], string>> = {
  log: 'in the log',
  exec: 'among the programs called',
  http: 'among the requests sent',
  publish: 'among the messages published',
};

/** As {@link unmet}, for texts; `found` is the number of entries so far that have it in them. */
export function unmetText(expect: TextExpectation, found: number): string[] {
  if (expect.count === undefined ? found > 0 : found === expect.count) return [];
  const where = WHERE[expect.of];
  const wanted = expect.count === undefined ? 'at least one' : `${expect.count}`;
  return [`${JSON.stringify(expect.text)}: ${found} ${where}, expected ${wanted}`];
}
