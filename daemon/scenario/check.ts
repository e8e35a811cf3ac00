// Checking what stands in a scenario file against its schema, with what is wrong said as for configurations.
import type { z } from 'zod';
import type { ConfigPath, Finding } from '../config/errors.js';
import { explain, valueAt } from '../config/explain.js';
import { boardSchema, bounceSchema, fileSchema, headerSchema, repeatSchema, stepSchema } from './schema.js';

const FILE_KEYS = [...new Set([...Object.keys(fileSchema.shape), ...Object.keys(headerSchema.shape)])];
const STEP_KEYS = Object.keys(stepSchema.shape);
const BOARD_KEYS = Object.keys(boardSchema.shape);
/** Keys of mappings that stand below a key of this name; of those below a part of the board, by the kind of part. */
const INNER: Readonly<Record<string, readonly string[]>> = {
  bounce: Object.keys(bounceSchema.shape),
  repeat: Object.keys(repeatSchema.shape),
  board: BOARD_KEYS,
  buttons: ['pull', 'to', 'bounce'],
  leds: ['active'],
  wires: ['from', 'to'],
};

function keysAt(path: ConfigPath): readonly string[] {
  const inner = INNER[String(path.at(-1))] ?? (path[0] === 'board' ? INNER[String(path.at(-2))] : undefined);
  if (inner !== undefined) return inner;
  return path.length === 0 ? FILE_KEYS : STEP_KEYS;
}

/** A value that fits its schema, or what is wrong with it. */
export type Checked<T> = { readonly value: T } | { readonly findings: readonly Finding[] };

/** Checks what stands at `path` of `root`. A step that is a document of its own (`path` empty) has the keys of a step. */
export function check<S extends z.ZodType>(schema: S, root: unknown, path: ConfigPath): Checked<z.output<S>> {
  const result = schema.safeParse(valueAt(root, path));
  if (result.success) return { value: result.data };
  const { issues } = result.error;
  // A length or range check runs on a value of the wrong type, too, if it has a length.
  const mistyped = new Set(issues.filter((i) => i.code === 'invalid_type').map((i) => JSON.stringify(i.path)));
  const isStep = Object.is(schema, stepSchema);
  const findings = issues.flatMap((found) => {
    if (found.code !== 'invalid_type' && mistyped.has(JSON.stringify(found.path))) return [];
    const at = [...path, ...found.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
    return explain(found, root, at, (where) => (isStep && where.length === path.length ? STEP_KEYS : keysAt(where)));
  });
  return { findings };
}
