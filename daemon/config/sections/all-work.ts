// Every work item of a file, wherever it stands.

import type { ConfigPath } from '../errors.js';
import type { Pieces } from '../pieces.js';
import { type WorkItemInput, workItemsAt } from './work.js';

/** A work item and where it is. */
export interface PlacedWorkItem {
  readonly item: WorkItemInput;
  readonly at: ConfigPath;
}

/** The work items of interrupts, patterns, chords and triggers; those of entries that failed their check are left out. */
export function* workItemsIn(pieces: Pieces): Generator<PlacedWorkItem> {
  for (const { path, input } of pieces.interrupts) {
    yield* workItemsAt(input?.work, [...path, 'work']);
    for (const [i, pattern] of input?.patterns?.entries() ?? []) yield { item: pattern, at: [...path, 'patterns', i] };
  }
  for (const { path, input } of pieces.chords) if (input !== undefined) yield { item: input, at: path };
  for (const { path, input } of pieces.triggers) yield* workItemsAt(input?.work, [...path, 'work']);
}
