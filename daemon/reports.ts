// What happens, told to the log and to whoever listens.
import type { Logger } from 'pino';
import { type ChipInfo, KernelError, type Level, type StormLimits, type StormState } from '../kernel/index.js';
import { Bursts, type StartTimer } from './bridge/bursts.js';
import type { EdgeRecord } from './bridge/edge-ring.js';
import { MAIN_CHIP } from './bridge/held-chip.js';
import type { TriggerSpec } from './config/action-types.js';
import { formatApproximate, formatDuration } from './config/duration.js';
import type { ControlEvent, ControlListener, ReloadReport } from './control/target.js';
import type { MqttNews } from './mqtt/port.js';
import { changesOf } from './reload-report.js';

const NS_PER_MS = 1e6;

/** Name under which the model itself reports mistakes of the user's code. */
const MODEL = 'kernel';

/** All but tab and newline: what comes from programs, hooks and messages must not play with the terminal that shows it. */
const CONTROLS = /(?![\t\n])\p{Cc}/gu;

/** Times are in ns of the machine's clock; events carry them as CLOCK_MONOTONIC. */
export class Reports {
  /** Errors of handlers and actions so far. */
  handlerErrors = 0;
  /** Actions so far that were left out by their limit. */
  limitedActions = 0;
  /** Reloads so far, by what they came to. */
  readonly reloads = { ok: 0, failed: 0 };
  /** By chip, when it went. */
  readonly #goneNs = new Map<string, number>();
  readonly #log: Logger;
  readonly #nowNs: () => number;
  readonly #monotonic: (ns: number) => number;
  readonly #wallMs: (() => number) | undefined;
  readonly #listeners = new Set<ControlListener>();
  readonly #lost: Bursts;
  readonly #dropped: Bursts;
  readonly #limited: Bursts;

  /**
   * @param monotonic turns ns of the machine's clock into ns of CLOCK_MONOTONIC
   * @param startTimer for sums of bursts; default: the event loop's
   * @param wallMs with it edges have the time by the wall clock besides, of which it is ms since 1970
   */
  constructor(
    log: Logger,
    nowNs: () => number,
    monotonic: (ns: number) => number,
    startTimer?: StartTimer,
    wallMs?: () => number,
  ) {
    this.#lost = new Bursts((line, count) => this.#tellLost(line, count), undefined, startTimer);
    this.#dropped = new Bursts((line, count) => this.#tellDropped(line, count), undefined, startTimer);
    this.#limited = new Bursts((name, count) => this.#tellLimited(name, count), undefined, startTimer);
    this.#log = log;
    this.#nowNs = nowNs;
    this.#monotonic = monotonic;
    this.#wallMs = wallMs;
  }

