// From checked entries to the frozen configuration.

import { resolve } from 'node:path';
import type { ChipChoice, Config, InterruptSpec, LineSpec, ThreadAction, WorkAction, WorkqueueSpec } from './config.js';
import type { Pieces } from './pieces.js';
import type { ActionInput, InterruptInput, LineInput, StormGuardInput, WorkqueueInput } from './schema.js';

/** How long a program or a module may run when its action does not say. */
const TIMEOUT_NS = 30e9;
/** Heap of a worker thread when its workqueue does not say: many times what most modules need. */
const MEMORY_MAX = 64 * 1024 * 1024;

function chipChoice(text: string): ChipChoice {
  if (text === 'auto') return { by: 'auto' };
  return text.startsWith('label:') ? { by: 'label', label: text.slice('label:'.length) } : { by: 'name', name: text };
}

/** A line's own guard, or the file's for lines that have none of their own. */
function stormGuard(input: StormGuardInput | undefined): LineSpec['stormGuard'] {
  if (input === undefined || input.rate === 0) return undefined;
  const { rate, window, backoff, max_backoff: maxBackoff } = input;
  return {
    ratePerSec: rate,
    ...(window === undefined ? {} : { windowNs: window }),
    ...(backoff === undefined ? {} : { backoffNs: backoff }),
    ...(maxBackoff === undefined ? {} : { maxBackoffNs: maxBackoff }),
  };
}

function lineSpec(name: string, input: LineInput, everyLine: StormGuardInput | undefined): LineSpec {
  const hasEdges = (input.edge ?? 'none') !== 'none';
  return {
    name,
    gpio: input.gpio,
    direction: input.direction,
    edge: input.edge ?? 'none',
    bias: input.bias,
    drive: input.drive ?? 'push-pull',
    activeLow: input.active === 'low',
    debounceNs: input.debounce ?? 0,
    initial: input.initial ?? 0,
    stormGuard: hasEdges ? stormGuard(input.storm_guard ?? everyLine) : undefined,
  };
}

/** The rules have made sure that each action has one verb and what goes with it. */
function workAction(input: ActionInput, directory: string): WorkAction {
  if (input.set !== undefined) return { kind: 'set', line: input.set, value: input.value ?? 0 };
  if (input.toggle !== undefined) return { kind: 'toggle', line: input.toggle };
  if (input.log !== undefined) return { kind: 'log', text: input.log };
  const timeoutNs = input.timeout ?? TIMEOUT_NS;
  if (input.module !== undefined) return { kind: 'module', path: resolve(directory, input.module), timeoutNs };
  return { kind: 'exec', argv: input.exec ?? [], timeoutNs };
}

function interruptSpec(input: InterruptInput, directory: string): InterruptSpec {
  const actions = (list: readonly ActionInput[] = []): WorkAction[] => list.map((one) => workAction(one, directory));
  const topHalf = actions(input.top_half).filter((a) => a.kind === 'set' || a.kind === 'toggle');
  const thread = actions(input.thread).filter((a): a is ThreadAction => a.kind !== 'exec' && a.kind !== 'module');
  const work = (input.work?.items ?? []).map((item) => ({ queue: item.queue, actions: actions(item.do) }));
  const handler = input.handler === undefined ? undefined : resolve(directory, input.handler);
  return { name: input.name ?? input.line, line: input.line, topHalf, thread, work, handler };
}

function workqueueSpec(name: string, input: WorkqueueInput): WorkqueueSpec {
  const { flags, max_active: maxActive = 0, memory_max: memoryMax = MEMORY_MAX } = input;
  return { name, flags: [...new Set(flags)], maxActive, memoryMax };
}

function inputs<T>(entries: Iterable<{ readonly input: T | undefined }>): T[] {
  return [...entries].map((entry) => entry.input).filter((input) => input !== undefined);
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

/**
 * Builds the configuration of a file without findings.
 *
 * @param directory where the file is: the paths of handler modules are relative to it.
 */
export function buildConfig(pieces: Pieces, directory: string): Config {
  const lines: LineSpec[] = [];
  const everyLine = pieces.file?.storm_guard;
  for (const [name, { input }] of pieces.lines ?? []) {
    if (input !== undefined) lines.push(lineSpec(name, input, everyLine));
  }
  const workqueues: WorkqueueSpec[] = [];
  for (const [name, { input }] of pieces.workqueues ?? []) {
    if (input !== undefined) workqueues.push(workqueueSpec(name, input));
  }
  return deepFreeze({
    driver: pieces.file?.driver ?? 'auto',
    chip: chipChoice(pieces.file?.chip ?? 'auto'),
    lines,
    interrupts: inputs(pieces.interrupts).map((input) => interruptSpec(input, directory)),
    workqueues,
  });
}
