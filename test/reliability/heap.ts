// What a program holds on the heap, by kind, without what V8 holds of its own.
import { readFileSync } from 'node:fs';

/**
 * Kinds of V8's own: code with its feedback and its notes for deoptimisation, the shapes of objects, bookkeeping. They grow for as long
 * as V8 finds something to compile, and when it does depends on how busy the machine is.
 */
const OF_V8 = new Set(['code', 'hidden', 'object shape', 'synthetic']);

/** So many things, and their bytes without those of what they refer to. */
interface Held {
  readonly things: number;
  readonly bytes: number;
}

/** What is there more of, and of which kinds, the most bytes first. */
export interface Growth extends Held {
  readonly kinds: readonly (Held & { readonly kind: string })[];
}

/** The parts of a heap snapshot that count things: `nodes` has a number for each of `node_fields`, thing after thing. */
interface Snapshot {
  readonly snapshot: {
    readonly meta: { readonly node_fields: readonly string[]; readonly node_types: readonly [string[]] };
  };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

/** What of each kind is in a file of `v8.writeHeapSnapshot`; an object's kind has the name of its constructor. */
function held(path: string): Map<string, Held> {
  const { snapshot, nodes, strings } = JSON.parse(readFileSync(path, 'utf8')) as Snapshot;
  const { node_fields: fields, node_types } = snapshot.meta;
  const [type, name, size] = ['type', 'name', 'self_size'].map((field) => fields.indexOf(field)) as [
    number,
    number,
    number,
  ];
  const kinds = new Map<string, Held>();
  for (let at = 0; at < nodes.length; at += fields.length) {
    const sort = node_types[0][nodes[at + type] ?? -1] ?? 'unknown';
    if (OF_V8.has(sort)) continue;
    const kind = sort === 'object' ? `object ${strings[nodes[at + name] ?? -1]}` : sort;
    const { things, bytes } = kinds.get(kind) ?? { things: 0, bytes: 0 };
    kinds.set(kind, { things: things + 1, bytes: bytes + (nodes[at + size] ?? 0) });
  }
  return kinds;
}

/** What the program holds more in the second of two files of `v8.writeHeapSnapshot`; negative where it is less. */
export function growth(before: string, after: string): Growth {
  const [earlier, later] = [held(before), held(after)];
  const kinds = [...new Set([...earlier.keys(), ...later.keys()])].map((kind) => {
    const from = earlier.get(kind) ?? { things: 0, bytes: 0 };
    const to = later.get(kind) ?? { things: 0, bytes: 0 };
    return { kind, things: to.things - from.things, bytes: to.bytes - from.bytes };
  });
  const sum = (of: 'things' | 'bytes'): number => kinds.reduce((all, kind) => all + kind[of], 0);
  return {
    things: sum('things'),
    bytes: sum('bytes'),
    kinds: kinds.filter(({ bytes }) => bytes !== 0).sort((a, b) => Math.abs(b.bytes) - Math.abs(a.bytes)),
  };
}
