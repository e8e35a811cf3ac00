// The entries of a parsed file, each checked against its schema by itself, so that one bad entry hides no other.

import type { z } from 'zod';
import { type ConfigPath, describe, type Finding } from './errors.js';
import { explain, valueAt } from './explain.js';
import {
  actionSchema,
  fileSchema,
  type InterruptInput,
  interruptSchema,
  type LineInput,
  lineSchema,
  stormGuardSchema,
  type WorkqueueInput,
  workqueueSchema,
} from './schema.js';

/** An entry that stands in the file; `input` is `undefined` when its own check failed. */
export interface Entry<T> {
  readonly path: ConfigPath;
  readonly input: T | undefined;
}

/** A file taken apart. */
export interface Pieces {
  readonly file: z.output<typeof fileSchema> | undefined;
  /** `undefined` when it failed its own check. */
  readonly chip: string | undefined;
  /** By name. `undefined` when the mapping itself could not be read: then nothing can be said about references to it. */
  readonly lines: ReadonlyMap<string, Entry<LineInput>> | undefined;
  readonly interrupts: readonly Entry<InterruptInput>[];
  readonly workqueues: ReadonlyMap<string, Entry<WorkqueueInput>> | undefined;
  readonly findings: readonly Finding[];
}

const KEYS = {
  file: Object.keys(fileSchema.shape),
  lines: Object.keys(lineSchema.shape),
  interrupts: Object.keys(interruptSchema.shape),
  workqueues: Object.keys(workqueueSchema.shape),
  stormGuard: Object.keys(stormGuardSchema.shape),
  work: ['queue', 'do'],
  action: Object.keys(actionSchema.shape),
};

function keysAt(path: ConfigPath): readonly string[] {
  const top = path[0];
  if (top === undefined) return KEYS.file;
  if (top === 'storm_guard') return KEYS.stormGuard;
  if (top === 'lines') return path[2] === 'storm_guard' ? KEYS.stormGuard : KEYS.lines;
  if (top === 'workqueues') return KEYS.workqueues;
  if (path.length === 2) return KEYS.interrupts;
  return path.at(-1) === 'work' || path.at(-2) === 'work' ? KEYS.work : KEYS.action;
}

/** A name as lines and workqueues have: it must fit a consumer label (31 bytes), a URL and a placeholder unquoted. */
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,30}$/;

class Checker {
  readonly findings: Finding[] = [];
  readonly #root: unknown;

  constructor(root: unknown) {
    this.#root = root;
  }

  check<S extends z.ZodType>(schema: S, path: ConfigPath): z.output<S> | undefined {
    const result = schema.safeParse(valueAt(this.#root, path));
    if (result.success) return result.data;
    const { issues } = result.error;
    // A length or range check runs on a value of the wrong type, too, if it has a length.
    const mistyped = new Set(issues.filter((i) => i.code === 'invalid_type').map((i) => JSON.stringify(i.path)));
    for (const found of issues) {
      if (found.code !== 'invalid_type' && mistyped.has(JSON.stringify(found.path))) continue;
      const at = [...path, ...found.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
      this.findings.push(...explain(found, this.#root, at, keysAt));
    }
    return undefined;
  }

  mapping<S extends z.ZodType>(schema: S, key: string): Map<string, Entry<z.output<S>>> | undefined {
    const value = valueAt(this.#root, [key]);
    if (value === undefined) return new Map();
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const entries = new Map<string, Entry<z.output<S>>>();
    for (const name of Object.keys(value)) {
      const path = [key, name];
      if (!NAME.test(name)) {
        const hint = 'a letter, then letters, digits, - and _, 31 at most';
        this.findings.push({
          code: 'CONFIG_VALUE',
          path,
          atKey: true,
          message: `${describe(name)} is not a name`,
          hint,
        });
      }
      entries.set(name, { path, input: this.check(schema, path) });
    }
    return entries;
  }

  list<S extends z.ZodType>(schema: S, key: string): Entry<z.output<S>>[] {
    const value = valueAt(this.#root, [key]);
    if (!Array.isArray(value)) return [];
    return value.map((_, i) => ({ path: [key, i], input: this.check(schema, [key, i]) }));
  }
}

/** Checks every entry of a parsed file against the schema. */
export function takeApart(root: unknown): Pieces {
  if (root === null || root === undefined) {
    const hint = 'it needs at least `lines:`; see examples/button-led.yaml';
    const finding: Finding = { code: 'CONFIG_MISSING', path: [], message: 'the file is empty', hint };
    return {
      file: undefined,
      chip: undefined,
      lines: undefined,
      interrupts: [],
      workqueues: undefined,
      findings: [finding],
    };
  }
  const checker = new Checker(root);
  const file = checker.check(fileSchema, []);
  const chip = fileSchema.shape.chip.safeParse(valueAt(root, ['chip'])).data;
  // Without the key the file's own check has said so already.
  const lines = valueAt(root, ['lines']) === undefined ? undefined : checker.mapping(lineSchema, 'lines');
  const interrupts = checker.list(interruptSchema, 'interrupts');
  const workqueues = checker.mapping(workqueueSchema, 'workqueues');
  return { file, chip, lines, interrupts, workqueues, findings: checker.findings };
}
