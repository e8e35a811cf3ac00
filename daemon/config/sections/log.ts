// `log`: what the daemon logs, and how.

import { z } from 'zod';
import { LOG_LEVELS } from '../../log-levels.js';
import { keys } from '../values.js';

/** How lines of the log are written; `auto` is `text` on a terminal. */
export const LOG_FORMATS = ['auto', 'json', 'text'] as const;

/** The section. */
export const logSchema = keys({
  level: z.enum(LOG_LEVELS).default('info').describe('Least urgent level that is logged.'),
  format: z
    .enum(LOG_FORMATS)
    .default('auto')
    .describe('How lines are written: `auto` is `text` on a terminal and `json` elsewhere.'),
}).describe('What the daemon logs; `--log-level` on the command line goes first.');

/** What the daemon logs. */
export interface LogSpec {
  readonly level: (typeof LOG_LEVELS)[number];
  readonly format: (typeof LOG_FORMATS)[number];
}

/** The section, or what holds without one. */
export function buildLog(input: z.output<typeof logSchema> | undefined): LogSpec {
  return input ?? { level: 'info', format: 'auto' };
}
