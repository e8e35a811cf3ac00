// Every work item and every action of a file, wherever it stands.

import type { ConfigPath } from '../errors.js';
import type { Pieces } from '../pieces.js';
import type { ActionInput } from './actions.js';
import { threadOf } from './interrupts.js';
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

/** The actions of every context; those of entries that failed their check are left out. */
export function* actionsIn(pieces: Pieces): Generator<ActionInput> {
  for (const { input } of pieces.interrupts) {
    if (input === undefined) continue;
    yield* input.top_half ?? [];
    yield* input.tasklet ?? [];
    yield* threadOf(input).actions ?? [];
  }
  for (const { item } of workItemsIn(pieces)) yield* item.do;
}
