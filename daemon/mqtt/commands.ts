// Commands to outputs, as messages: what they may say, how many there may be, and who is told when one is refused.

import type { Logger } from 'pino';
import { KernelError } from '../../kernel/errno.js';
import type { Level } from '../../kernel/gpio/driver.js';
import type { ControlTarget } from '../control/target.js';
import { TokenBucket } from '../token-bucket.js';
import type { Message } from './message.js';
import type { Topics } from './topics.js';

/** What a message may ask of an output. */
export type Command = Level | 'toggle';

const WORDS: Readonly<Record<string, Command>> = { ON: 1, 1: 1, OFF: 0, 0: 0, TOGGLE: 'toggle' };

/** Longest payload of a command that is looked at, in bytes. */
const MAX_COMMAND_BYTES = 16;
/** Commands a second, and at once: a scene of Home Assistant may switch all lines of a Pi. */
const COMMANDS_PER_SECOND = 50;
const COMMANDS_AT_ONCE = 100;
/** Refusals that are told a second; all are counted. */
const REFUSALS_PER_SECOND = 5;

/** Reads a command: `ON`, `OFF`, `TOGGLE` in either case, `1`, `0`. `undefined` for anything else. */
export function parseCommand(payload: Uint8Array): Command | undefined {
  if (payload.length > MAX_COMMAND_BYTES) return undefined;
  const word = Buffer.from(payload).toString('latin1').trim().toUpperCase();
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
}

/** What {@link Commands} needs. */
export interface CommandSurroundings {
  readonly target: Pick<ControlTarget, 'getLine' | 'setLine'>;
  readonly topics: Topics;
  readonly log: Logger;
  /** Sends a message. */
  readonly tell: (message: Message) => void;
  /** A clock that only goes forward. */
  readonly nowMs: () => number;
}

/** Carries commands out. */
export class Commands {
  done = 0;
  refused = 0;
  readonly #around: CommandSurroundings;
  readonly #rate = new TokenBucket({ rate: COMMANDS_PER_SECOND, perNs: 1e9, burst: COMMANDS_AT_ONCE });
  readonly #told = new TokenBucket({ rate: REFUSALS_PER_SECOND, perNs: 1e9 });

  constructor(around: CommandSurroundings) {
    this.#around = around;
  }

  /**
   * @param retained the broker has kept the message: nobody knows how old it is, so it is refused
   * @returns false when the topic is none of a command's
   */
  handle(topic: string, payload: Uint8Array, retained: boolean): boolean {
    const line = this.#around.topics.commanded(topic);
    if (line === undefined) return false;
    try {
      this.#carryOut(line, payload, retained);
      this.done++;
    } catch (error) {
      this.#refuse(line, error);
    }
    return true;
  }

  #nowNs(): number {
    return this.#around.nowMs() * 1e6;
  }

  #carryOut(line: string, payload: Uint8Array, retained: boolean): void {
    if (!this.#rate.take(this.#nowNs())) {
      throw new KernelError('EBUSY', `more than ${COMMANDS_PER_SECOND} commands a second`, { hint: 'send fewer' });
    }
    if (retained) {
      const hint = 'send commands without the retain flag; an empty retained message takes the old one away';
      throw new KernelError('EINVAL', 'a retained command is not carried out', { hint });
    }
    const command = parseCommand(payload);
    if (command === undefined) {
      throw new KernelError('EINVAL', 'not a command', { hint: 'send ON, OFF, TOGGLE, 1 or 0' });
    }
    const { target } = this.#around;
    target.setLine(line, command === 'toggle' ? otherLevel(target, line) : command);
  }

  #refuse(line: string, error: unknown): void {
    this.refused++;
    if (!this.#told.take(this.#nowNs())) return;
    const { log, topics, tell } = this.#around;
    const { message } = error as Error;
    const code = error instanceof KernelError ? error.code : 'EIO';
    const hint = error instanceof KernelError ? error.hint : undefined;
    const { refused } = this;
    log.warn({ line, code, refused }, `mqtt: a command to ${line.slice(0, 64)} is refused: ${message}`);
    const payload = JSON.stringify({ line, code, message, hint });
    tell({ topic: topics.errors, payload, qos: 0, retain: false });
  }
}

/** Errors as of `getLine` and `setLine`. */
function otherLevel(target: CommandSurroundings['target'], line: string): Level {
  const { value } = target.getLine(line);
  if (value !== 'unknown') return value === 1 ? 0 : 1;
  throw new KernelError('ENODEV', `${line} is not held now: nobody knows its level`, { subject: line });
}
