// Reading a Value Change Dump (IEEE 1364, 18.2), as simulators write it and PulseView exports it, in constant memory.

/** A line of the file; its number counts from 1. */
export interface VcdLine {
  readonly text: string;
  readonly number: number;
}

/** What is in a dump, in its order: first its signals, then their changes. `line` is where it stands. */
export type VcdItem =
  | {
      readonly kind: 'signal';
      readonly id: string;
      readonly name: string;
      readonly width: number;
      readonly line: number;
    }
  | {
      readonly kind: 'change';
      readonly id: string;
      readonly atNs: number;
      /** `float` for `z` and `x`: nobody drives it, or nobody knows. */
      readonly value: 0 | 1 | 'float';
      readonly line: number;
    };

/** What is wrong with a dump, and on which line. */
export class VcdFault extends Error {
  readonly line: number;
  readonly hint: string;

  constructor(line: number, message: string, hint: string) {
    super(message);
    this.line = line;
    this.hint = hint;
  }
}

/** Most signals of a dump. */
export const VCD_SIGNALS_MAX = 4096;
const IDENTIFIER_MAX = 64;
const NAME_MAX = 200;
/** Most words of a section of the header that is read. */
const SECTION_MAX = 64;
const UNIT_NS: Readonly<Record<string, number>> = { s: 1e9, ms: 1e6, us: 1e3, ns: 1, ps: 1e-3, fs: 1e-6 };
/** The latest time that is exact. */
const LATEST_NS = Number.MAX_SAFE_INTEGER;
/** Sections whose words mean nothing here. */
const SKIPPED = new Set(['$comment', '$date', '$version', '$attrbegin', '$attrend']);
/** Words between changes that say nothing. */
const DUMPS = new Set(['$dumpvars', '$dumpall', '$dumpon', '$dumpoff', '$end']);

function printable(word: string): string {
  return JSON.stringify(word.length > 40 ? `${word.slice(0, 40)}...` : word);
}

interface Word {
  readonly text: string;
  readonly line: number;
}

function* wordsOf(lines: Iterable<VcdLine>): Generator<Word> {
  for (const { text, number } of lines) {
    for (const match of text.matchAll(/\S+/g)) yield { text: match[0], line: number };
  }
}

/** Follows the words of a dump. */
class Reader {
  readonly #words: Generator<Word>;
  readonly #known = new Map<string, number>();
  /** Signals so far; several may have one identifier. */
  #signals = 0;
  #line = 1;
  #scaleNs = 1;
  #atNs = 0;

  constructor(lines: Iterable<VcdLine>) {
    this.#words = wordsOf(lines);
  }

  *items(): Generator<VcdItem> {
    yield* this.#header();
    for (let word = this.#next(); word !== undefined; word = this.#next()) {
      const item = this.#body(word);
      if (item !== undefined) yield item;
    }
  }

  *#header(): Generator<VcdItem> {
    for (let word = this.#next(); word !== undefined; word = this.#next()) {
      if (word === '$enddefinitions') {
        this.#section();
        if (this.#known.size === 0) throw this.#fault('the dump has no signals', 'is it a VCD file?');
        return;
      }
      if (word === '$timescale') this.#timescale(this.#section());
      else if (word === '$var') yield this.#signal(this.#section());
      else if (SKIPPED.has(word)) this.#skip();
      else if (word.startsWith('$')) this.#section();
      else throw this.#fault(`${printable(word)} in the header`, 'is it a VCD file?');
    }
    throw this.#fault('the header does not end', 'is it a VCD file? `$enddefinitions $end` is missing');
  }

