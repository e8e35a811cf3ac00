// The comparator: a run of the model against a recording, event by event, then the kernel's text.
import { eventText, type OracleEvent } from './events.js';
import { recordedText, sameText } from './kernel-text.js';
import type { Recording } from './recording.js';

/** What a scenario logged on the model; `kernel` as `modelText` gives it. */
export interface ModelRun {
  readonly events: readonly OracleEvent[];
  readonly kernel: readonly string[];
  /** What a user process has read; it is compared if there is any. */
  readonly user?: readonly string[];
}

/** Where they part: for people, several lines. */
export interface Comparison {
  readonly equal: boolean;
  readonly compared: number;
  readonly diff: string;
}

/** Entries shown before the place where two logs part, and behind it. */
const BEFORE = 4;
const BEHIND = 4;

const CONTEXT = ['cpu', 'ctx', 'irqs_off', 'bh_off', 'comm', 'sched', 'on'] as const;

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return left.length === right.length && left.every(([key, value]) => same(value, (b as Record<string, unknown>)[key]));
}

/**
 * Compares preempt_count. Its first field includes, in an interrupt, the count of what was interrupted, which depends on
 * where a real CPU happened to be: there only its changes within one interrupt are compared, elsewhere all of it (in
 * ksoftirqd and in softirqs run by local_bh_enable() too, which interrupt nothing).
 */
class CountComparator {
  /** By CPU: the context of the last event, and how much more the model counts in this interrupt. */
  readonly #last = new Map<number, { readonly ctx: string; readonly shift: number }>();

  differs(recorded: OracleEvent, model: OracleEvent): boolean {
    const { cpu, ctx } = model;
    const before = this.#last.get(cpu ?? 0);
    if (recorded.pc === null || model.pc === null || ctx === null) return false;
    const [preempt = 0, ...rest] = recorded.pc;
    const [modelPreempt = 0, ...modelRest] = model.pc;
    const shift = modelPreempt - preempt;
    const begins = before?.ctx !== ctx || recorded.ev.startsWith('hw.');
    this.#last.set(cpu ?? 0, { ctx, shift });
    if (!same(rest, modelRest)) return true;
    if (ctx === 'task' || model.ownCount === true) return shift !== 0;
    return !begins && shift !== before.shift;
  }
}

/** The names of what differs between two events. */
function differences(recorded: OracleEvent, model: OracleEvent, counts: CountComparator): string[] {
  const found: string[] = [];
  if (recorded.ev !== model.ev) found.push('event');
  else if (!same(recorded.v ?? {}, model.v ?? {})) found.push('values');
  if (recorded.ctx === null) return found;
  for (const field of CONTEXT) {
    if (recorded[field] !== null && !same(recorded[field], model[field])) found.push(field);
  }
  if (counts.differs(recorded, model)) found.push('preempt_count');
  return found;
}

function showParting<T>(recorded: readonly T[], model: readonly T[], at: number, text: (entry: T) => string): string {
  const lines: string[] = [];
  for (const entry of recorded.slice(Math.max(0, at - BEFORE), at)) lines.push(`    ${text(entry)}`);
  const rest = (side: readonly T[], mark: string): void => {
    const shown = side.slice(at, at + BEHIND);
    if (shown.length === 0) lines.push(`  ${mark} (nothing more)`);
    for (const entry of shown) lines.push(`  ${mark} ${text(entry)}`);
  };
  rest(recorded, '-');
  rest(model, '+');
  return lines.join('\n');
}

function compareEvents(recorded: readonly OracleEvent[], model: readonly OracleEvent[]): string | undefined {
  const counts = new CountComparator();
  const length = Math.max(recorded.length, model.length);
  for (let at = 0; at < length; at++) {
    const [left, right] = [recorded[at], model[at]];
    const what = left === undefined || right === undefined ? ['number of events'] : differences(left, right, counts);
    if (what.length === 0) continue;
    return `event ${at}: ${what.join(', ')}\n${showParting(recorded, model, at, eventText)}`;
  }
  return undefined;
}

/**
 * A recording without its unstable entries: all that is left must come, in its order; the model may have more. The index
 * of the first that does not, and where the model was then.
 */
function firstMissing<T, U>(
  recorded: readonly T[],
  model: readonly U[],
  equal: (left: T, right: U) => boolean,
): { readonly at: number; readonly from: number } | undefined {
  let from = 0;
  for (const [at, entry] of recorded.entries()) {
    const found = model.slice(from).findIndex((candidate) => equal(entry, candidate));
    if (found < 0) return { at, from };
    from += found + 1;
  }
  return undefined;
}

function compareStableEvents(recorded: readonly OracleEvent[], model: readonly OracleEvent[]): string | undefined {
  const equal = (left: OracleEvent, right: OracleEvent): boolean =>
    differences(left, right, new CountComparator()).length === 0;
  const missing = firstMissing(recorded, model, equal);
  if (missing === undefined) return undefined;
  const place = showParting(recorded.slice(missing.at), model.slice(missing.from), 0, eventText);
  return `event ${missing.at} does not come\n${place}`;
}

function compareText(recorded: readonly string[], model: readonly string[], stable: boolean): string | undefined {
  const show = (line: string): string => line;
  if (!stable) {
    const missing = firstMissing(recorded, model, sameText);
    if (missing === undefined) return undefined;
    const place = showParting(recorded.slice(missing.at), model.slice(missing.from), 0, show);
    return `kernel text, line ${missing.at} does not come\n${place}`;
  }
  const length = Math.max(recorded.length, model.length);
  for (let at = 0; at < length; at++) {
    const [left, right] = [recorded[at], model[at]];
    if (left !== undefined && right !== undefined && sameText(left, right)) continue;
    return `kernel text, line ${at}\n${showParting(recorded, model, at, show)}`;
  }
  return undefined;
}

/** Byte for byte. */
function compareUser(recorded: readonly string[], model: readonly string[]): string | undefined {
  const length = Math.max(recorded.length, model.length);
  for (let at = 0; at < length; at++) {
    if (recorded[at] === model[at]) continue;
    return `what a user process had read, line ${at}\n${showParting(recorded, model, at, (line) => line)}`;
  }
  return undefined;
}

/** Compares a run with a recording; the diff marks the recorded side `-` and the model's `+`. */
export function compare(recording: Recording, run: ModelRun): Comparison {
  const stable = recording.meta.identical_in_all_runs;
  const recorded = recording.events;
  const kernel = recordedText(recording.kernel);
  const events = stable ? compareEvents(recorded, run.events) : compareStableEvents(recorded, run.events);
  const text = compareText(kernel, run.kernel, stable);
  const users = run.user ?? [];
  const user = users.length === 0 ? undefined : compareUser(recording.user, users);
  const diff = [events, text, user].filter((part) => part !== undefined).join('\n');
  const compared = recorded.length + kernel.length + (users.length === 0 ? 0 : recording.user.length);
  return { equal: diff === '', compared, diff };
}
