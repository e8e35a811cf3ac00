// Random configurations: each is a configuration, or a list of mistakes with places inside of its files.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { CONFIG_ERRORS, type ConfigNote, formatConfigError } from './errors.js';
import { formatExcerpt } from './excerpt.js';
import { type ConfigResult, loadConfig, parseConfig } from './load.js';
import { change, changed, rightConfig } from './random-config.spec-helper.js';

const TIMEOUT_MS = 300_000;
/** `GPIO_IRQD_RUNS=4000` makes the ten thousand that are asked for before a release. */
const RUNS = Number(process.env.GPIO_IRQD_RUNS ?? 800);
const ENVIRONMENT = { SET: '1' };

/** What is said of a place is said of one that there is. */
const checkPlaces = (notes: readonly ConfigNote[], texts: ReadonlyMap<string, string>): void => {
  for (const note of notes) {
    const lines = texts.get(note.file)?.split('\n') ?? [''];
    expect(note.line).toBeGreaterThan(0);
    expect(note.line).toBeLessThanOrEqual(lines.length);
    expect(note.column).toBeGreaterThan(0);
    expect(note.column).toBeLessThanOrEqual((lines[note.line - 1]?.length ?? 0) + 1);
    if (note.endColumn !== undefined) expect(note.endColumn).toBeGreaterThan(note.column);
    formatExcerpt(note, texts.get(note.file));
  }
};

const checkResult = (result: ConfigResult): void => {
  if (result.ok) {
    expect(Object.isFrozen(result.config)).toBe(true);
    checkPlaces(result.warnings, result.texts);
    return;
  }
  expect(result.errors.length).toBeGreaterThan(0);
  for (const { code } of result.errors) expect(Object.hasOwn(CONFIG_ERRORS, code)).toBe(true);
  checkPlaces(result.errors, result.texts);
};

describe('random configurations', () => {
  it('that are right are configurations', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(rightConfig, fc.boolean(), (config, json) => {
        const result = parseConfig(json ? JSON.stringify(config) : stringify(config), 'random.yaml');
        expect(result.ok ? [] : result.errors.map(formatConfigError)).toEqual([]);
        if (result.ok) checkResult(result);
      }),
      { numRuns: RUNS },
    );
  });

  it('that were changed are configurations, or mistakes with their places', { timeout: TIMEOUT_MS }, () => {
    let refused = 0;
    const changes = fc.array(change, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(rightConfig, changes, fc.boolean(), (config, all, json) => {
        const value = changed(config, all);
        const text = json ? JSON.stringify(value) : stringify(value);
        const result = parseConfig(text, 'random.yaml', { environment: ENVIRONMENT });
        if (!result.ok) refused++;
        checkResult(result);
      }),
      { numRuns: RUNS },
    );
    // Most changes are mistakes; were it none, nothing would have been looked at.
    expect(refused).toBeGreaterThan(RUNS / 2);
  });

  it('whose text was changed, too', { timeout: TIMEOUT_MS }, () => {
    const unit = fc.constantFrom(...'abc:-[]{},&*!|>\'"%@`#?\n\t 01\\~<=$', '&a ', '*a', '<<: ', '\r\n', '---\n');
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 8 }), fc.string({ unit, maxLength: 4 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(rightConfig, edits, (config, all) => {
        let text = stringify(config);
        for (const [at, length, insert] of all) {
          const from = at % (text.length + 1);
          text = text.slice(0, from) + insert + text.slice(from + length);
        }
        checkResult(parseConfig(text, 'random.yaml', { environment: ENVIRONMENT }));
      }),
      { numRuns: RUNS / 2 },
    );
  });
});

describe('random configurations of several files', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-random-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('are what one file would be, or mistakes with their places in the right file', { timeout: TIMEOUT_MS }, () => {
    const files = ['main.yaml', 'a.yaml', 'b.yaml'];
    const changes = fc.array(change, { maxLength: 2 });
    const split = fc.array(fc.nat({ max: 2 }), { minLength: 14, maxLength: 14 });
    fc.assert(
      fc.property(rightConfig, changes, split, (config, all, where) => {
        const parts: Record<string, unknown>[] = files.map(() => ({}));
        const value = changed(config, all);
        for (const [i, [key, section]] of Object.entries(value).entries()) {
          const part = parts[where[i % where.length] ?? 0];
          if (part !== undefined && key !== 'include' && key !== '__proto__') part[key] = section;
        }
        const [main = {}, ...rest] = parts;
        writeFileSync(join(directory, 'main.yaml'), stringify({ include: ['a.yaml', 'b.yaml'], ...main }));
        for (const [i, part] of rest.entries()) {
          writeFileSync(join(directory, files[i + 1] ?? ''), Object.keys(part).length === 0 ? '' : stringify(part));
        }
        const several = loadConfig(join(directory, 'main.yaml'), { environment: ENVIRONMENT });
        checkResult(several);
        const { include: _, ...whole } = value;
        const one = parseConfig(stringify(whole), join(directory, 'main.yaml'), { environment: ENVIRONMENT });
        if (!Object.hasOwn(value, '__proto__')) expect(several.ok).toBe(one.ok);
        if (several.ok && one.ok) expect(several.config).toEqual(one.config);
      }),
      { numRuns: RUNS / 10 },
    );
  });
});
