// `gpio-irqctl top`: one picture of the daemon, with what has changed since the one before.

import { formatApproximate } from './config/duration.js';
import type { SoftirqStatus, WorkqueueStatus } from './control/model-target.js';
import type { DaemonStatus, InterruptStatus, LineStatus } from './control/target.js';
import { table } from './format.js';

/** All that is drawn, as the API gave it. */
export interface TopSnapshot {
  /** When, in ms of any clock that never goes back. */
  readonly atMs: number;
  readonly status: DaemonStatus;
  readonly lines: readonly LineStatus[];
  readonly interrupts: readonly InterruptStatus[];
  readonly softirqs: readonly SoftirqStatus[];
  readonly workqueues: readonly WorkqueueStatus[];
}

/** Of the terminal. */
export interface TopSize {
  readonly columns: number;
  readonly rows: number;
}

const MS = 1_000;

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

function edgesOf({ rising, falling }: LineStatus): number {
  return rising + falling;
}

/** What a picture and the one before say of rates. */
class Rates {
  readonly #now: TopSnapshot;
  readonly #before: TopSnapshot | undefined;

  constructor(now: TopSnapshot, before: TopSnapshot | undefined) {
    this.#now = now;
    this.#before = before;
  }

  /** By second; empty in the first picture, and for what was not there before or counts from anew. */
  of(count: (snapshot: TopSnapshot) => number | undefined): string {
    const before = this.#before === undefined ? undefined : count(this.#before);
    const now = count(this.#now);
    const ms = this.#now.atMs - (this.#before?.atMs ?? 0);
    if (before === undefined || now === undefined || now < before || ms <= 0) return '';
    const rate = ((now - before) * MS) / ms;
    return rate === 0 ? '0' : rate.toFixed(rate < 100 ? 1 : 0);
  }
}

function head({ status }: TopSnapshot, rates: Rates): string {
  const { version, driver, simulated, chip, edges, uptimeNs, problem } = status;
  const what = simulated ? `${driver} (SIMULATED)` : driver;
  const rate = rates.of((snapshot) => snapshot.status.edges.received);
  return [
    `gpio-irqd ${version}, up ${formatApproximate(Math.floor(uptimeNs / 1e9) * 1e9)}, ${what}, ${chip.name} [${chip.label}]: ${problem ?? 'ok'}`,
    `edges ${edges.received}${rate === '' ? '' : ` (${rate}/s)`}, lost ${edges.lost}, without thread or work ${status.dropped}, left out ${status.leftOut}, handler errors ${status.handlerErrors}`,
    '',
  ].join('\n');
}

function linesTable({ lines }: TopSnapshot, rates: Rates): string {
  const rows = lines.map((line) => {
    const rate = rates.of((snapshot) => {
      const same = snapshot.lines.find(({ name }) => name === line.name);
      return same === undefined ? undefined : edgesOf(same);
    });
    const state = line.waitingFor ?? (line.storm?.throttled === true ? 'storm' : '');
    return [line.name, line.gpio, line.direction, line.value, edgesOf(line), rate.padStart(7), line.lost, state];
  });
  return table([['LINE', 'GPIO', 'DIR', 'VALUE', 'EDGES', '     /s', 'LOST', ''], ...rows]);
}

function interruptsTable({ interrupts }: TopSnapshot, rates: Rates): string {
  const rows = interrupts.map(({ irq, chip, actions, counts }) => {
    const rate = rates.of((snapshot) => {
      const same = snapshot.interrupts.find((candidate) => candidate.irq === irq);
      return same === undefined ? undefined : sum(same.counts);
    });
    return [irq, chip, sum(counts), rate.padStart(7), actions.join(', ')];
  });
  return table([['IRQ', 'CHIP', 'COUNT', '     /s', 'HANDLERS'], ...rows]);
}

/** Those that have ever run. */
function softirqsTable({ softirqs }: TopSnapshot, rates: Rates): string {
  const rows = softirqs
    .filter(({ counts }) => sum(counts) > 0)
    .map(({ name, counts }) => {
      const rate = rates.of((snapshot) => {
        const same = snapshot.softirqs.find((candidate) => candidate.name === name);
        return same === undefined ? undefined : sum(same.counts);
      });
      return [name, sum(counts), rate.padStart(7)];
    });
  return rows.length === 0 ? '' : table([['SOFTIRQ', 'COUNT', '     /s'], ...rows]);
}

/** Those that have ever run something. */
function workqueuesTable({ workqueues }: TopSnapshot, rates: Rates): string {
  const rows = workqueues
    .filter(({ started, waiting }) => started + waiting > 0)
    .map(({ name, active, waiting, completed }) => {
      const rate = rates.of((snapshot) => snapshot.workqueues.find((same) => same.name === name)?.completed);
      return [name, active, waiting, completed, rate.padStart(7)];
    });
  return rows.length === 0 ? '' : table([['WORKQUEUE', 'ACTIVE', 'WAITING', 'DONE', '     /s'], ...rows]);
}

/** Draws one picture; cut to the size of the terminal where there is one. */
export function renderTop(now: TopSnapshot, before?: TopSnapshot, size?: TopSize): string {
  const rates = new Rates(now, before);
  const tables = [linesTable, interruptsTable, softirqsTable, workqueuesTable].map((draw) => draw(now, rates));
  const text = `${head(now, rates)}\n${tables.filter((drawn) => drawn !== '').join('\n')}`;
  if (size === undefined) return text;
  const rows = text.split('\n').slice(0, size.rows);
  return rows.map((row) => row.slice(0, size.columns)).join('\n');
}
