// What any driver checks of a line request before it asks hardware: offsets, combinations, sizes, the consumer's length.
import { KernelError } from '../errno.js';
import type { Bias, Drive, Edge, InitialLevel, LineConfig } from './driver.js';

/** Most lines of one request (GPIO_V2_LINES_MAX). */
export const LINES_MAX = 64;
/** Entries of the largest edge FIFO: the kernel cuts a larger wish to 16 × GPIO_V2_LINES_MAX. */
export const EVENT_BUFFER_MAX = 1024;
/** Bytes of a consumer without its final NUL (GPIO_MAX_NAME_SIZE - 1). */
const CONSUMER_BYTES = 31;
const DEBOUNCE_MAX_US = 0xffff_ffff;

const DIRECTIONS: readonly LineConfig['direction'][] = ['in', 'out'];
const EDGES: readonly Edge[] = ['none', 'rising', 'falling', 'both'];
const BIASES: readonly Bias[] = ['as-is', 'disabled', 'pull-up', 'pull-down'];
const DRIVES: readonly Drive[] = ['push-pull', 'open-drain', 'open-source'];
const INITIAL_LEVELS: readonly InitialLevel[] = [0, 1, 'keep'];

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
  oneOf(line.direction, DIRECTIONS, `${where}: direction`);
  oneOf(edge, EDGES, `${where}: edge`);
  oneOf(bias, BIASES, `${where}: bias`);
  oneOf(drive, DRIVES, `${where}: drive`);
  oneOf(initial, INITIAL_LEVELS, `${where}: initial`);
  if (!Number.isInteger(debounceUs) || debounceUs < 0 || debounceUs > DEBOUNCE_MAX_US) {
    throw invalid(`${where}: debounceUs ${debounceUs}`, `give whole microseconds from 0 to ${DEBOUNCE_MAX_US}`);
  }
  if (line.direction === 'out') {
    if (edge !== 'none') throw invalid(`${where}: an output reports no edges`, 'make it an input or leave edge out');
    if (debounceUs !== 0) throw invalid(`${where}: an output has no debounce`, 'leave debounceUs out');
  } else if (drive !== 'push-pull') {
    throw invalid(`${where}: an input has no drive`, 'make it an output or leave drive out');
  }
}

function oneOf<T>(value: T, allowed: readonly T[], what: string): void {
  if (!allowed.includes(value)) {
    throw invalid(`${what} cannot be '${String(value)}'`, `use one of: ${allowed.join(', ')}`);
  }
}

/** Entries of the FIFO that the kernel makes of a wish: a power of two, because it is a kfifo. Throws `EINVAL`. */
export function eventBufferEntries(wish: number): number {
  if (!Number.isInteger(wish) || wish < 1 || wish > EVENT_BUFFER_MAX) {
    throw invalid(`eventBufferSize ${wish}`, `give a whole number from 1 to ${EVENT_BUFFER_MAX}`);
  }
  return 2 ** Math.ceil(Math.log2(wish));
}

/**
 * The configurations of a reconfiguration in the order of the request's `offsets`. Throws `EINVAL` unless they are for
 * exactly these lines. `lines` have passed {@link checkLines}.
 */
export function linesInOrder(offsets: readonly number[], lines: readonly LineConfig[]): LineConfig[] {
  const byOffset = new Map(lines.map((line) => [line.offset, line]));
  const ordered: LineConfig[] = [];
  for (const offset of offsets) {
    const line = byOffset.get(offset);
    if (line !== undefined) ordered.push({ ...line });
  }
  if (ordered.length !== offsets.length || lines.length !== offsets.length) {
    throw invalid(
      `reconfigure: the request has lines ${offsets.join(', ')}`,
      'give a configuration for exactly these lines',
    );
  }
  return ordered;
}

/** Cuts `consumer` to 31 bytes of UTF-8, without leaving half a character at its end. */
export function cutConsumer(consumer: string): string {
  let cut = '';
  let bytes = 0;
  for (const character of consumer) {
    bytes += utf8Bytes(character.codePointAt(0) ?? 0);
    if (bytes > CONSUMER_BYTES) break;
    cut += character;
  }
  return cut;
}

/** Half a surrogate pair is written as U+FFFD, which has three bytes as it would have itself. */
function utf8Bytes(codePoint: number): 1 | 2 | 3 | 4 {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x1_0000 ? 3 : 4;
}

/** Whether the hardware has nothing to do to get from one to the other: `initial` is over once a line is held. */
export function sameLineConfig(a: LineConfig, b: LineConfig): boolean {
  return (
    a.direction === b.direction &&
    (a.edge ?? 'none') === (b.edge ?? 'none') &&
    (a.bias ?? 'as-is') === (b.bias ?? 'as-is') &&
    (a.drive ?? 'push-pull') === (b.drive ?? 'push-pull') &&
    (a.activeLow ?? false) === (b.activeLow ?? false) &&
    (a.debounceUs ?? 0) === (b.debounceUs ?? 0)
  );
}
