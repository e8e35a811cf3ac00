// `lines`: the lines that the daemon holds, by name.

import { z } from 'zod';
import type { LineSpec } from '../config.js';
import type { ConfigPath } from '../errors.js';
import type { Rules } from '../rules.js';
import { duration, keys, name } from '../values.js';
import { buildStormGuard, checkStormGuard, type StormGuardInput, stormGuardSchema } from './storm-guard.js';

/** Highest GPIO of a Pi's header chip (BCM2835, BCM2711 and RP1 have 54 lines each). */
const HEADER_LAST = 53;
/** Highest offset accepted on any other chip; the chip itself says the rest. */
const OTHER_LAST = 1023;
/** Lines in one request (GPIO_V2_LINES_MAX). */
const LINES_MAX = 64;

/** A line of a chip. */
export const lineSchema = keys({
  gpio: z
    .int()
    .min(0)
    .max(OTHER_LAST)
    .describe('Number of the line on its chip; on the header the GPIO number, not the pin.'),
  chip: name
    .optional()
    .describe("Chip that the line is on, by its name under `chips`; the file's `chip` when left out."),
  direction: z.enum(['in', 'out']).default('in').describe('Input or output.'),
  edge: z
    .enum(['none', 'rising', 'falling', 'both'])
    .optional()
    .describe('Edges of an input that are reported, after `active` was applied.')
    .meta({ default: 'none' }),
  bias: z.enum(['as-is', 'disabled', 'pull-up', 'pull-down']).default('as-is').describe('Resistor inside the chip.'),
  active: z.enum(['low', 'high']).default('high').describe('The voltage that counts as 1.'),
  // The kernel takes microseconds in 32 bits.
  debounce: duration(0, 0xffff_ffff * 1000, 1000)
    .optional()
    .describe('How long an input must be still until a change counts, in whole microseconds.')
    .meta({ default: '0s', examples: ['5ms'] }),
  initial: z
    .literal([0, 1, 'keep'])
    .optional()
    .describe('What an output starts with; `keep` for the level that it has.')
    .meta({ default: 0 }),
  drive: z
    .enum(['push-pull', 'open-drain', 'open-source'])
    .optional()
    .describe('How an output drives its wire.')
    .meta({ default: 'push-pull' }),
  storm_guard: stormGuardSchema.optional().describe("Limits of this line, in place of the file's."),
}).describe('A line that the daemon holds.');

/** A checked line. */
export type LineInput = z.output<typeof lineSchema>;

/** Who has which GPIO, and what goes with which direction. */
export function checkLines(rules: Rules): void {
  const { lines } = rules.pieces;
  if (lines === undefined) return;
  if (lines.size === 0) {
    const hint = 'define at least one, such as button1: { gpio: 17 }';
    rules.add('CONFIG_MISSING', ['lines'], 'no line at all', hint);
  }
  const perChip = new Map<string, number>();
  const owners = new Map<string, ConfigPath>();
  for (const { path, input } of lines.values()) {
    if (input === undefined) continue;
    checkDirection(rules, input, path);
    checkGuard(rules, input, path);
    checkRange(rules, input, path);
    const chip = input.chip ?? '';
    const count = (perChip.get(chip) ?? 0) + 1;
    perChip.set(chip, count);
    if (count === LINES_MAX + 1) {
      const what = chip === '' ? 'more lines than one request holds' : `more lines of ${chip} than one request holds`;
      rules.add('CONFIG_RANGE', path, what, `${LINES_MAX} at most`, true);
    }
    const owner = owners.get(`${chip} ${input.gpio}`);
    if (owner === undefined) owners.set(`${chip} ${input.gpio}`, path);
    else {
      const message = `GPIO${input.gpio} is already ${rules.where(owner)}`;
      rules.add('CONFIG_DUPLICATE', [...path, 'gpio'], message, 'one line a GPIO');
    }
  }
}

function checkRange(rules: Rules, { chip, gpio }: LineInput, path: ConfigPath): void {
  const { chips, chip: fileChip } = rules.pieces;
  const text = chip === undefined ? fileChip : rules.lookUp(chips, chip, [...path, 'chip'], 'chip');
  const header = text === 'auto' || /^label:pinctrl-(bcm2835|bcm2711|rp1)$/.test(text ?? '');
  if (!header || gpio <= HEADER_LAST) return;
  const hint = `0 to ${HEADER_LAST}, the GPIO number and not the pin of the header`;
  rules.add('CONFIG_RANGE', [...path, 'gpio'], `${gpio} is out of range`, hint);
}

function checkDirection(rules: Rules, line: LineInput, path: ConfigPath): void {
  const misplaced =
    line.direction === 'out'
      ? { keys: ['edge', 'debounce'] as const, only: 'an input', write: 'in' }
      : { keys: ['initial', 'drive'] as const, only: 'an output', write: 'out' };
  for (const key of misplaced.keys) {
    const value = line[key];
    if (value === undefined || value === 'none' || (key === 'debounce' && value === 0)) continue;
    const hint = `remove it, or write direction: ${misplaced.write}`;
    rules.add('CONFIG_CONFLICT', [...path, key], `${key} is for ${misplaced.only}`, hint, true);
  }
}

function checkGuard(rules: Rules, line: LineInput, path: ConfigPath): void {
  if (line.storm_guard === undefined) return;
  const at = [...path, 'storm_guard'];
  if ((line.edge ?? 'none') === 'none') {
    rules.add('CONFIG_CONFLICT', at, 'storm_guard without edges', 'remove it, or give the line an edge', true);
  }
  checkStormGuard(rules, line.storm_guard, at);
}

/** A line. @param everyLine the file's storm guard, for lines that have none of their own */
export function buildLine(line: string, input: LineInput, everyLine: StormGuardInput | undefined): LineSpec {
  const hasEdges = (input.edge ?? 'none') !== 'none';
  return {
    name: line,
    chip: input.chip,
    gpio: input.gpio,
    direction: input.direction,
    edge: input.edge ?? 'none',
    bias: input.bias,
    drive: input.drive ?? 'push-pull',
    activeLow: input.active === 'low',
    debounceNs: input.debounce ?? 0,
    initial: input.initial ?? 0,
    stormGuard: hasEdges ? buildStormGuard(input.storm_guard ?? everyLine) : undefined,
  };
}
