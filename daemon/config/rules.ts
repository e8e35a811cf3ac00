// The rules between entries: who claims what, who refers to whom, and what may run in which context.

import { SYSTEM_QUEUES } from './config.js';
import { formatDuration } from './duration.js';
import { type ConfigErrorCode, type ConfigPath, describe, type Finding, formatPath } from './errors.js';
import type { Entry, Pieces } from './pieces.js';
import {
  type ActionInput,
  type InterruptInput,
  type LineInput,
  type StormGuardInput,
  VERBS,
  type WorkqueueInput,
} from './schema.js';
import { nearest } from './suggest.js';

/** Highest GPIO of a Pi's header chip (BCM2835, BCM2711 and RP1 have 54 lines each). */
const HEADER_LAST = 53;
/** Highest offset accepted on any other chip; the chip itself says the rest. */
const OTHER_LAST = 1023;
/** Lines in one request (GPIO_V2_LINES_MAX). */
const LINES_MAX = 64;

/** First back-off of a storm guard that does not say (kernel/irq/storm.ts). */
const BACKOFF_NS = 100e6;

type Context = 'top_half' | 'thread' | 'work';

/** What each context may do, and why it may do no more. */
const CONTEXTS: Readonly<Record<Context, { verbs: readonly (typeof VERBS)[number][]; why: string }>> = {
  top_half: {
    verbs: ['set', 'toggle'],
    why: 'the top half runs in atomic context: set and toggle only; move it to thread',
  },
  thread: { verbs: ['set', 'toggle', 'log'], why: 'a program would hold up the irq thread; move it to work' },
  work: { verbs: VERBS, why: '' },
};

/** Gathers what breaks a rule. */
class Rules {
  readonly findings: Finding[] = [];
  readonly #pieces: Pieces;

  constructor(pieces: Pieces) {
    this.#pieces = pieces;
  }

