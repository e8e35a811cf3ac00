// A reader that runs, and what is done to the lines that it holds.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Cost, costOf } from './process.js';

/** A program that reads edges. */
export interface Reader {
  readonly name: string;
  /** Arguments come between the command and `more`. */
  readonly command: readonly string[];
  readonly more?: string;
}

/** What is shared by all sessions. */
export interface Bench {
  /** What readers open. */
  readonly path: string;
  /** The program that makes edges, and its first argument; `LINES COUNT INTERVAL_US OUT` come behind. */
  readonly injector: readonly [program: string, first: string];
  /** For files that are passed on. */
  readonly scratch: string;
}

/** Edges that a reader has seen; `lost` is NaN where it cannot know. */
export interface Counted {
  readonly seen: number;
  readonly lost: number;
}

/** With what it loads and compiles at start behind it, a reader waits for the first edge. */
const SETTLE_MS = 400;
/** An answer that takes longer does not come: a reader starts in 5 s where others use the machine as well. */
const ANSWER_MS = 60_000;
/** Longer than any series of edges takes. */
const INJECT_MS = 120_000;
const run = promisify(execFile);

function u64(path: string): BigUint64Array {
  const bytes = readFileSync(path);
  return new BigUint64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** Edges that leave `lines` lines as they were: each goes up as often as down. */
export function wholeTurns(count: number, lines: number): number {
  return Math.ceil(count / (2 * lines)) * 2 * lines;
}

export class Session {
  readonly #name: string;
  readonly #bench: Bench;
  readonly #lines: number;
  readonly #child: ChildProcess;
  readonly #out: string;
  readonly #ended: Promise<unknown>;
  #said = '';
  #heard: () => void = () => {};

  private constructor(bench: Bench, reader: Reader, lines: number) {
    this.#name = reader.name;
    this.#bench = bench;
    this.#lines = lines;
    this.#out = join(bench.scratch, 'samples');
    const [program = '', ...first] = reader.command;
    const args = [...first, bench.path, String(lines), this.#out, ...(reader.more === undefined ? [] : [reader.more])];
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#ended = once(this.#child, 'close').then(([status, signal]) => {
      this.#said += `ended with ${signal ?? status}\n`;
      this.#heard();
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
      this.#heard();
    });
  }

  /** Starts a reader, with all lines low. */
  static async start(bench: Bench, reader: Reader, lines: number): Promise<Session> {
    const session = new Session(bench, reader, lines);
    await session.#line('ready');
    await sleep(SETTLE_MS);
    return session;
  }

  get cost(): Cost {
    return costOf(this.#child.pid ?? 0);
  }

  /** Makes edges on all lines in turn. @returns when each was made, ns */
  async inject(count: number, intervalUs: number): Promise<BigUint64Array> {
    const { injector, scratch } = this.#bench;
    const [program, first] = injector;
    const out = join(scratch, 'injected');
    await run(program, [first, this.#lines, wholeTurns(count, this.#lines), intervalUs, out].map(String), {
      timeout: INJECT_MS,
    });
    return u64(out);
  }

  /** What it has seen, once nothing more comes. */
  async count(): Promise<Counted> {
    let before = await this.#ask();
    for (;;) {
      await sleep(60);
      const counted = await this.#ask();
      if (counted.seen === before.seen) return counted;
      before = counted;
    }
  }

  /** Blocks its JavaScript, for readers that can. */
  block(ms: number): void {
    this.#child.stdin?.write(`block ${ms}\n`);
  }

  /** Ends it. @returns pairs of ns, kernel stamp and handler */
  async save(): Promise<BigUint64Array> {
    this.#child.stdin?.write('save\n');
    await this.#inTime(this.#ended, 'end');
    if (!this.#said.includes('ended with 0')) throw new Error(`${this.#name}: ${this.#said.trim().split('\n').at(-1)}`);
    return u64(this.#out);
  }

  async #ask(): Promise<Counted> {
    this.#said = '';
    this.#child.stdin?.write('count\n');
    const [, seen, lost] = (await this.#line('seen')).split(/ (?:lost )?/);
    return { seen: Number(seen), lost: Number(lost) };
  }

  /** As `answer`; where it does not come, the reader is killed, and the benchmark fails. */
  async #inTime<T>(answer: Promise<T>, what: string): Promise<T> {
    const end = new AbortController();
    const late = sleep(ANSWER_MS, undefined, end).then(() => {
      this.#child.kill('SIGKILL');
      throw new Error(`${this.#name} did not ${what} within ${ANSWER_MS / 1000} s`);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      late.catch(() => {});
      end.abort();
    }
  }

  /** Waits for a whole line that begins with `begin`. */
  async #line(begin: string): Promise<string> {
    for (;;) {
      const lines = this.#said.split('\n').slice(0, -1);
      const line = lines.find((one) => one.startsWith(begin));
      if (line !== undefined) return line;
      const end = lines.find((one) => one.startsWith('ended'));
      if (end !== undefined) throw new Error(`${this.#name}: ${end}, and was expected to say "${begin}"`);
      const heard = new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
      await this.#inTime(heard, `say "${begin}"`);
    }
  }
}
