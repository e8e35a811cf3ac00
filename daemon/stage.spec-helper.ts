// The surroundings of a command that a test calls: what it wrote is remembered, and signals and keys are sent by hand.
import type { Surroundings } from './cli.js';
import { controlMain } from './control-commands.js';
import { type DaemonParts, daemonMain } from './daemon-commands.js';

/** What a command has answered: its exit code, and all that it wrote. */
export interface Answer {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Surroundings without an environment; no terminal unless so told. */
export class Stage implements Surroundings {
  output = '';
  errors = '';
  readonly env: Record<string, string> = {};
  readonly uid = process.getuid?.() ?? 0;
  readonly size = { columns: 60, rows: 10 };
  readonly terminal: boolean;
  readonly #signals = new Set<(signal: string) => void>();
  readonly #keys = new Set<(key: string) => void>();

  constructor(terminal = false) {
    this.terminal = terminal;
  }

  readonly out = (text: string): void => {
    this.output += text;
  };
  readonly err = (text: string): void => {
    this.errors += text;
  };
  readonly onSignal = (listener: (signal: string) => void): (() => void) => {
    this.#signals.add(listener);
    return () => this.#signals.delete(listener);
  };
  readonly onKey = (listener: (key: string) => void): (() => void) => {
    this.#keys.add(listener);
    return () => this.#keys.delete(listener);
  };

  press(key: string): void {
    for (const listener of this.#keys) listener(key);
  }

  signal(name: string): void {
    for (const listener of this.#signals) listener(name);
  }

  /** Listeners that nobody has taken back. */
  get listening(): number {
    return this.#signals.size + this.#keys.size;
  }

  answer(code: number): Answer {
    return { code, output: this.output, errors: this.errors };
  }
}

/** Parts of a daemon that must not be asked for any. */
export const NO_PARTS: DaemonParts = {
  startService: () => Promise.reject(new Error('not here')),
  detect: () => Promise.reject(new Error('not here')),
};

/** Runs `gpio-irqctl --socket SOCKET ARGS…`. */
export async function irqctl(socket: string, ...args: string[]): Promise<Answer> {
  const stage = new Stage();
  return stage.answer(await controlMain(['--socket', socket, ...args], stage));
}

/** Runs `gpio-irqd ARGS…`. */
export async function irqd(parts: DaemonParts, ...args: string[]): Promise<Answer> {
  const stage = new Stage();
  return stage.answer(await daemonMain(args, stage, parts));
}
