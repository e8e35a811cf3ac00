// The rules between entries: who claims what, who refers to whom. Those of one section are in its file.

import { type ConfigErrorCode, type ConfigPath, describe, type Finding, formatPath } from './errors.js';
import type { Entry, Pieces } from './pieces.js';
import { checkChips } from './sections/chips.js';
import { checkInterrupts } from './sections/interrupts.js';
import { checkLines, type LineInput } from './sections/lines.js';
import { checkMqtt } from './sections/mqtt.js';
import { checkChords } from './sections/patterns.js';
import { checkStormGuard } from './sections/storm-guard.js';
import { checkTriggers } from './sections/triggers.js';
import { checkWorkqueues } from './sections/workqueues.js';
import { nearest } from './suggest.js';

/** Names the entry at a path: `interrupts[0]`, with its file and place when there are several files. */
export type Where = (path: ConfigPath) => string;

/** Gathers what breaks a rule; the sections' checks add to it. */
export class Rules {
  readonly findings: Finding[] = [];
  readonly pieces: Pieces;
  /** Names the entry at a path, for the messages of others. */
  readonly where: Where;

  constructor(pieces: Pieces, where: Where) {
    this.pieces = pieces;
    this.where = where;
  }

  /** One thing wrong. @param atKey the key itself is wrong, not its value */
  add(code: ConfigErrorCode, path: ConfigPath, message: string, hint: string, atKey = false): void {
    this.findings.push({ code, path, message, hint, atKey });
  }

  /** True when a section does not stand in the file at all; false when it does, right or wrong. */
  isMissing(key: string): boolean {
    return !this.pieces.keys.has(key);
  }

  /** Takes `what` for the entry at `path`; an error when another entry has it. */
  claim(owners: Map<string, ConfigPath>, what: string, path: ConfigPath, kind: string, hint: string): void {
    const owner = owners.get(what);
    if (owner === undefined) {
      owners.set(what, path);
      return;
    }
    const message = `${kind} ${describe(what)} is taken by ${this.where(owner.slice(0, 2))}`;
    this.add('CONFIG_DUPLICATE', path, message, hint);
  }

  /** Looks a line up; an unknown one is an error unless the lines themselves could not be read. */
  line(name: string, path: ConfigPath): LineInput | undefined {
    return this.lookUp(this.pieces.lines, name, path, 'line');
  }

  /** Looks up a line that must be an input and report edges. */
  edges(name: string, path: ConfigPath): LineInput | undefined {
    const line = this.line(name, path);
    if (line?.direction === 'out') {
      this.add('CONFIG_CONFLICT', path, `${name} is an output`, 'an interrupt comes from an input');
    } else if (line !== undefined && (line.edge ?? 'none') === 'none') {
      const hint = `give lines.${name} an edge: rising, falling or both`;
      this.add('CONFIG_CONFLICT', path, `${name} reports no edge`, hint);
    }
    return line;
  }

  /** Looks up a line that must be an input and report both edges. @param what needs them */
  bothEdges(name: string, path: ConfigPath, what: string): void {
    const edge = this.edges(name, path)?.edge ?? 'none';
    if (edge !== 'rising' && edge !== 'falling') return;
    const hint = `${what} needs press and release; write edge: both at lines.${name}`;
    this.add('CONFIG_CONFLICT', path, `${name} reports its ${edge} edge only`, hint);
  }

  /** Looks up an entry that another refers to. @param builtIn names that need no entry */
  lookUp<T>(
    known: ReadonlyMap<string, Entry<T>> | undefined,
    name: string,
    path: ConfigPath,
    kind: string,
    builtIn: readonly string[] = [],
  ): T | undefined {
    if (known === undefined || builtIn.includes(name)) return undefined;
    const entry = known.get(name);
    if (entry !== undefined) return entry.input;
    const names = [...known.keys(), ...builtIn];
    const guess = nearest(name, names);
    const list = names.length === 0 ? `define it under ${kind}s` : `there are ${names.slice(0, 10).join(', ')}`;
    const hint = guess === undefined ? list : `did you mean ${guess}?`;
    this.add('CONFIG_REFERENCE', path, `no ${kind} ${describe(name)}`, hint);
    return undefined;
  }
}

/** Everything that breaks a rule between entries; entries that failed their own check are left out. */
export function checkRules(pieces: Pieces, where: Where = formatPath): readonly Finding[] {
  const rules = new Rules(pieces, where);
  const guard = pieces.file?.storm_guard;
  if (guard !== undefined) checkStormGuard(rules, guard, ['storm_guard']);
  checkChips(rules);
  checkLines(rules);
  checkWorkqueues(rules);
  checkInterrupts(rules);
  checkChords(rules);
  checkTriggers(rules);
  checkMqtt(rules);
  return rules.findings;
}
