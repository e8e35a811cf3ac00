// From checked entries to the frozen configuration.

import type { Config } from './config.js';
import type { ConfigPath } from './errors.js';
import type { Entry, Pieces } from './pieces.js';
import { buildChipChoice } from './sections/chips.js';
import { EVENT_BUFFER_MAX } from './sections/events.js';
import { buildHttp } from './sections/http.js';
import { buildInterrupt } from './sections/interrupts.js';
import { buildLine } from './sections/lines.js';
import { buildLog } from './sections/log.js';
import { buildMqtt } from './sections/mqtt.js';
import { buildChord } from './sections/patterns.js';
import { buildTrigger } from './sections/triggers.js';
import { buildWorkqueue } from './sections/workqueues.js';

/** Makes a path that a file names absolute. */
export type ToPath = (path: string) => string;

function each<T, R>(entries: Iterable<Entry<T>>, build: (input: T, at: ConfigPath) => R): R[] {
  return [...entries].flatMap(({ input, path }) => (input === undefined ? [] : [build(input, path)]));
}

function named<T, R>(entries: ReadonlyMap<string, Entry<T>> | undefined, build: (name: string, input: T) => R): R[] {
  return [...(entries ?? [])].flatMap(([name, { input }]) => (input === undefined ? [] : [build(name, input)]));
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

/**
 * Builds the configuration of a file without findings.
 *
 * @param toPathAt makes paths absolute that stand in the entry at a path: they are relative to the file that it is in
 */
export function buildConfig(pieces: Pieces, toPathAt: (at: ConfigPath) => ToPath): Config {
  const { file } = pieces;
  return deepFreeze({
    driver: file?.driver ?? 'auto',
    chip: buildChipChoice(file?.chip ?? 'auto'),
    chips: named(pieces.chips, (name, text) => ({ name, choice: buildChipChoice(text) })),
    cpus: file?.cpus,
    eventBuffer: file?.event_buffer ?? EVENT_BUFFER_MAX,
    eventClock: file?.event_clock ?? 'monotonic',
    lines: named(pieces.lines, (name, input) => buildLine(name, input, file?.storm_guard)),
    interrupts: each(pieces.interrupts, (input, at) => buildInterrupt(input, toPathAt(at))),
    chords: each(pieces.chords, (input, at) => buildChord(input, toPathAt(at))),
    triggers: each(pieces.triggers, (input, at) => buildTrigger(input, toPathAt(at))),
    workqueues: named(pieces.workqueues, buildWorkqueue),
    mqtt: file?.mqtt === undefined ? undefined : buildMqtt(file.mqtt, toPathAt(['mqtt'])),
    http: file?.http === undefined ? undefined : buildHttp(file.http, toPathAt(['http'])),
    log: buildLog(file?.log),
  });
}
