// What is written down of a request that is kept for the next process: how it was made, and how far each of its lines has come.
import { z } from 'zod';
import { type EdgeMark, KernelError, type Level } from '../../kernel/index.js';

/** Bytes of a record. Its first page has the marks, the rest two places for the description. */
export const RECORD_BYTES = 0x1_0000;
const PLACES_AT = 0x1000;
const PLACE_BYTES = (RECORD_BYTES - PLACES_AT) / 2;
/** 'GPI' and the version of this layout: a record of another is not read. */
const MAGIC = 0x4750_4901;
/** Words at the start. */
const Head = { MAGIC: 0, PLACE: 1 } as const;
const MARKS_AT = 16;
const MARK_BYTES = 16;
const MARKS = 64;
/** Where a mark goes on after what {@link Mark} has: the level that an output was last given, 0 when it was given none. */
const LEVEL = 2;
/** And the level that it goes back to when a pulse is over; 0 when none is under way. */
const REST = 3;
const LOW = 1;
const HIGH = 2;

/** Made when there is a record to read: most starts find none. */
function makeSchema() {
  const level = z.union([z.literal(0), z.literal(1)]);
  const line = z.strictObject({
    offset: z.int().nonnegative(),
    direction: z.enum(['in', 'out']),
    edge: z.enum(['none', 'rising', 'falling', 'both']).exactOptional(),
    bias: z.enum(['as-is', 'disabled', 'pull-up', 'pull-down']).exactOptional(),
    drive: z.enum(['push-pull', 'open-drain', 'open-source']).exactOptional(),
    activeLow: z.boolean().exactOptional(),
    debounceUs: z.int().nonnegative().exactOptional(),
    initial: z.union([level, z.literal('keep')]).exactOptional(),
  });
  return z.strictObject({
    chip: z.strictObject({ name: z.string(), label: z.string(), lines: z.int().positive() }),
    consumer: z.string(),
    eventBufferSize: z.int().positive(),
    eventClock: z.enum(['monotonic', 'realtime']),
    lines: z.array(line).min(1).max(MARKS),
  });
}

type Schema = ReturnType<typeof makeSchema>;
let schema: Schema | undefined;

/** How a request was made. */
export type KeptDescription = z.output<Schema>;

/** The memory of one request. A description takes the place of the one before as a whole, also when the process is killed meanwhile. */
export class KeptRecord {
  readonly #buffer: ArrayBuffer;
  readonly #head: Uint32Array;
  #description: KeptDescription;

  private constructor(buffer: ArrayBuffer, description: KeptDescription) {
    this.#buffer = buffer;
    this.#head = new Uint32Array(buffer, 0, MARKS_AT / 4);
    this.#description = description;
  }

  /** Begins a record in memory of {@link RECORD_BYTES} zeros. */
  static begin(buffer: ArrayBuffer, description: KeptDescription): KeptRecord {
    const record = new KeptRecord(buffer, description);
    record.describe(description);
    record.#head[Head.MAGIC] = MAGIC;
    return record;
  }

  /** Goes on with a record. `EINVAL` when there is none in the memory that this version can read. */
  static resume(buffer: ArrayBuffer): KeptRecord {
    if (buffer.byteLength !== RECORD_BYTES) throw unreadable('its size is another');
    const [magic, place] = new Uint32Array(buffer, 0, MARKS_AT / 4);
    if (magic !== MAGIC) throw unreadable('another version wrote it');
    const [length = 0] = new Uint32Array(buffer, placeAt(place), 1);
    if (length > PLACE_BYTES - 4) throw unreadable('its description is too long');
    return new KeptRecord(buffer, parse(new Uint8Array(buffer, placeAt(place) + 4, length)));
  }

  get description(): KeptDescription {
    return this.#description;
  }

  /** Writes another description of the same lines. */
  describe(description: KeptDescription): void {
    const text = new TextEncoder().encode(JSON.stringify(description));
    if (text.length > PLACE_BYTES - 4)
      throw new KernelError('EOVERFLOW', 'the description of a kept request is too long');
    const place = this.#head[Head.PLACE] === 0 ? 1 : 0;
    new Uint32Array(this.#buffer, placeAt(place), 1)[0] = text.length;
    new Uint8Array(this.#buffer, placeAt(place) + 4, text.length).set(text);
    this.#head[Head.PLACE] = place;
    this.#description = description;
  }

  /** The mark of one of the description's lines; undefined for another. */
  markOf(offset: number): EdgeMark | undefined {
    const index = this.#description.lines.findIndex((line) => line.offset === offset);
    return index < 0 ? undefined : new Uint32Array(this.#buffer, MARKS_AT + index * MARK_BYTES, MARK_BYTES / 4);
  }
}

function placeAt(place: number | undefined): number {
  return PLACES_AT + (place === 1 ? PLACE_BYTES : 0);
}

function parse(bytes: Uint8Array): KeptDescription {
  try {
    schema ??= makeSchema();
    return schema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw unreadable('its description cannot be read', cause);
  }
}

function unreadable(why: string, cause?: unknown): KernelError {
  return new KernelError('EINVAL', `the record of kept lines is of no use: ${why}`, {
    hint: 'request them anew',
    cause,
  });
}

/** Writes down the level that an output was last given; undefined when it is given none any more. */
export function markLevel(mark: EdgeMark, value: Level | undefined): void {
  mark[LEVEL] = asWord(value);
}

/** The level that an output was last given; undefined when that was none since it was requested. */
export function markedLevel(mark: EdgeMark): Level | undefined {
  return asLevel(mark[LEVEL]);
}

/** Writes down what an output goes back to when its pulse is over; undefined when it is. */
export function markRest(mark: EdgeMark, value: Level | undefined): void {
  mark[REST] = asWord(value);
}

/** What an output is to go back to, since nobody ended its pulse; undefined when there was none. */
export function markedRest(mark: EdgeMark): Level | undefined {
  return asLevel(mark[REST]);
}

function asWord(value: Level | undefined): number {
  if (value === undefined) return 0;
  return value === 1 ? HIGH : LOW;
}

function asLevel(word: number | undefined): Level | undefined {
  if (word === HIGH) return 1;
  return word === LOW ? 0 : undefined;
}
