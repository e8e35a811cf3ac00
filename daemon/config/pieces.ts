// The entries of a parsed file, each checked against its schema by itself, so that one bad entry hides no other.

import type { z } from 'zod';
import { type Substitution, typed } from './environment.js';
import { type ConfigPath, describe, type Finding } from './errors.js';
import { explain, setAt, valueAt } from './explain.js';
import { fileSchema, LISTS, MAPPINGS } from './schema.js';

/** An entry that stands in the file; `input` is `undefined` when its own check failed. */
export interface Entry<T> {
  readonly path: ConfigPath;
  readonly input: T | undefined;
}

type Mapped = {
  /** By name. `undefined` when the mapping itself could not be read: then nothing can be said about references to it. */
  readonly [K in keyof typeof MAPPINGS]: ReadonlyMap<string, Entry<z.output<(typeof MAPPINGS)[K]>>> | undefined;
};

type Listed = { readonly [K in keyof typeof LISTS]: readonly Entry<z.output<(typeof LISTS)[K]>>[] };

/** A file taken apart. */
export interface Pieces extends Mapped, Listed {
  /** The keys at the top. */
  readonly keys: ReadonlySet<string>;
  /** `undefined` when something at the top is wrong. */
  readonly file: z.output<typeof fileSchema> | undefined;
  /** `undefined` when it failed its own check. */
  readonly chip: string | undefined;
  /** `undefined` when it is not there or failed its own check. */
  readonly mqtt: z.output<typeof fileSchema>['mqtt'];
  readonly findings: readonly Finding[];
}

/** A name as entries have: it must fit a consumer label (31 bytes), a URL and a placeholder unquoted. */
export const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,30}$/;

/** Says whether variables were filled in at a path, and what came out. */
export type SubstitutionAt = (path: ConfigPath) => Substitution | undefined;

/** Checks values of a parsed file, and gathers what is wrong. */
export class Checker {
  readonly findings: Finding[] = [];
  readonly #root: unknown;
  readonly #substitutionAt: SubstitutionAt;

  constructor(root: unknown, substitutionAt: SubstitutionAt) {
    this.#root = root;
    this.#substitutionAt = substitutionAt;
  }

  /** The value at a path, or `undefined` when it does not fit the schema. */
  check<S extends z.ZodType>(schema: S, path: ConfigPath): z.output<S> | undefined {
    let result = schema.safeParse(valueAt(this.#root, path));
    if (!result.success && this.#typed(path, result.error)) result = schema.safeParse(valueAt(this.#root, path));
    if (result.success) return result.data;
    const { issues } = result.error;
    // A length or range check runs on a value of the wrong type, too, if it has a length.
    const mistyped = new Set(issues.filter((i) => i.code === 'invalid_type').map((i) => JSON.stringify(i.path)));
    for (const found of issues) {
      if (found.code !== 'invalid_type' && mistyped.has(JSON.stringify(found.path))) continue;
      const at = [...path, ...found.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
      this.findings.push(...explain(found, this.#root, at, () => found.message.split(' ')));
    }
    return undefined;
  }

  /** What variables gave is text. Where no text is wanted, it becomes what YAML would have made of it. */
  #typed(path: ConfigPath, error: z.ZodError): boolean {
    let changed = false;
    for (const found of error.issues) {
      const at = [...path, ...found.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
      const substitution = this.#substitutionAt(at);
      if (substitution === undefined || valueAt(this.#root, at) !== substitution.text) continue;
      const value = typed(substitution.text);
      if (value !== substitution.text) changed = setAt(this.#root, at, value) || changed;
    }
    return changed;
  }

  mapping<S extends z.ZodType>(key: keyof typeof MAPPINGS, schema: S): Map<string, Entry<z.output<S>>> | undefined {
    const value = valueAt(this.#root, [key]);
    // Without a key that must be there, the file's own check has said so already.
    if (value === undefined) return fileSchema.shape[key].safeParse(undefined).success ? new Map() : undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const entries = new Map<string, Entry<z.output<S>>>();
    for (const name of Object.keys(value)) {
      const path = [key, name];
      if (!NAME.test(name)) {
        const hint = 'a letter, then letters, digits, - and _, 31 at most';
        const message = `${describe(name)} is not a name`;
        this.findings.push({ code: 'CONFIG_VALUE', path, atKey: true, message, hint });
      }
      entries.set(name, { path, input: this.check(schema, path) });
    }
    return entries;
  }

  list<S extends z.ZodType>(key: keyof typeof LISTS, schema: S): Entry<z.output<S>>[] {
    const value = valueAt(this.#root, [key]);
    if (!Array.isArray(value)) return [];
    return value.map((_, i) => ({ path: [key, i], input: this.check(schema, [key, i]) }));
  }
}

const NOTHING = {
  keys: new Set<string>(),
  file: undefined,
  chip: undefined,
  mqtt: undefined,
  chips: undefined,
  lines: undefined,
  workqueues: undefined,
  interrupts: [],
  chords: [],
  triggers: [],
};

/** Checks every entry of a parsed file against the schema. What variables gave may be changed in it from text to a number. */
export function takeApart(root: unknown, substitutionAt: SubstitutionAt = () => undefined): Pieces {
  if (root === null || root === undefined) {
    const hint = 'it needs at least `lines:`; see examples/button-led.yaml';
    return { ...NOTHING, findings: [{ code: 'CONFIG_MISSING', path: [], message: 'the file is empty', hint }] };
  }
  const checker = new Checker(root, substitutionAt);
  const { chip, mqtt } = fileSchema.shape;
  return {
    keys: new Set(typeof root === 'object' ? Object.keys(root) : []),
    file: checker.check(fileSchema, []),
    chip: chip.safeParse(valueAt(root, ['chip'])).data,
    mqtt: mqtt.safeParse(valueAt(root, ['mqtt'])).data,
    chips: checker.mapping('chips', MAPPINGS.chips),
    lines: checker.mapping('lines', MAPPINGS.lines),
    workqueues: checker.mapping('workqueues', MAPPINGS.workqueues),
    interrupts: checker.list('interrupts', LISTS.interrupts),
    chords: checker.list('chords', LISTS.chords),
    triggers: checker.list('triggers', LISTS.triggers),
    findings: checker.findings,
  };
}
