// Reading recordings: JSON Lines with a line about the run, the events, and what the kernel and a user process wrote.
import { readFileSync } from 'node:fs';
import type { OracleEvent } from './events.js';

/** What is said of a recording as a whole. */
export interface Meta {
  readonly scenario: string;
  readonly kernel?: string;
  readonly config?: string;
  readonly cpus: number;
  /** False: entries that differed between runs were taken out. */
  readonly identical_in_all_runs: boolean;
}

export interface Recording {
  readonly meta: Meta;
  readonly events: readonly OracleEvent[];
  readonly kernel: readonly string[];
  /** Lines that a user process had read. */
  readonly user: readonly string[];
}

type Line = { readonly meta?: Meta; readonly kernel?: string; readonly user?: string } & Partial<OracleEvent>;

function parsed(text: string, where: string): Line {
  try {
    return JSON.parse(text) as Line;
  } catch (cause) {
    throw new Error(`${where}: not a line of JSON`, { cause });
  }
}

/** Parses the text of a recording; `name` appears in errors. */
export function parseRecording(text: string, name: string): Recording {
  const events: OracleEvent[] = [];
  const kernel: string[] = [];
  const user: string[] = [];
  let meta: Meta | undefined;
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const entry = parsed(line, `${name}:${at + 1}`);
    if (entry.meta !== undefined) meta = entry.meta;
    else if (entry.kernel !== undefined) kernel.push(entry.kernel);
    else if (entry.user !== undefined) user.push(entry.user);
    else if (entry.ev !== undefined) events.push(entry as OracleEvent);
    else throw new Error(`${name}:${at + 1}: neither an event nor text of the kernel or of a user process`);
  }
  if (meta === undefined) throw new Error(`${name}: has no line {"meta": …}`);
  return { meta, events, kernel, user };
}

export function readRecording(file: string): Recording {
  return parseRecording(readFileSync(file, 'utf8'), file);
}
