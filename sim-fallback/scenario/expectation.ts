// What a scenario expects, compared with what is.
import type { Level } from '../../kernel/index.js';
import type { LineExpectation, TextExpectation } from './step.js';

/** A line as it is when it is looked at; counts are since the start. */
export interface SeenLine {
  readonly value: Level;
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

/** As {@link unmet}, for texts; `said` are the entries so far. */
export function unmetText(expect: TextExpectation, said: readonly string[]): string[] {
  const found = said.filter((text) => text.includes(expect.text)).length;
  if (expect.count === undefined ? found > 0 : found === expect.count) return [];
  const what = expect.of === 'log' ? 'in the log' : 'among the programs called';
  const wanted = expect.count === undefined ? 'at least one' : `${expect.count}`;
  return [`${JSON.stringify(expect.text)}: ${found} ${what}, expected ${wanted}`];
}
