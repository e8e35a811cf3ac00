// Which name of Linux an export stands for: what its docstring says, or its own name in snake_case if Linux has that.
import { readFileSync } from 'node:fs';
import type { Declaration } from './declarations.js';

/** Types of one word; longer ones are derived. */
const TYPES: Readonly<Record<string, string>> = {
  Completion: 'struct completion',
  Hrtimer: 'struct hrtimer',
  Mutex: 'struct mutex',
  Rwlock: 'rwlock_t',
  Semaphore: 'struct semaphore',
  Spinlock: 'spinlock_t',
  Task: 'struct task_struct',
  Work: 'struct work_struct',
  Workqueue: 'struct workqueue_struct',
};

/** Answers whether Linux 6.12 has a function, macro or structure of that name. */
export type KnowsName = (name: string) => boolean;

/** Reads the list that linux-names.sh writes. */
export function readLinuxNames(path: string): KnowsName {
  const names = new Set(readFileSync(path, 'utf8').split('\n'));
  return (name) => name !== '' && names.has(name);
}

/** `requestThreadedIrq` as `request_threaded_irq`. */
export function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}

/** Names in parentheses in the docstring: `(del_timer_sync)`, `(struct irq_chip)`, `(timer_delete, formerly del_timer)`. */
function namedIn(doc: string, knows: KnowsName): string[] {
  const found: string[] = [];
  for (const [, inner = ''] of doc.matchAll(/\(([^()]*(?:\(\))?[^()]*)\)/g)) {
    for (const piece of inner.split(/[,;]|\band\b/)) {
      const [, struct = '', name = ''] =
        /^\s*(?:as |formerly )?(struct )?([A-Za-z_][A-Za-z0-9_]*)(?:\(\))?(?: (?:in|as|makes)\b.*)?\s*$/.exec(piece) ??
        [];
      if ((struct !== '' || name.includes('_')) && knows(name)) found.push(`${struct}${name}`);
    }
  }
  return found;
}

/**
 * Linux's names for an export, the present one first; none for what is the model's own, or a constant, which has its own.
 *
 * `doc` is the docstring's text before its first example.
 */
export function linuxNames(declaration: Declaration, doc: string, knows: KnowsName): string[] {
  if (/^[A-Z][A-Z0-9_]*$/.test(declaration.name)) return [];
  const isType = declaration.kind !== 'function' && /^[A-Z]/.test(declaration.name);
  const own = snakeCase(declaration.name);
  const named = namedIn(doc.split('```')[0] ?? '', knows).filter((name) => isType || !name.startsWith('struct '));
  if (!isType) {
    const derived = [own, own.toUpperCase()].filter(knows).slice(0, 1);
    return [...new Set([...derived, ...named])];
  }
  const known = TYPES[declaration.name];
  if (known !== undefined) return [known];
  if (named.length > 0) return named;
  return own.includes('_') && knows(own) ? [own.endsWith('_t') ? own : `struct ${own}`] : [];
}
