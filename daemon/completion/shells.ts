// The scripts by shell, and where a user puts them.

import type { Command } from 'commander';
import { bashCompletion } from './bash.js';
import { fishCompletion } from './fish.js';
import { programSpec } from './spec.js';
import { zshCompletion } from './zsh.js';

const WRITERS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** A shell that can be completed in. */
export type Shell = keyof typeof WRITERS;

/** Their names. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const satisfies readonly Shell[];

/** The script for a program. */
export function completionScript(shell: Shell, program: Command): string {
  return WRITERS[shell](programSpec(program));
}
