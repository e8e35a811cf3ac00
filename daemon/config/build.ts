// From checked entries to the frozen configuration.

import { resolve } from 'node:path';
import type { Config } from './config.js';
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

function each<T, R>(entries: Iterable<Entry<T>>, build: (input: T) => R): R[] {
  return [...entries].flatMap(({ input }) => (input === undefined ? [] : [build(input)]));
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
 * @param directory where the file is: the paths that it names are relative to it.
 */
export function buildConfig(pieces: Pieces, directory: string): Config {
  const { file } = pieces;
  const toPath = (path: string): string => resolve(directory, path);
  return deepFreeze({
    driver: file?.driver ?? 'auto',
    chip: buildChipChoice(file?.chip ?? 'auto'),
    chips: named(pieces.chips, (name, text) => ({ name, choice: buildChipChoice(text) })),
    eventBuffer: file?.event_buffer ?? EVENT_BUFFER_MAX,
    eventClock: file?.event_clock ?? 'monotonic',
    lines: named(pieces.lines, (name, input) => buildLine(name, input, file?.storm_guard)),
    interrupts: each(pieces.interrupts, (input) => buildInterrupt(input, toPath)),
    chords: each(pieces.chords, (input) => buildChord(input, toPath)),
    triggers: each(pieces.triggers, (input) => buildTrigger(input, toPath)),
    workqueues: named(pieces.workqueues, buildWorkqueue),
    mqtt: file?.mqtt === undefined ? undefined : buildMqtt(file.mqtt, toPath),
    http: file?.http === undefined ? undefined : buildHttp(file.http, toPath),
    log: buildLog(file?.log),
  });
}
