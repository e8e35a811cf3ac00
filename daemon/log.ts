// Logs: lines for people on a terminal, JSON with journald's priorities everywhere else.

import { createRequire } from 'node:module';
import { type Logger, type LoggerOptions, pino, stdSerializers, stdTimeFunctions, symbols } from 'pino';
import type { LogLevel } from './log-levels.js';
import { withoutSecrets } from './security/redact.js';

/** Where log lines go: process.stdout, or a collector in tests. */
export interface LogOutput {
  write(text: string): unknown;
}

/** What {@link createLogger} needs. */
export interface LogSettings {
  /** Default `info`. */
  readonly level?: LogLevel;
  readonly output: LogOutput;
  /** True for lines that people read. */
  readonly terminal: boolean;
  /** Leaves out journald's priorities: each line is JSON and nothing else. */
  readonly bare?: boolean;
}

/** Priorities of syslog(3) for pino's levels; journald reads them from the `<N>` in front of a line (sd-daemon(3)). */
function priority(level: number): number {
  if (level >= 60) return 2;
  if (level >= 50) return 3;
  if (level >= 40) return 4;
  return level >= 30 ? 6 : 7;
}

/** Puts the priority in front of each line; pino leaves the level of the line on its stream. */
class JournalStream {
  readonly [symbols.needsMetadataGsym] = true;
  lastLevel = 30;
  readonly #output: LogOutput;

  constructor(output: LogOutput) {
    this.#output = output;
  }

  write(line: string): void {
    this.#output.write(`<${priority(this.lastLevel)}>${line}`);
  }
}

/** Makes the logger of the daemon. Lines are written at once, in this thread: none is lost when the process ends. */
export function createLogger(settings: LogSettings): Logger {
  const { level = 'info', output, terminal, bare = false } = settings;
  const options: LoggerOptions = {
    level,
    base: null,
    formatters: { level: (label) => ({ level: label }), log: withoutSecrets },
    // An error of a library may carry what it was called with.
    serializers: { err: (error: Error) => withoutSecrets(stdSerializers.err(error)) },
    timestamp: stdTimeFunctions.isoTime,
  };
  if (!terminal) return pino(options, bare ? { write: (line) => void output.write(line) } : new JournalStream(output));
  // Loaded here: the service, which nobody watches on a terminal, starts sooner without it.
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty');
  const write = prettyFactory({ colorize: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' });
  return pino(options, { write: (line) => void output.write(write(line)) });
}
