// Line configuration in and out of uAPI v2: checks, flags, and the grouping into at most ten attributes.
import { KernelError } from '../../kernel/errno.js';
import type { Bias, Drive, Edge, EventClock, Level, LineConfig, LineInfo } from '../../kernel/gpio/driver.js';
import type { RawLineInfo } from './addon.js';

/** enum gpio_v2_line_flag of <linux/gpio.h>, as far as this driver sets or shows them. */
export const FLAG = {
  USED: 1 << 0,
  ACTIVE_LOW: 1 << 1,
  INPUT: 1 << 2,
  OUTPUT: 1 << 3,
  EDGE_RISING: 1 << 4,
  EDGE_FALLING: 1 << 5,
  OPEN_DRAIN: 1 << 6,
  OPEN_SOURCE: 1 << 7,
  BIAS_PULL_UP: 1 << 8,
  BIAS_PULL_DOWN: 1 << 9,
  BIAS_DISABLED: 1 << 10,
  EVENT_CLOCK_REALTIME: 1 << 11,
} as const;

/** enum gpio_v2_line_attr_id. */
export const ATTRIBUTE = { FLAGS: 1, OUTPUT_VALUES: 2, DEBOUNCE: 3 } as const;

/** GPIO_V2_LINES_MAX. */
export const LINES_MAX = 64;
/** GPIO_V2_LINE_NUM_ATTRS_MAX. */
export const ATTRIBUTES_MAX = 10;
/** Entries of the largest edge FIFO: the kernel cuts a larger wish to 16 × GPIO_V2_LINES_MAX. */
export const EVENT_BUFFER_MAX = 1024;
/** Bytes of a consumer without its final NUL (GPIO_MAX_NAME_SIZE - 1). */
const CONSUMER_BYTES = 31;

const EDGE_FLAGS: Readonly<Record<Edge, number>> = {
  none: 0,
  rising: FLAG.EDGE_RISING,
  falling: FLAG.EDGE_FALLING,
  both: FLAG.EDGE_RISING | FLAG.EDGE_FALLING,
};
const BIAS_FLAGS: Readonly<Record<Bias, number>> = {
  'as-is': 0,
  disabled: FLAG.BIAS_DISABLED,
  'pull-up': FLAG.BIAS_PULL_UP,
  'pull-down': FLAG.BIAS_PULL_DOWN,
};
const DRIVE_FLAGS: Readonly<Record<Drive, number>> = {
  'push-pull': 0,
  'open-drain': FLAG.OPEN_DRAIN,
  'open-source': FLAG.OPEN_SOURCE,
};

function invalid(message: string, hint: string): KernelError {
  return new KernelError('EINVAL', message, { hint });
}

/** Checks the lines of a request against `chipLines`, the number of lines of the chip. Throws `EINVAL`. */
export function checkLines(lines: readonly LineConfig[], chipLines: number): void {
  if (lines.length < 1 || lines.length > LINES_MAX) {
    throw invalid(`a request has 1 to ${LINES_MAX} lines, not ${lines.length}`, 'split it into several requests');
  }
  const seen = new Set<number>();
  for (const line of lines) {
    checkOffset(line.offset, chipLines);
    if (seen.has(line.offset)) throw invalid(`line ${line.offset} is asked for twice`, 'name each line once');
    seen.add(line.offset);
    checkLine(line);
  }
}

/** Throws `EINVAL` when the chip has no line `offset`. */
export function checkOffset(offset: number, chipLines: number): void {
  if (!Number.isInteger(offset) || offset < 0 || offset >= chipLines) {
    throw invalid(`no line ${offset}`, `the chip has lines 0 to ${chipLines - 1}`);
  }
}

/** The combinations that gpiolib refuses (gpiolib-cdev.c), each said in words. */
function checkLine(line: LineConfig): void {
  const where = `line ${line.offset}`;
  const { edge = 'none', bias = 'as-is', drive = 'push-pull', debounceUs = 0, initial = 0 } = line;
  oneOf(line.direction, { in: 0, out: 0 }, `${where}: direction`);
  oneOf(edge, EDGE_FLAGS, `${where}: edge`);
  oneOf(bias, BIAS_FLAGS, `${where}: bias`);
  oneOf(drive, DRIVE_FLAGS, `${where}: drive`);
  oneOf(String(initial), { 0: 0, 1: 0 }, `${where}: initial`);
  if (!Number.isInteger(debounceUs) || debounceUs < 0 || debounceUs > 0xffff_ffff) {
    throw invalid(`${where}: debounceUs ${debounceUs}`, 'give whole microseconds from 0 to 4294967295');
  }
  if (line.direction === 'out') {
    if (edge !== 'none') throw invalid(`${where}: an output reports no edges`, 'make it an input or leave edge out');
    if (debounceUs !== 0) throw invalid(`${where}: an output has no debounce`, 'leave debounceUs out');
  } else if (drive !== 'push-pull') {
    throw invalid(`${where}: an input has no drive`, 'make it an output or leave drive out');
  }
}

function oneOf(value: string, allowed: Readonly<Record<string, number>>, what: string): void {
  if (!Object.hasOwn(allowed, value)) {
    throw invalid(`${what} cannot be '${value}'`, `use one of: ${Object.keys(allowed).join(', ')}`);
  }
}

