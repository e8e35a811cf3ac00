// The ways to debounce, as the examples show them, and what is known of each in a scene.
import { fileURLToPath } from 'node:url';
import type { Config } from '../../daemon/config/config.js';
import { loadConfig } from '../../daemon/config/load.js';

/** A configuration of examples/debounce/. */
export interface Way {
  readonly name: string;
  readonly file: string;
  /** In place of the debounce that the file asks of the kernel. */
  readonly debounceNs?: number;
}

export const WAYS: readonly Way[] = [
  { name: 'none', file: 'kernel.yaml', debounceNs: 0 },
  { name: 'kernel, 5 ms', file: 'kernel.yaml', debounceNs: 5_000_000 },
  { name: 'kernel, 20 ms', file: 'kernel.yaml' },
  { name: 'timestamps, 50 ms', file: 'timestamps.yaml' },
  { name: 'delayed work, 20 ms', file: 'delayed-work.yaml' },
];

/** Of the repository: this file is compiled into build/bench/bench/debounce/, or run as it is. */
const EXAMPLES = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../examples/debounce/' : '../../../../examples/debounce/',
    import.meta.url,
  ),
);

/** What the daemon makes of the file. */
export function configOf(way: Way): { readonly config: Config; readonly configPath: string } {
  const configPath = `${EXAMPLES}${way.file}`;
  const result = loadConfig(configPath);
  if (!result.ok) throw new Error(`${configPath}: ${result.errors.map(({ message }) => message).join('; ')}`);
  const { debounceNs } = way;
  if (debounceNs === undefined) return { config: result.config, configPath };
  const lines = result.config.lines.map((line) => ({ ...line, debounceNs }));
  return { config: { ...result.config, lines }, configPath };
}

/** The text that every example logs at a press. */
export const PRESSED = 'pressed';
