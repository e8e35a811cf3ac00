// One line that libgpiod holds: its level, and its edges, read from the descriptor that the request opened.
import type { EdgeBatch, Level, LineConfig } from '../../kernel/gpio/driver.js';
import type { ChardevAddon, PolledHandle } from '../chardev/addon.js';
import { systemError } from '../chardev/errors.js';
import type { HeldLine } from '../held-lines.js';
import { refuse, thrownError } from '../refusals.js';
import { openedBy } from './event-fd.js';
import { FLAG, type NativeLine } from './node-libgpiod.js';

/** sizeof(struct gpioevent_data): u64 timestamp, u32 id, and 4 bytes of padding. */
const EVENT_BYTES = 16;
const EVENT_WORDS = EVENT_BYTES / 4;
/** Events that the kernel keeps for a line (struct lineevent_state). */
export const EVENT_FIFO = 16;
/** GPIOEVENT_EVENT_RISING_EDGE. */
const RISING = 1;

const BIAS_FLAGS = {
  'as-is': 0,
  disabled: FLAG.BIAS_DISABLE,
  'pull-up': FLAG.BIAS_PULL_UP,
  'pull-down': FLAG.BIAS_PULL_DOWN,
} as const;
const DRIVE_FLAGS = { 'push-pull': 0, 'open-drain': FLAG.OPEN_DRAIN, 'open-source': FLAG.OPEN_SOURCE } as const;

/** What a line needs to be taken. */
export interface LineSource {
  readonly addon: ChardevAddon;
  readonly native: NativeLine;
  readonly consumer: string;
  /** How errors call it, e.g. `line 17 of gpiochip0`. */
  readonly what: string;
}

/**
 * Takes a line.
 *
 * @throws {KernelError} what the kernel answers, e.g. `EBUSY`. The line is not held then.
 */
export function takeLine(source: LineSource, line: LineConfig): LibgpiodLine {
  const { native, addon, what } = source;
  try {
    if (edgeOf(line) === 'none') {
      request(source, line);
      return new LibgpiodLine(source, line, undefined);
    }
    const events = addon.pollFd(
      openedBy(() => request(source, line)),
      EVENT_BYTES,
    );
    if (typeof events === 'number') throw systemError(`edges of ${what}`, events, undefined, what);
    return new LibgpiodLine(source, line, events);
  } catch (error) {
    native.release();
    throw thrownError(`libgpiod: ${what}`, error, undefined, what);
  }
}

function request({ native, consumer }: LineSource, line: LineConfig): void {
  const flags =
    BIAS_FLAGS[line.bias ?? 'as-is'] |
    DRIVE_FLAGS[line.drive ?? 'push-pull'] |
    (line.activeLow === true ? FLAG.ACTIVE_LOW : 0);
  if (line.direction === 'out') {
    native.requestOutputModeFlags(consumer, flags, line.initial === 1 ? 1 : 0);
    return;
  }
  const edge = edgeOf(line);
  if (edge === 'none') native.requestInputModeFlags(consumer, flags);
  else if (edge === 'rising') native.requestRisingEdgeEventFlags(consumer, flags);
  else if (edge === 'falling') native.requestFallingEdgeEventFlags(consumer, flags);
  else native.requestBothEdgesEventFlags(consumer, flags);
}

function edgeOf(line: LineConfig): 'none' | 'rising' | 'falling' | 'both' {
  return line.direction === 'in' ? (line.edge ?? 'none') : 'none';
}

/** A line of libgpiod; made by {@link takeLine}. */
export class LibgpiodLine implements HeldLine {
  readonly #source: LineSource;
  readonly #line: LineConfig;
  readonly #events: PolledHandle | undefined;

  constructor(source: LineSource, line: LineConfig, events: PolledHandle | undefined) {
    this.#source = source;
    this.#line = line;
    this.#events = events;
  }

  get(): Level {
    return this.#do('getValue', () => this.#source.native.getValue());
  }

  set(value: Level): void {
    this.#do('setValue', () => this.#source.native.setValue(value));
  }

  listen(batch: EdgeBatch, deliver: () => void): void {
    const events = this.#events;
    if (events === undefined) return;
    const { addon, what } = this.#source;
    const { offset } = this.#line;
    const records = new Uint32Array(EVENT_WORDS * EVENT_FIFO);
    // The chip's own descriptor tells that it is gone; here nothing comes any more then.
    const status = addon.listen(events, records.buffer, (count) => {
      for (let i = 0; i < count; i++) {
        const at = i * EVENT_WORDS;
        const rising = records[at + 2] === RISING;
        batch.write(i, records[at + 1] ?? 0, records[at] ?? 0, rising, offset, 0, 0);
      }
      if (count === 0) return;
      batch.count = count;
      deliver();
    });
    const reading = status < 0 ? status : addon.setReading(events, true);
    if (reading < 0) throw systemError(`edges of ${what}`, reading, undefined, what);
  }

  configure(): never {
    return refuse('libgpiod', 'reconfigure', 'uAPI v1 cannot change a line with edges');
  }

  release(): void {
    if (this.#events !== undefined) this.#source.addon.close(this.#events);
    this.#source.native.release();
  }

  #do<T>(operation: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw thrownError(`${operation} on ${this.#source.what}`, error, undefined, this.#source.what);
    }
  }
}
