// What a program writes, as lines for the log: so many bytes, so many lines a second, and the rest counted.
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { TokenBucket } from '../token-bucket.js';

/** Bytes of each stream that go to the log. */
const OUTPUT_MAX = 64 * 1024;
/** Characters of one line; a longer one is cut into several. */
const LINE_MAX = 4096;
/** Lines a second that go to the log. */
const LINES_PER_SECOND = 200;
/** Bytes that are read and thrown away before the program is let wait: a flood must not take the daemon's time. */
const FLOOD_BYTES = 256 * 1024;
const FLOOD_PAUSE_MS = 100;

/** Reads a stream to its end, line by line. */
export class OutputLines {
  /** What was left out of the log. */
  leftOutBytes = 0;
  /** The first characters of it, for an error. */
  head = '';
  readonly #stream: Readable;
  readonly #headMax: number;
  readonly #onLine: (text: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  readonly #limit = new TokenBucket({ rate: LINES_PER_SECOND, perNs: 1e9 });
  #taken = 0;
  #rest = '';
  #unpaused = 0;
  #pause: NodeJS.Timeout | undefined;

  constructor(stream: Readable, headMax: number, onLine: (text: string) => void) {
    this.#stream = stream;
    this.#headMax = headMax;
    this.#onLine = onLine;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('close', () => clearTimeout(this.#pause));
    // A pipe that breaks has ended; the program's own end says why.
    stream.on('error', () => {});
  }

  /** Gives the last line, which may have had no end. */
  finish(): void {
    this.#add(this.#decoder.end());
    if (this.#rest !== '') this.#tell(this.#rest);
    this.#rest = '';
  }

  #take(chunk: Buffer): void {
    const room = OUTPUT_MAX - this.#taken;
    const kept = chunk.subarray(0, room);
    this.#taken += kept.length;
    if (kept.length > 0) this.#add(this.#decoder.write(kept));
    const over = chunk.length - kept.length;
    this.leftOutBytes += over;
    this.#unpaused += over;
    if (this.#unpaused < FLOOD_BYTES) return;
    this.#unpaused = 0;
    this.#stream.pause();
    this.#pause = setTimeout(() => this.#stream.resume(), FLOOD_PAUSE_MS);
  }

  #add(text: string): void {
    if (this.head.length < this.#headMax) this.head = (this.head + text).slice(0, this.#headMax);
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#tell(line);
    while (this.#rest.length > LINE_MAX) {
      this.#tell(this.#rest.slice(0, LINE_MAX));
      this.#rest = this.#rest.slice(LINE_MAX);
    }
  }

  #tell(line: string): void {
    const text = line.trimEnd();
    if (text === '') return;
    if (this.#limit.take(performance.now() * 1e6)) this.#onLine(text);
    else this.leftOutBytes += Buffer.byteLength(line) + 1;
  }
}
