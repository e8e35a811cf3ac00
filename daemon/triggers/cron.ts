// Cron expressions, by croner: loaded when a configuration has one, and without waiting, as configurations are read so.
import { createRequire } from 'node:module';
import type { Cron } from 'croner';

type Library = { readonly Cron: typeof Cron };

let library: Library | undefined;

function cron(expression: string, timezone: string | undefined): Cron {
  library ??= createRequire(import.meta.url)('croner') as Library;
  const zone = timezone === undefined ? {} : { timezone };
  return new library.Cron(expression, { paused: true, ...zone });
}

/** What is wrong with an expression or its time zone; undefined when both are right and the expression has a next time. */
export function cronFault(expression: string, timezone?: string): string | undefined {
  try {
    const next = cron(expression, timezone).nextRun();
    return next === null ? 'it never comes' : undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.replace(/^CronPattern: /, '').replace(/\.$/, '');
  }
}

/** Gives the times of an expression, in ms since 1970. @returns a function that gives the next one after `ms`; undefined when there is none */
export function cronTimes(expression: string, timezone?: string): (ms: number) => number | undefined {
  const times = cron(expression, timezone);
  return (ms) => times.nextRun(new Date(ms))?.getTime();
}