/** Entries of the FIFO that the kernel makes of a wish: a power of two, because it is a kfifo. Throws `EINVAL`. */
export function eventBufferEntries(wish: number): number {
  if (!Number.isInteger(wish) || wish < 1 || wish > EVENT_BUFFER_MAX) {
    throw invalid(`eventBufferSize ${wish}`, `give a whole number from 1 to ${EVENT_BUFFER_MAX}`);
  }
  return 2 ** Math.ceil(Math.log2(wish));
}

/** Cuts `consumer` to 31 bytes, without leaving half a character at its end. */
export function cutConsumer(consumer: string): string {
  let cut = '';
  let bytes = 0;
  for (const character of consumer) {
    bytes += Buffer.byteLength(character);
    if (bytes > CONSUMER_BYTES) break;
    cut += character;
  }
  return cut;
}

function flagsOf(line: LineConfig, clock: EventClock): number {
  const edge = EDGE_FLAGS[line.edge ?? 'none'];
  let flags = edge | BIAS_FLAGS[line.bias ?? 'as-is'] | DRIVE_FLAGS[line.drive ?? 'push-pull'];
  flags |= line.direction === 'in' ? FLAG.INPUT : FLAG.OUTPUT;
  if (line.activeLow === true) flags |= FLAG.ACTIVE_LOW;
  if (clock === 'realtime' && edge !== 0) flags |= FLAG.EVENT_CLOCK_REALTIME;
  return flags;
}

/**
 * Packs lines that passed {@link checkLines} as the addon takes them: the default flags, then id, value and mask of
 * each attribute. Bit i of a mask is the i-th line. `levels` are the logical levels that outputs take, by line.
 *
 * The flags of most lines are the default and cost nothing; every further combination of flags, every debounce
 * period, and the levels of all outputs together (unless all are 0) cost one attribute each.
 *
 * @throws {KernelError} `EINVAL` when that is more than ten attributes.
 */
export function packLineConfig(
  lines: readonly LineConfig[],
  levels: readonly Level[],
  clock: EventClock,
): BigUint64Array {
  const byFlags = new Map<number, bigint>();
  const byDebounce = new Map<number, bigint>();
  const counts = new Map<number, number>();
  let high = 0n;
  let outputs = 0n;
  lines.forEach((line, i) => {
    const bit = 1n << BigInt(i);
    const flags = flagsOf(line, clock);
    byFlags.set(flags, (byFlags.get(flags) ?? 0n) | bit);
    counts.set(flags, (counts.get(flags) ?? 0) + 1);
    const debounce = line.debounceUs ?? 0;
    if (debounce !== 0) byDebounce.set(debounce, (byDebounce.get(debounce) ?? 0n) | bit);
    if (line.direction === 'out') {
      outputs |= bit;
      if (levels[i] === 1) high |= bit;
    }
  });
  let common = 0;
  for (const [flags, count] of counts) if (count > (counts.get(common) ?? 0)) common = flags;
  byFlags.delete(common);

  const words = [BigInt(common)];
  for (const [flags, mask] of byFlags) words.push(BigInt(ATTRIBUTE.FLAGS), BigInt(flags), mask);
  if (high !== 0n) words.push(BigInt(ATTRIBUTE.OUTPUT_VALUES), high, outputs);
  for (const [period, mask] of byDebounce) words.push(BigInt(ATTRIBUTE.DEBOUNCE), BigInt(period), mask);
  const attributes = (words.length - 1) / 3;
  if (attributes > ATTRIBUTES_MAX) {
    throw invalid(
      `the lines differ too much for one request: ${attributes} attributes (${byFlags.size + 1} combinations of ` +
        `flags, ${byDebounce.size} debounce periods), and the kernel takes ${ATTRIBUTES_MAX}`,
      'give lines the same debounce, bias and edge, or split them into several requests',
    );
  }
  return BigUint64Array.from(words);
}

/** The {@link LineInfo} of what the kernel says. */
export function unpackLineInfo(raw: RawLineInfo): LineInfo {
  const has = (flag: number): boolean => (raw.flags & flag) !== 0;
  const rising = has(FLAG.EDGE_RISING);
  const falling = has(FLAG.EDGE_FALLING);
  return {
    offset: raw.offset,
    name: raw.name,
    consumer: raw.consumer,
    used: has(FLAG.USED),
    direction: has(FLAG.OUTPUT) ? 'out' : 'in',
    activeLow: has(FLAG.ACTIVE_LOW),
    edge: rising && falling ? 'both' : rising ? 'rising' : falling ? 'falling' : 'none',
    bias: has(FLAG.BIAS_PULL_UP)
      ? 'pull-up'
      : has(FLAG.BIAS_PULL_DOWN)
        ? 'pull-down'
        : has(FLAG.BIAS_DISABLED)
          ? 'disabled'
          : 'as-is',
    drive: has(FLAG.OPEN_DRAIN) ? 'open-drain' : has(FLAG.OPEN_SOURCE) ? 'open-source' : 'push-pull',
    debounceUs: raw.debounceUs,
  };
}
