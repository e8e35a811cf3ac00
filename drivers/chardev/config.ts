// Line configuration in and out of uAPI v2: flags, and the grouping into at most ten attributes.
import { KernelError } from '../../kernel/errno.js';
import type { Bias, Drive, Edge, EventClock, Level, LineConfig, LineInfo } from '../../kernel/gpio/driver.js';
import type { RawLineInfo } from './addon.js';

export {
  checkLines,
  checkOffset,
  cutConsumer,
  EVENT_BUFFER_MAX,
  eventBufferEntries,
  sameLineConfig,
} from '../../kernel/gpio/line-config.js';

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

/** GPIO_V2_LINE_NUM_ATTRS_MAX. */
export const ATTRIBUTES_MAX = 10;

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

/** Whether an output keeps the level that it has. */
export function keepsLevel(line: LineConfig): boolean {
  return line.direction === 'out' && line.initial === 'keep';
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
 * `asIs`: lines without a direction, which leaves them as they are: to be read first, or since nothing of them changes.
 *
 * @throws {KernelError} `EINVAL` when that is more than ten attributes.
 */
export function packLineConfig(
  lines: readonly LineConfig[],
  levels: readonly Level[],
  clock: EventClock,
  asIs: (line: LineConfig, index: number) => boolean = () => false,
): BigUint64Array {
  const byFlags = new Map<number, bigint>();
  const byDebounce = new Map<number, bigint>();
  const counts = new Map<number, number>();
  let high = 0n;
  let outputs = 0n;
  lines.forEach((line, i) => {
    const bit = 1n << BigInt(i);
    const untouched = asIs(line, i);
    const flags = untouched ? 0 : flagsOf(line, clock);
    byFlags.set(flags, (byFlags.get(flags) ?? 0n) | bit);
    counts.set(flags, (counts.get(flags) ?? 0) + 1);
    const debounce = untouched ? 0 : (line.debounceUs ?? 0);
    if (debounce !== 0) byDebounce.set(debounce, (byDebounce.get(debounce) ?? 0n) | bit);
    if (line.direction === 'out' && !untouched) {
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
    throw new KernelError(
      'EINVAL',
      `the lines differ too much for one request: ${attributes} attributes (${byFlags.size + 1} combinations of ` +
        `flags, ${byDebounce.size} debounce periods), and the kernel takes ${ATTRIBUTES_MAX}`,
      { hint: 'give lines the same debounce, bias and edge, or split them into several requests' },
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