  /** @returns ends the subscription. */
  subscribe(listener: ControlListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  edge(line: string, { stampNs, rising, lineSeqno }: EdgeRecord): void {
    if (this.#listeners.size === 0) return;
    const edge = rising ? 'rising' : 'falling';
    this.#emit({ type: 'edge', atNs: this.#monotonic(stampNs), line, edge, lineSeqno, ...this.#timeOf(stampNs) });
  }

  #timeOf(stampNs: number): { time?: string } {
    if (this.#wallMs === undefined) return {};
    const ms = this.#wallMs() - (this.#nowNs() - stampNs) / NS_PER_MS;
    return { time: new Date(ms).toISOString() };
  }

  value(line: string, value: Level, atNs: number): void {
    if (this.#listeners.size > 0) this.#emit({ type: 'value', atNs: this.#monotonic(atNs), line, value });
  }

  /** A `log` action, or what a program wrote. */
  said(interrupt: string, said: string): void {
    const text = said.replace(CONTROLS, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
    this.#log.info({ interrupt }, text);
    this.#emit({ type: 'log', atNs: this.#now(), interrupt, text });
  }

  /** A handler threw, or an action failed. */
  error(interrupt: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const stack = error instanceof Error ? error.stack : undefined;
    this.#log.error({ err: error, interrupt }, `${interrupt}: ${message}`);
    this.#mistake(interrupt, message, stack);
  }

  /** The model found that a handler broke the rules of its context; `text` is what the kernel would print. */
  bug(text: string): void {
    this.#log.error(text);
    this.#mistake(MODEL, text.split('\n', 1)[0] ?? text, text);
  }

  /** Edges of a line were lost before they could be read. */
  lost(line: string, count: number): void {
    this.#lost.add(line, count);
  }

  /** Edges of a line whose top half ran, and for whose thread or work there was no room. */
  dropped(line: string, count: number): void {
    this.#dropped.add(line, count);
  }

  /** Actions that were left out, since there were more than their limit allows. @param name of the interrupt, chord or trigger */
  limited(name: string, count: number): void {
    this.limitedActions += count;
    this.#limited.add(name, count);
  }

  /** A button was pressed in a way that the configuration looks for, or several as a chord. */
  pressed(line: string, pattern: string, count: number, atNs: number): void {
    if (this.#listeners.size === 0) return;
    this.#emit({ type: 'press', atNs: this.#monotonic(Math.round(atNs)), line, pattern, count });
  }

  /** A trigger has come. */
  triggered(trigger: string, by: TriggerSpec['by']): void {
    this.#emit({ type: 'trigger', atNs: this.#now(), trigger, by });
  }

  /** Something that is no error of anybody's, and that its owner should know. */
  warn(name: string, text: string): void {
    this.#log.warn({ name }, `${name}: ${text}`);
  }

  /** A line has more edges than its storm guard allows. */
  stormBegins(line: string, { ratePerSec, backoffNs }: Required<StormLimits>): void {
    const text = `${line}: storm: more than ${ratePerSec} edges a second; disabled for ${formatDuration(backoffNs)}`;
    this.#log.warn({ line }, `${text}, then tried again`);
    this.#emit({ type: 'storm', atNs: this.#now(), line, phase: 'begins' });
  }

  stormEnds(line: string, { throttles, throttledNs, merged: leftOut }: StormState): void {
    const times = `disabled ${throttles === 1 ? 'once' : `${throttles} times`}, ${formatApproximate(throttledNs)} in all`;
    const edges = `${leftOut} ${leftOut === 1 ? 'edge' : 'edges'} left out`;
    this.#log.warn({ line, throttles, leftOut }, `${line}: storm is over: ${times}, ${edges}`);
    this.#emit({ type: 'storm', atNs: this.#now(), line, phase: 'ends', throttles, throttledNs, leftOut });
  }

  /** A chip is gone, and is waited for. @param id what the configuration calls it */
  chipGone(id: string, error: Error): void {
    const { message } = error;
    this.#goneNs.set(id, this.#nowNs());
    const how = error instanceof KernelError && error.code === 'ENOENT' ? 'is not there' : 'is gone, with all lines';
    this.#log.error({ err: error }, `${called(id)} ${how}; it is waited for: ${message}`);
    this.#emit({ type: 'chip', atNs: this.#now(), ...other(id), phase: 'gone', message });
  }

  chipBack(id: string, { name, label }: ChipInfo): void {
    const after = formatApproximate(this.#nowNs() - (this.#goneNs.get(id) ?? 0));
    const text = `${called(id)} is back after ${after}, as ${name} [${label}]; what edges there were meanwhile is unknown`;
    this.#log.warn({ chip: name }, text);
    this.#emit({ type: 'chip', atNs: this.#now(), ...other(id), phase: 'back', name });
  }

  /** Somebody else has a line. */
  lineWaiting(line: string, gpio: number, waitingFor: string): void {
    this.#log.error({ line, gpio }, `${line} (GPIO${gpio}) is ${waitingFor}; it is taken as soon as it is free`);
    this.#emit({ type: 'line', atNs: this.#now(), line, phase: 'waiting', waitingFor });
  }

  lineHeld(line: string): void {
    this.#log.warn({ line }, `${line} was waited for, and is held now`);
    this.#emit({ type: 'line', atNs: this.#now(), line, phase: 'held' });
  }

  /** The configuration was read anew: what was touched, or why all stays as it was. */
  reloaded(report: ReloadReport): void {
    const { ok, errors, restart, problems } = report;
    this.reloads[ok ? 'ok' : 'failed']++;
    const changes = changesOf(report);
    const what = changes.length === 0 ? 'nothing has changed' : changes.join('; ');
    if (ok) this.#log.info(`configuration reloaded: ${what}`);
    else this.#log.error({ errors }, `configuration not reloaded, the old one goes on: ${errors.join('; ')}`);
    for (const { key, why } of restart) this.#log.warn({ key }, `${key} takes effect at the next start: ${why}`);
    for (const problem of problems) this.#log.error(problem);
    this.#emit({ type: 'reload', atNs: this.#now(), ok, changes, errors });
  }

  /** Tells what it still keeps. */
  flush(): void {
    this.#lost.flush();
    this.#dropped.flush();
    this.#limited.flush();
  }

  /** What there is of MQTT, which logs for itself. */
  mqtt(news: MqttNews): void {
    this.#emit({ type: 'mqtt', atNs: this.#now(), ...news });
  }

  #mistake(interrupt: string, message: string, stack: string | undefined): void {
    this.handlerErrors++;
    this.#emit({ type: 'error', atNs: this.#now(), interrupt, message, ...(stack === undefined ? {} : { stack }) });
  }

  #tellLost(line: string, count: number): void {
    const were = count === 1 ? '1 edge was' : `${count} edges were`;
    this.#log.warn({ line, count }, `${line}: ${were} lost before being read`);
    this.#emit({ type: 'lost', atNs: this.#now(), line, count });
  }

  #tellDropped(line: string, count: number): void {
    const were = count === 1 ? '1 edge was' : `${count} edges were`;
    const text = `${line}: ${were} handled by the top half only: thread and work could not follow`;
    this.#log.warn({ line, count }, text);
    this.#emit({ type: 'dropped', atNs: this.#now(), line, count });
  }

  #tellLimited(name: string, count: number): void {
    this.#log.warn({ name, count }, `${name}: ${count === 1 ? '1 action' : `${count} actions`} left out by its limit`);
    this.#emit({ type: 'limited', atNs: this.#now(), name, count });
  }

  #emit(event: ControlEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#log.error({ err: error }, 'a receiver of events failed');
      }
    }
  }

  #now(): number {
    return this.#monotonic(this.#nowNs());
  }
}

function called(id: string): string {
  return id === MAIN_CHIP ? 'the GPIO chip' : `the GPIO chip ${id}`;
}

/** Events tell of a chip unless it is the file's own. */
function other(id: string): { readonly chip?: string } {
  return id === MAIN_CHIP ? {} : { chip: id };
}