  #add(code: ConfigErrorCode, path: ConfigPath, message: string, hint: string, atKey = false): void {
    this.findings.push({ code, path, message, hint, atKey });
  }

  lines(): void {
    const { lines, chip } = this.#pieces;
    if (lines === undefined) return;
    if (lines.size === 0) {
      this.#add('CONFIG_MISSING', ['lines'], 'no line at all', 'define at least one, such as button1: { gpio: 17 }');
    }
    if (lines.size > LINES_MAX) this.#add('CONFIG_RANGE', ['lines'], `${lines.size} lines`, `${LINES_MAX} at most`);
    const header = chip === 'auto' || /^label:pinctrl-(bcm2835|bcm2711|rp1)$/.test(chip ?? '');
    const owners = new Map<number, string>();
    for (const [name, { path, input }] of lines) {
      if (input === undefined) continue;
      this.#direction(input, path);
      this.#lineGuard(input, path);
      const last = header ? HEADER_LAST : OTHER_LAST;
      if (input.gpio > last) {
        const hint = header ? `0 to ${last}, the GPIO number and not the pin of the header` : `0 to ${last}`;
        this.#add('CONFIG_RANGE', [...path, 'gpio'], `${input.gpio} is out of range`, hint);
      }
      const owner = owners.get(input.gpio);
      if (owner === undefined) owners.set(input.gpio, name);
      else this.#add('CONFIG_DUPLICATE', [...path, 'gpio'], `GPIO${input.gpio} is already ${owner}`, 'one line a GPIO');
    }
  }

  #direction(line: LineInput, path: ConfigPath): void {
    const misplaced =
      line.direction === 'out'
        ? { keys: ['edge', 'debounce'] as const, only: 'an input', write: 'in' }
        : { keys: ['initial', 'drive'] as const, only: 'an output', write: 'out' };
    for (const key of misplaced.keys) {
      const value = line[key];
      if (value === undefined || value === 'none' || (key === 'debounce' && value === 0)) continue;
      const hint = `remove it, or write direction: ${misplaced.write}`;
      this.#add('CONFIG_CONFLICT', [...path, key], `${key} is for ${misplaced.only}`, hint, true);
    }
  }

  #lineGuard(line: LineInput, path: ConfigPath): void {
    if (line.storm_guard === undefined) return;
    const at = [...path, 'storm_guard'];
    if ((line.edge ?? 'none') === 'none') {
      this.#add('CONFIG_CONFLICT', at, 'storm_guard without edges', 'remove it, or give the line an edge', true);
    }
    this.#guard(line.storm_guard, at);
  }

  #guard({ rate, window, backoff = BACKOFF_NS, max_backoff: most }: StormGuardInput, path: ConfigPath): void {
    if (most !== undefined && most < backoff) {
      const hint = `at least ${formatDuration(backoff)}, the first back-off`;
      this.#add('CONFIG_CONFLICT', [...path, 'max_backoff'], 'max_backoff is less than backoff', hint);
    }
    const least = Math.ceil(1e9 / rate);
    if (rate > 0 && window !== undefined && window < least) {
      const hint = `at least ${formatDuration(least)}, or leave it out`;
      this.#add('CONFIG_CONFLICT', [...path, 'window'], `no edge fits into the window at a rate of ${rate}`, hint);
    }
  }

  stormGuard(): void {
    const guard = this.#pieces.file?.storm_guard;
    if (guard !== undefined) this.#guard(guard, ['storm_guard']);
  }

  workqueues(): void {
    for (const [name, { path, input }] of this.#pieces.workqueues ?? []) {
      if (input?.memory_max !== undefined && !input.flags.includes('cpu_intensive')) {
        const hint = 'its modules run in worker threads: add cpu_intensive to its flags, or remove memory_max';
        this.#add('CONFIG_CONFLICT', [...path, 'memory_max'], 'memory_max without cpu_intensive', hint, true);
      }
      if (SYSTEM_QUEUES.some((system) => system === name)) {
        this.#add('CONFIG_DUPLICATE', path, `${name} is the kernel's own queue`, 'take another name', true);
      }
    }
  }

  interrupts(): void {
    const byLine = new Map<string, ConfigPath>();
    const byName = new Map<string, ConfigPath>();
    for (const { path, input } of this.#pieces.interrupts) {
      if (input === undefined) continue;
      this.#source(input, path);
      this.#claim(
        byLine,
        input.line,
        [...path, 'line'],
        'the line',
        'EBUSY: put all actions of a line in one interrupt',
      );
      const name = input.name ?? input.line;
      const nameless = input.name === undefined;
      if (!(nameless && byLine.get(input.line)?.[1] !== path[1])) {
        this.#claim(byName, name, [...path, nameless ? 'line' : 'name'], 'the name', 'give each interrupt its own');
      }
      this.#body(input, path);
    }
  }

  #claim(owners: Map<string, ConfigPath>, what: string, path: ConfigPath, kind: string, hint: string): void {
    const owner = owners.get(what);
    if (owner === undefined) owners.set(what, path);
    else
      this.#add(
        'CONFIG_DUPLICATE',
        path,
        `${kind} ${describe(what)} is taken by ${formatPath(owner.slice(0, 2))}`,
        hint,
      );
  }

  /** The line of an interrupt: it must exist, be an input, and report edges. */
  #source(interrupt: InterruptInput, path: ConfigPath): void {
    const line = this.#line(interrupt.line, [...path, 'line']);
    if (line === undefined) return;
    const hint = `give lines.${interrupt.line} an edge: rising, falling or both`;
    if (line.direction === 'out') {
      this.#add(
        'CONFIG_CONFLICT',
        [...path, 'line'],
        `${interrupt.line} is an output`,
        'an interrupt comes from an input',
      );
    } else if ((line.edge ?? 'none') === 'none') {
      this.#add('CONFIG_CONFLICT', [...path, 'line'], `${interrupt.line} reports no edge`, hint);
    }
  }

  /** Looks a line up; unknown ones are an error unless the lines themselves could not be read. */
  #line(name: string, path: ConfigPath): LineInput | undefined {
    return this.#lookUp(this.#pieces.lines, name, path, 'line', []);
  }

  #lookUp<T>(
    known: ReadonlyMap<string, Entry<T>> | undefined,
    name: string,
    path: ConfigPath,
    kind: string,
    builtIn: readonly string[],
  ): T | undefined {
    if (known === undefined || builtIn.includes(name)) return undefined;
    const entry = known.get(name);
    if (entry !== undefined) return entry.input;
    const names = [...known.keys(), ...builtIn];
    const guess = nearest(name, names);
    const list = names.length === 0 ? `define it under ${kind}s` : `there are ${names.slice(0, 10).join(', ')}`;
    this.#add(
      'CONFIG_REFERENCE',
      path,
      `no ${kind} ${describe(name)}`,
      guess === undefined ? list : `did you mean ${guess}?`,
    );
    return undefined;
  }

  #body(interrupt: InterruptInput, path: ConfigPath): void {
    const parts = (['top_half', 'thread', 'work'] as const).filter((part) => interrupt[part] !== undefined);
    if (interrupt.handler !== undefined && parts[0] !== undefined) {
      const hint = `a handler module replaces them: remove it, or ${parts.join(' and ')}`;
      this.#add('CONFIG_CONFLICT', [...path, 'handler'], `handler beside ${parts.join(', ')}`, hint, true);
    }
    if (interrupt.handler === undefined && parts.length === 0) {
      this.#add('CONFIG_MISSING', path, 'the interrupt does nothing', 'add top_half, thread, work or handler');
    }
    this.#actions(interrupt.top_half ?? [], [...path, 'top_half'], 'top_half');
    this.#actions(interrupt.thread ?? [], [...path, 'thread'], 'thread');
    const work = interrupt.work;
    for (const [i, item] of (work?.items ?? []).entries()) {
      const at = work?.listed === true ? [...path, 'work', i] : [...path, 'work'];
      const queue = this.#lookUp(this.#pieces.workqueues, item.queue, [...at, 'queue'], 'workqueue', SYSTEM_QUEUES);
      this.#actions(item.do, [...at, 'do'], 'work');
      const computes = item.do.findIndex((action) => action.module !== undefined);
      if (computes >= 0) this.#computes(item.queue, queue, [...at, 'do', computes, 'module']);
    }
  }

  /** A module computes for long, and its queue has to say so. */
  #computes(name: string, queue: WorkqueueInput | undefined, path: ConfigPath): void {
    const system = SYSTEM_QUEUES.some((known) => known === name);
    if (!system && (queue === undefined || queue.flags.includes('cpu_intensive'))) return;
    const hint = system
      ? 'define one under workqueues with flags: [cpu_intensive], and name it as the queue'
      : `write flags: [cpu_intensive] at workqueues.${name}`;
    this.#add('CONFIG_CONFLICT', path, `a module on the queue ${name}, which is not cpu_intensive`, hint, true);
  }

  #actions(actions: readonly ActionInput[], path: ConfigPath, context: Context): void {
    for (const [i, action] of actions.entries()) this.#action(action, [...path, i], context);
  }

  #action(action: ActionInput, path: ConfigPath, context: Context): void {
    const given = VERBS.filter((verb) => action[verb] !== undefined);
    const verb = given[0];
    const { verbs, why } = CONTEXTS[context];
    if (verb === undefined) {
      this.#add('CONFIG_MISSING', path, 'no action', `write one of ${verbs.join(', ')}`);
      return;
    }
    if (given.length > 1) {
      this.#add('CONFIG_CONFLICT', path, `${given.join(' and ')} in one entry`, 'write one action an entry');
      return;
    }
    if (!verbs.includes(verb)) this.#add('CONFIG_CONTEXT', [...path, verb], `${verb} in ${context}`, why, true);
    if (action.value !== undefined && verb !== 'set') {
      this.#add('CONFIG_CONFLICT', [...path, 'value'], 'value without set', 'value goes with set', true);
    }
    if (action.timeout !== undefined && verb !== 'exec' && verb !== 'module') {
      const hint = 'timeout goes with exec and module';
      this.#add('CONFIG_CONFLICT', [...path, 'timeout'], 'timeout without exec or module', hint, true);
    }
    if (verb === 'set' && action.value === undefined) {
      this.#add(
        'CONFIG_MISSING',
        path,
        "'value' is missing",
        `write { set: ${action.set ?? ''}, value: 0 } or value: 1`,
      );
    }
    const target = action.set ?? action.toggle;
    if (target === undefined) return;
    const line = this.#line(target, [...path, verb]);
    if (line?.direction !== 'in') return;
    const hint = `only outputs can be set; write direction: out at lines.${target}`;
    this.#add('CONFIG_CONFLICT', [...path, verb], `${target} is an input`, hint);
  }
}

/** Everything that breaks a rule between entries; entries that failed their own check are left out. */
export function checkRules(pieces: Pieces): readonly Finding[] {
  const rules = new Rules(pieces);
  rules.stormGuard();
  rules.lines();
  rules.workqueues();
  rules.interrupts();
  return rules.findings;
}
