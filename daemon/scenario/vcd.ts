// Captures of a logic analyser as scenarios: the signals that are lines of the configuration, with the levels of their wires.
import { findLine, readVcd, type StageLine, type Step, VcdFault, type VcdItem } from '../../sim-fallback/index.js';
import type { Config } from '../config/config.js';
import { type ConfigError, type ConfigErrorCode, describe, printable } from '../config/errors.js';
import { toError } from '../config/load.js';
import { LONGEST_NS } from './schema.js';
import { openFault, TextFault, textLines } from './text-lines.js';

/** Which signal is which line, where their names differ: by the name of the signal. */
export type SignalMap = ReadonlyMap<string, string>;

/** A capture whose signals have been found, or what is wrong with it. */
export type VcdSource =
  | { readonly steps: Iterable<Step>; readonly endNs: number }
  | { readonly errors: readonly ConfigError[] };

/** Names that are listed when none is right. */
const LISTED = 16;

function error(file: string, line: number, code: ConfigErrorCode, message: string, hint: string): ConfigError {
  return toError({ code, path: [], message, hint }, file, { line, column: 1 });
}

/** The items of a file; what cannot be read is a {@link VcdFault}. */
function* items(file: string): Generator<VcdItem> {
  try {
    yield* readVcd(textLines(file));
  } catch (thrown) {
    if (thrown instanceof TextFault) throw new VcdFault(thrown.line, thrown.message, thrown.hint);
    if (thrown instanceof Error && 'code' in thrown) throw new VcdFault(1, openFault(thrown, file), 'check the path');
    throw thrown;
  }
}

/** The lines of signals, by their identifiers; a line is taken by the first signal of its name. */
class Signals {
  readonly names: string[] = [];
  readonly #lines: ReadonlyMap<string, StageLine>;
  readonly #map: SignalMap;
  /** Lines that the daemon drives: what a capture has of them is what came of it, not what is done to it. */
  readonly #outputs: ReadonlySet<number>;
  /** Several, where signals of a capture are the same wire. */
  readonly #byId = new Map<string, { readonly line: string; readonly activeLow: boolean }[]>();
  readonly #taken = new Set<string>();

  constructor(config: Pick<Config, 'lines'>, map: SignalMap) {
    this.#lines = new Map(config.lines.map(({ name, gpio, activeLow }) => [name, { gpio, activeLow }]));
    this.#map = map;
    this.#outputs = new Set(config.lines.filter(({ direction }) => direction === 'out').map(({ gpio }) => gpio));
  }

  get found(): boolean {
    return this.#byId.size > 0;
  }

  add(item: VcdItem & { readonly kind: 'signal' }): void {
    if (item.width !== 1) return;
    this.names.push(item.name);
    const line = this.#map.get(item.name) ?? item.name;
    const found = findLine(this.#lines, line);
    if (found === undefined || this.#taken.has(line)) return;
    if (this.#outputs.has(found.gpio) && !this.#map.has(item.name)) return;
    this.#taken.add(line);
    const own = { line, activeLow: found.activeLow };
    const others = this.#byId.get(item.id);
    if (others === undefined) this.#byId.set(item.id, [own]);
    else others.push(own);
  }

  /** Signals that were to be lines and are not there. */
  missing(): string[] {
    return [...this.#map.keys()].filter((name) => !this.names.includes(name));
  }

  /** Why a signal cannot be the line that it was to be, if it cannot. */
  refusal(): { readonly message: string; readonly hint: string } | undefined {
    const mapped = new Set<string>();
    for (const [signal, line] of this.#map) {
      if (findLine(this.#lines, line) === undefined) {
        const known = [...this.#lines.keys()].slice(0, LISTED).join(', ');
        return { message: `--map ${printable(signal)}=${printable(line)}: no such line`, hint: `there are ${known}` };
      }
      if (mapped.has(line))
        return { message: `two signals are to be ${printable(line)}`, hint: 'take one of them away' };
      mapped.add(line);
    }
    return undefined;
  }

  *steps({ id, atNs, value }: VcdItem & { readonly kind: 'change' }): Generator<Step> {
    for (const { line, activeLow } of this.#byId.get(id) ?? []) {
      const logical = value === 'float' || !activeLow ? value : value === 1 ? 0 : 1;
      yield { atNs, action: { kind: 'level', line, value: logical } };
    }
  }
}

function* stepsOf(file: string, config: Pick<Config, 'lines'>, map: SignalMap): Generator<Step> {
  const signals = new Signals(config, map);
  for (const item of items(file)) {
    if (item.kind === 'signal') signals.add(item);
    else yield* signals.steps(item);
  }
}

/** Reads a capture once, to see what is wrong with it. Never throws. */
export function openVcd(file: string, config: Pick<Config, 'lines'>, map: SignalMap): VcdSource {
  const signals = new Signals(config, map);
  let endNs = 0;
  try {
    for (const item of items(file)) {
      if (item.kind === 'signal') signals.add(item);
      else endNs = item.atNs;
      if (endNs > LONGEST_NS) throw new VcdFault(item.line, 'the capture is too long', 'at most 30 days');
    }
  } catch (thrown) {
    if (!(thrown instanceof VcdFault)) throw thrown;
    return { errors: [error(file, thrown.line, 'CONFIG_SYNTAX', thrown.message, thrown.hint)] };
  }
  const [missing] = signals.missing();
  const listed = signals.names
    .slice(0, LISTED)
    .map((name) => printable(name))
    .join(', ');
  if (missing !== undefined) {
    return { errors: [error(file, 1, 'CONFIG_REFERENCE', `no signal ${describe(missing)}`, `there are ${listed}`)] };
  }
  const refusal = signals.refusal();
  if (refusal !== undefined) return { errors: [error(file, 1, 'CONFIG_REFERENCE', refusal.message, refusal.hint)] };
  if (!signals.found) {
    const hint = `the signals are ${listed}; say which is which line: --map ${printable(signals.names[0] ?? 'D0')}=LINE`;
    return { errors: [error(file, 1, 'CONFIG_REFERENCE', 'no signal has the name of a line', hint)] };
  }
  return { steps: { [Symbol.iterator]: () => stepsOf(file, config, map) }, endNs };
}
