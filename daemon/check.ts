// `gpio-irqd check`: what is wrong with a configuration, and what is suspicious in it, each with its line of the file.

import { EXIT, type Surroundings } from './cli.js';
import type { Config } from './config/config.js';
import { type ConfigNote, formatConfigError, formatConfigWarning } from './config/errors.js';
import { formatExcerpt } from './config/excerpt.js';
import { type ConfigResult, type ConfigTexts, loadConfig } from './config/load.js';

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function summary(config: Config, texts: ConfigTexts): string {
  const parts = [countOf(config.lines.length, 'line'), countOf(config.interrupts.length, 'interrupt')];
  if (texts.size > 1) parts.push(countOf(texts.size, 'file'));
  return parts.join(', ');
}

function print<N extends ConfigNote>(notes: readonly N[], format: (note: N) => string, texts: ConfigTexts): string {
  return notes.map((note) => `${format(note)}\n${formatExcerpt(note, texts.get(note.file))}`).join('');
}

function toText(file: string, result: ConfigResult): string {
  if (!result.ok) return print(result.errors, formatConfigError, result.texts);
  const { config, warnings, texts } = result;
  return `${print(warnings, formatConfigWarning, texts)}${file}: ok (${summary(config, texts)})\n`;
}

function toJson(file: string, result: ConfigResult): string {
  const files = [...result.texts.keys()];
  const what = result.ok
    ? { ok: true, file, files, warnings: result.warnings }
    : { ok: false, file, files, errors: result.errors };
  return `${JSON.stringify(what)}\n`;
}

/** Checks a file and says what was found. @returns the exit code: that of wrong use when something is wrong; warnings are none. */
export function check(file: string, json: boolean, io: Surroundings): number {
  const result = loadConfig(file, { trusted: true });
  io.out(json ? toJson(file, result) : toText(file, result));
  return result.ok ? EXIT.done : EXIT.usage;
}
