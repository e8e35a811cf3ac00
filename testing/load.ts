// A configuration for a test: from a file, or from what would stand in one.
import type { Config } from '../daemon/config/config.js';
import { formatConfigError } from '../daemon/config/errors.js';
import { loadConfig, parseConfig } from '../daemon/config/load.js';

export type { Config } from '../daemon/config/config.js';

/** Reads a configuration. @param path of the file, or where it would be. @throws an error with every mistake in it */
export function loadedConfig(source: string | Readonly<Record<string, unknown>>, path: string): Config {
  const result = typeof source === 'string' ? loadConfig(source) : parseConfig(JSON.stringify(source), path);
  if (result.ok) return result.config;
  throw new Error(result.errors.map(formatConfigError).join('\n'));
}
