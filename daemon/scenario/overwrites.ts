// Outputs of a command that would be written over what it reads, or over each other.
import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

/** What two names of the same regular file have in common; undefined for a device, which may be named twice. */
function identity(path: string): string | undefined {
  try {
    return statSync(path).isFile() ? realpathSync(path) : undefined;
  } catch {
    return resolve(path);
  }
}

/** Says so when an output is one of the inputs, or another output. */
export function overwrites(outputs: readonly string[], inputs: readonly string[]): string | undefined {
  const taken = new Set(inputs.map(identity));
  for (const path of outputs) {
    const own = identity(path);
    if (own !== undefined && taken.has(own)) return `${path}: it would be written over; name another file`;
    taken.add(own);
  }
  return undefined;
}
