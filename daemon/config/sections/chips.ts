// `driver`, `chip`, `chips`: which hardware the lines are on.

import { z } from 'zod';
import { type ChipChoice, DRIVERS } from '../config.js';
import type { ConfigPath } from '../errors.js';
import type { Rules } from '../rules.js';
import { matching } from '../values.js';

/** Which driver to use. */
export const driverSchema = z
  .enum(DRIVERS)
  .default('auto')
  .describe('Which driver to use. `auto` takes hardware where there is some and simulates only where there is none.');

/** The chip of lines that name none. */
export const chipSchema = matching(
  /^(auto|gpiochip\d{1,4}|label:[\x21-\x7e]{1,31})$/,
  'write auto, gpiochip0, or label:pinctrl-rp1',
)
  .default('auto')
  .describe('Chip of the lines that name none: the one behind the header, one by name, or one by label.')
  .meta({ examples: ['gpiochip0', 'label:pinctrl-rp1'] });

/** One more chip, by the name that lines call it. */
export const otherChipSchema = matching(
  /^(gpiochip\d{1,4}|label:[\x21-\x7e]{1,31})$/,
  'write gpiochip1, or label:mcp23017',
)
  .describe('A further chip: by its name, or by its label.')
  .meta({ examples: ['gpiochip2', 'label:mcp23017'] });

/** A chip besides the file's own, under the name that lines call it. */
export interface ChipSpec {
  readonly name: string;
  readonly choice: ChipChoice;
}

/** No chip under two names: its lines would be asked for twice. */
export function checkChips(rules: Rules): void {
  const owners = new Map<string, ConfigPath>();
  const { file, chips } = rules.pieces;
  if (file !== undefined) owners.set(file.chip, ['chip']);
  for (const { path, input } of chips?.values() ?? []) {
    if (input === undefined) continue;
    const owner = owners.get(input);
    if (owner !== undefined) {
      rules.add('CONFIG_DUPLICATE', path, `it is already ${rules.where(owner)}`, 'give a chip one name');
    }
    owners.set(input, path);
  }
}

/** What a text says of a chip. */
export function buildChipChoice(text: string): ChipChoice {
  if (text === 'auto') return { by: 'auto' };
  return text.startsWith('label:') ? { by: 'label', label: text.slice('label:'.length) } : { by: 'name', name: text };
}
