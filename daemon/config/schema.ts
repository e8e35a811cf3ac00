// The schema of the configuration file: its sections, each of which is described in a file of its own.

import { z } from 'zod';
import { chipSchema, driverSchema, otherChipSchema } from './sections/chips.js';
import { eventBufferSchema, eventClockSchema } from './sections/events.js';
import { httpSchema } from './sections/http.js';
import { includeSchema } from './sections/include.js';
import { interruptSchema } from './sections/interrupts.js';
import { lineSchema } from './sections/lines.js';
import { logSchema } from './sections/log.js';
import { mqttSchema } from './sections/mqtt.js';
import { chordSchema } from './sections/patterns.js';
import { stormGuardSchema } from './sections/storm-guard.js';
import { triggerSchema } from './sections/triggers.js';
import { workqueueSchema } from './sections/workqueues.js';
import { keys } from './values.js';

/** Sections that are mappings by name. Each entry is checked by itself, so that one bad entry hides no other. */
export const MAPPINGS = { chips: otherChipSchema, lines: lineSchema, workqueues: workqueueSchema } as const;

/** Sections that are lists; checked entry by entry, too. */
export const LISTS = { interrupts: interruptSchema, chords: chordSchema, triggers: triggerSchema } as const;

/** Most entries of a section that is a list. */
export const MAX_ENTRIES = 1024;

const mapping = z.record(z.string(), z.unknown());
const list = z.array(z.unknown()).max(MAX_ENTRIES).default([]);

/** The file, with the entries of {@link MAPPINGS} and {@link LISTS} as they come. */
export const fileSchema = keys({
  include: includeSchema.optional(),
  driver: driverSchema,
  chip: chipSchema,
  chips: mapping.default({}).describe('Further chips, by name: I2C and SPI expanders are chips as the header is.'),
  cpus: z.int().min(1).max(8).optional().describe('CPUs of the model, for `affinity`.').meta({ default: 1 }),
  event_buffer: eventBufferSchema,
  event_clock: eventClockSchema,
  storm_guard: stormGuardSchema.optional().describe('Limits of all lines with edges that have none of their own.'),
  lines: mapping.describe('The lines that the daemon holds, by name.'),
  interrupts: list.describe("What happens on lines' edges."),
  chords: list.describe('What happens when several lines are pressed together.'),
  triggers: list.describe('What runs work besides edges.'),
  workqueues: mapping.default({}).describe('Queues for work items, by name.'),
  mqtt: mqttSchema.optional(),
  http: httpSchema.optional(),
  log: logSchema.optional(),
});