  /** The words up to `$end`. */
  #section(): string[] {
    const words: string[] = [];
    for (let word = this.#next(); word !== '$end'; word = this.#next()) {
      if (word === undefined) throw this.#fault('a section does not end', '`$end` is missing');
      if (words.push(word) > SECTION_MAX) throw this.#fault('a section is too long', `at most ${SECTION_MAX} words`);
    }
    return words;
  }

  #skip(): void {
    for (let word = this.#next(); word !== '$end'; word = this.#next()) {
      if (word === undefined) throw this.#fault('a section does not end', '`$end` is missing');
    }
  }

  #timescale(words: readonly string[]): void {
    const [, number, unit = ''] = /^(1|10|100)(s|ms|us|ns|ps|fs)$/.exec(words.join('')) ?? [];
    const scale = UNIT_NS[unit];
    if (number === undefined || scale === undefined) {
      throw this.#fault(
        `the timescale ${printable(words.join(' '))}`,
        'write 1, 10 or 100, and s, ms, us, ns, ps or fs',
      );
    }
    this.#scaleNs = Number(number) * scale;
  }

  #signal([type = '', size = '', id = '', name = '']: readonly string[]): VcdItem {
    const width = Number(size);
    if (name === '' || !Number.isInteger(width) || width < 0) {
      throw this.#fault(`a signal as ${printable(`${type} ${size} ${id}`)}`, '`$var wire 1 ! name $end`');
    }
    if (id.length > IDENTIFIER_MAX || name.length > NAME_MAX)
      throw this.#fault('the name of a signal is too long', 'shorten it');
    if (this.#signals++ >= VCD_SIGNALS_MAX) throw this.#fault('too many signals', `at most ${VCD_SIGNALS_MAX}`);
    this.#known.set(id, width);
    return { kind: 'signal', id, name, width, line: this.#line };
  }

  #body(word: string): VcdItem | undefined {
    const [first = ''] = word;
    if (first === '#') {
      this.#time(word.slice(1));
      return undefined;
    }
    if (word === '$comment') {
      this.#skip();
      return undefined;
    }
    if (DUMPS.has(word)) return undefined;
    if (/^[01xzXZ]$/.test(first)) return this.#change(first, word.slice(1));
    if (/^[bBrRsS]$/.test(first)) return this.#vector(word);
    throw this.#fault(`${printable(word)} among the changes`, 'write a time (#1000) or a change (1!)');
  }

  /** A value of many bits, of which one is of use; reals and texts are not. */
  #vector(word: string): VcdItem | undefined {
    const id = this.#next();
    if (id === undefined) throw this.#fault(`${printable(word)} without its signal`, 'the file is cut off');
    const [kind = ''] = word;
    if ((kind === 'b' || kind === 'B') && this.#known.get(id) === 1) return this.#change(word.slice(-1), id);
    if (!this.#known.has(id)) throw this.#unknown(id);
    return undefined;
  }

  #change(value: string, id: string): VcdItem {
    if (!this.#known.has(id)) throw this.#unknown(id);
    const level = value === '0' ? 0 : value === '1' ? 1 : 'float';
    return { kind: 'change', id, atNs: this.#atNs, value: level, line: this.#line };
  }

  #time(text: string): void {
    const ns = /^\d{1,20}$/.test(text) ? Math.floor(Number(text) * this.#scaleNs) : Number.NaN;
    if (!(ns <= LATEST_NS))
      throw this.#fault(`the time ${printable(`#${text}`)}`, 'write a whole number, 104 days at most');
    if (ns < this.#atNs) throw this.#fault('time goes back', 'times rise in a VCD file');
    this.#atNs = ns;
  }

  #unknown(id: string): VcdFault {
    return this.#fault(`a change of ${printable(id)}, which is no signal`, 'the header has no $var for it');
  }

  #next(): string | undefined {
    const { value, done } = this.#words.next();
    if (done === true) return undefined;
    this.#line = value.line;
    return value.text;
  }

  #fault(message: string, hint: string): VcdFault {
    return new VcdFault(this.#line, message, hint);
  }
}

/** Reads a dump. What is not of one bit is left out. @throws {@link VcdFault} */
export function readVcd(lines: Iterable<VcdLine>): Generator<VcdItem> {
  return new Reader(lines).items();
}
