// Masks of CPUs as text: hex as in smp_affinity, lists as in smp_affinity_list (lib/bitmap-str.c, include/linux/cpumask.h).
import { KernelError } from '../errno.js';

const NIBBLE = 4;
const DIGITS_PER_CHUNK = 8;
const UINT_MAX = 0xffff_ffff;

/** Mask of CPUs 0 to `count - 1`. */
export function cpumaskAll(count: number): number {
  return (1 << count) - 1;
}

/** The CPU of a mask that follows `cpu` among `count` CPUs, the first one behind the last; `cpu` for an empty mask (cpumask_next_wrap). */
export function cpumaskNextWrap(cpu: number, mask: number, count: number): number {
  for (let step = 1; step <= count; step++) {
    const next = (cpu + step) % count;
    if ((mask & (1 << next)) !== 0) return next;
  }
  return cpu;
}

/** A mask in hexadecimal, as wide as `bits` needs (`%*pb`). */
export function cpumaskPr(mask: number, bits: number): string {
  return mask.toString(16).padStart(Math.ceil(bits / NIBBLE), '0');
}

/** A mask as a list such as `0-2,5` (`%*pbl`); empty for none. */
export function cpulistPr(mask: number): string {
  const runs: string[] = [];
  let rest = mask;
  for (let cpu = 0; rest !== 0; cpu++, rest >>>= 1) {
    if ((rest & 1) === 0) continue;
    const first = cpu;
    for (; (rest & 2) !== 0; rest >>>= 1) cpu++;
    runs.push(first === cpu ? String(cpu) : `${first}-${cpu}`);
  }
  return runs.join(',');
}

function isSeparator(char: string | undefined): boolean {
  return char !== undefined && /[\s,]/.test(char);
}

function isEnd(char: string | undefined): boolean {
  return char === undefined || char === '\n' || char === '\0';
}

function hexDigit(char: string | undefined): number {
  return char !== undefined && /[0-9a-f]/i.test(char) ? Number.parseInt(char, 16) : -1;
}

/**
 * Reads a mask in hexadecimal, at most 32 bits of it (bitmap_parse): blanks and commas around it are left out, nothing at
 * all is an empty mask.
 *
 * @throws KernelError EINVAL (not hexadecimal), EOVERFLOW (a second group of 32 bits, or a CPU from `bits` on)
 */
export function cpumaskParse(text: string, bits: number): number {
  const [line = ''] = text.split(/[\n\0]/, 1);
  const behind = (at: number): number => {
    let end = at;
    while (end >= 0 && isSeparator(line[end])) end--;
    return end;
  };
  let end = behind(line.length - 1);
  if (end < 0) return 0;
  let mask = 0;
  for (let digit = 0; ; digit++) {
    const value = hexDigit(line[end]);
    if (digit === DIGITS_PER_CHUNK) {
      if (value >= 0) throw overflow(line, bits);
      // The kernel does not look at what stands before eight digits.
      end--;
      break;
    }
    if (value < 0) throw new KernelError('EINVAL', `'${line}' is not a mask in hexadecimal`);
    mask += value * 16 ** digit;
    end--;
    if (end < 0 || isSeparator(line[end])) break;
  }
  if (behind(end) >= 0 || mask >= 2 ** bits) throw overflow(line, bits);
  return mask;
}

function overflow(text: string, bits: number): KernelError {
  return new KernelError('EOVERFLOW', `mask '${text}' has bits beyond CPU ${bits - 1}`);
}

/** Position in a list, and what is read from there. */
class ListReader {
  readonly #text: string;
  readonly #last: number;
  at = 0;

  constructor(text: string, last: number) {
    this.#text = text;
    this.#last = last;
  }

  get next(): string | undefined {
    return this.#text[this.at];
  }

  get endOfRegion(): boolean {
    return isEnd(this.next) || isSeparator(this.next);
  }

  /** On to the next region; false when there is none. */
  findRegion(): boolean {
    while (isSeparator(this.next)) this.at++;
    return !isEnd(this.next);
  }

  invalid(): KernelError {
    return new KernelError('EINVAL', `'${this.#text.trimEnd()}' is not a list of CPUs`, {
      hint: 'a list looks like 0,2-3 or 0-7:1/2',
    });
  }

  expect(char: string): void {
    if (this.next !== char) throw this.invalid();
    this.at++;
  }

  /** A number, or `N` for the last CPU. */
  number(): number {
    if (this.next === 'N') {
      this.at++;
      return this.#last;
    }
    const [digits = ''] = /^\d*/.exec(this.#text.slice(this.at)) ?? [];
    if (digits === '') throw this.invalid();
    this.at += digits.length;
    const value = Number(digits);
    if (value > UINT_MAX) throw new KernelError('EOVERFLOW', `CPU ${digits}: too large a number`);
    return value;
  }

  all(): boolean {
    if (this.#text.slice(this.at, this.at + 3).toLowerCase() !== 'all') return false;
    this.at += 3;
    return true;
  }
}

/** CPUs `first` to `last`; of each `group` of them the first `used`. */
interface Region {
  readonly first: number;
  readonly last: number;
  readonly used: number;
  readonly group: number;
}

function readRegion(reader: ListReader, lastCpu: number): Region {
  let first = 0;
  let last = lastCpu;
  if (!reader.all()) {
    first = reader.number();
    if (reader.endOfRegion) return { first, last: first, used: first + 1, group: first + 1 };
    reader.expect('-');
    last = reader.number();
  }
  if (reader.endOfRegion) return { first, last, used: last + 1, group: last + 1 };
  reader.expect(':');
  const used = reader.number();
  reader.expect('/');
  return { first, last, used, group: reader.number() };
}

/**
 * Reads a list of CPUs such as `0,2-3`, `all`, `0-N` or `0-7:1/2`, the first of every two (bitmap_parselist).
 *
 * @throws KernelError EINVAL (not a list), ERANGE (a CPU from `bits` on), EOVERFLOW (a number of more than 32 bits)
 */
export function cpulistParse(text: string, bits: number): number {
  const reader = new ListReader(text, bits - 1);
  let mask = 0;
  while (reader.findRegion()) {
    const { first, last, used, group } = readRegion(reader, bits - 1);
    if (first > last || group === 0 || used > group) throw reader.invalid();
    if (last >= bits) throw new KernelError('ERANGE', `CPU ${last}: there are 0 to ${bits - 1}`);
    for (let cpu = first; cpu <= last; cpu++) if ((cpu - first) % group < used) mask |= 1 << cpu;
    if (isEnd(reader.next)) break;
  }
  return mask;
}
