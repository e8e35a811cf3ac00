// Mistakes in a configuration, each with its code and its place: how they are written down, and what holds for every one.

import { expect, it } from 'vitest';
import { type ConfigErrorCode, formatConfigError } from './errors.js';
import { parseConfig } from './load.js';

export const LINES = `lines:
  button1: { gpio: 17, edge: rising }
  led1: { gpio: 4, direction: out }
`;
/** Line 4 is `interrupts:`, line 5 the entry, the given text starts at line 6, column 5. */
export const interrupt = (body: string): string => `${LINES}interrupts:\n  - line: button1\n    ${body}\n`;

export type Mistake = [
  what: string,
  text: string,
  code: ConfigErrorCode,
  line: number,
  column: number,
  message: RegExp,
];

/** Tests that each is told of once, at its place. */
export function eachIsToldAtItsPlace(mistakes: readonly Mistake[]): void {
  it.each(mistakes)('%s is refused at its place', (_what, text, code, line, column, message) => {
    const result = parseConfig(text, 'test.yaml');
    expect(result.ok).toBe(false);
    if (result.ok) return;
    const texts = result.errors.map(formatConfigError);
    const found = result.errors.find((e) => e.code === code && e.line === line && e.column === column);
    expect(found, texts.join('\n')).toBeDefined();
    if (found === undefined) return;
    expect(formatConfigError(found)).toMatch(message);
    expect(formatConfigError(found).startsWith(`test.yaml:${line}:${column}: `)).toBe(true);
  });

  it.each(mistakes)('%s brings no second error that follows from the first', (what, text) => {
    const result = parseConfig(text, 'test.yaml');
    // A handler that is both misplaced and missing is two mistakes.
    const allowed = what === 'a handler beside actions' ? 2 : 1;
    expect(result.ok ? [] : result.errors.map(formatConfigError)).toHaveLength(allowed);
  });
}
