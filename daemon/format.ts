// Text for people: tables, events, durations as they are shown by both commands.

import type { GapEvent } from './control/events.js';
import type {
  ControlEvent,
  LinesStatus,
  ParkedStatus,
  ReloadReport,
  SectionReport,
  StormStatus,
} from './control/target.js';

/** Lays rows out in columns, two spaces apart, without trailing spaces. Columns of numbers are aligned to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, String(cell).length);
  }
  const lines = rows.map((row) =>
    row
      .map((cell, i) =>
        typeof cell === 'number' ? String(cell).padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** Stamps as the kernel prints them: seconds with six decimals. */
export function seconds(ns: number): string {
  return (ns / 1e9).toFixed(6);
}

function happened(event: ControlEvent): string {
  switch (event.type) {
    case 'edge': {
      const number = event.lineSeqno > 0 ? `  #${event.lineSeqno}` : '';
      return `${event.line} ${event.edge}${number}`;
    }
    case 'value':
      return `${event.line} = ${event.value} (${event.value === 1 ? 'on' : 'off'})`;
    case 'log':
      return `${event.interrupt}: ${event.text}`;
    case 'lost':
    case 'dropped':
      return `${event.line}: ${event.count} ${event.count === 1 ? 'edge' : 'edges'}`;
    case 'limited':
      return `${event.name}: ${event.count} ${event.count === 1 ? 'action' : 'actions'} left out`;
    case 'press':
      return `${event.line} ${event.pattern}${event.count > 1 ? `  ${event.count}` : ''}`;
    case 'trigger':
      return `${event.trigger}, by ${event.by}`;
    case 'storm':
      return `${event.line}: ${event.phase === 'begins' ? 'begins' : `is over, ${event.leftOut} edges left out`}`;
    case 'chip': {
      const what = event.phase === 'gone' ? `gone: ${event.message}` : `back, as ${event.name}`;
      return event.chip === undefined ? what : `${event.chip}: ${what}`;
    }
    case 'line':
      return `${event.line}: ${event.phase === 'held' ? 'held' : `waits: ${event.waitingFor}`}`;
    case 'reload':
      return event.ok ? event.changes.join('; ') || 'nothing has changed' : `refused: ${event.errors.join('; ')}`;
    case 'mqtt':
      return mqttNews(event);
    case 'error':
      return `${event.interrupt}: ${event.stack ?? event.message}`;
  }
}

function mqttNews(event: ControlEvent & { readonly type: 'mqtt' }): string {
  switch (event.phase) {
    case 'connected':
      return `connected to ${event.broker}`;
    case 'disconnected':
      return `disconnected: ${event.reason}`;
    case 'dropped':
      return `${event.count} ${event.count === 1 ? 'message' : 'messages'} given up`;
    case 'refused':
      return `the broker refuses ${event.what}: ${event.reason}`;
  }
}

/** One event as a line: stamp, kind, what happened. */
export function formatEvent(event: ControlEvent): string {
  return `${seconds(event.atNs).padStart(14)}  ${event.type.padEnd(7)}  ${happened(event)}`;
}

/** Events that are missing, as a line among the others. */
export function formatGap({ missed }: GapEvent): string {
  const what = missed === 'unknown' ? 'events may be' : missed === 1 ? '1 event is' : `${missed} events are`;
  return `${''.padStart(14)}  gap      ${what} missing here`;
}

/** A line that the guard has disabled now is marked. */
function leftOut(storm: StormStatus): string {
  return `${storm.leftOut}${storm.throttled ? ' (storm)' : ''}`;
}

/** The lines as a table; with a column for the chip, and one for the storm guard, if any has one. Below, what is held besides. */
export function formatLines({ lines, parked }: LinesStatus): string {
  const guarded = lines.some((line) => line.storm !== undefined);
  const several = lines.some((line) => line.chip !== undefined);
  const head = [
    'NAME',
    ...(several ? ['CHIP'] : []),
    'GPIO',
    'DIR',
    'VALUE',
    'EDGE',
    'BIAS',
    'ACTIVE',
    'RISING',
    'FALLING',
    'LOST',
  ];
  if (guarded) head.push('LEFT OUT');
  const rows = lines.map((line) => [
    line.name,
    ...(several ? [line.chip ?? '-'] : []),
    line.gpio,
    line.direction,
    line.value,
    line.edge,
    line.bias,
    line.activeLow ? 'low' : 'high',
    line.rising,
    line.falling,
    line.lost,
    ...(guarded ? [line.storm === undefined ? '-' : leftOut(line.storm)] : []),
  ]);
  const below = formatParked(parked).map((text) => `${text}\n`);
  return `${table([head, ...rows])}${below.length === 0 ? '' : '\n'}${below.join('')}`;
}

/** Lines that are held though the configuration has them no more, a line of text each. */
export function formatParked(parked: readonly ParkedStatus[] = []): string[] {
  return parked.map(({ gpio, chip, name, until }) => {
    const called = [name, chip === undefined ? undefined : `on ${chip}`].filter((word) => word !== undefined);
    const what = `GPIO${gpio}${called.length === 0 ? '' : ` (${called.join(', ')})`}`;
    return `${what} is removed, and held until ${until.join(', ')} ${until.length === 1 ? 'is' : 'are'} let go too`;
  });
}

function changesOf(section: string, { added, changed, removed, kept }: SectionReport): string | undefined {
  const names = [
    ...added.map((name) => `+${name}`),
    ...changed.map((name) => `~${name}`),
    ...removed.map((name) => `-${name}`),
  ];
  if (names.length === 0) return undefined;
  return `${section}: ${names.join(' ')}${kept > 0 ? ` (${kept} as before)` : ''}\n`;
}

/** What a reload came to: what was added (+), changed (~) and removed (-), and what is still to do. */
export function formatReload({ sections, restart, problems }: ReloadReport): string {
  const changes = Object.entries(sections).flatMap(([name, section]) => changesOf(name, section) ?? []);
  return [
    ...(changes.length === 0 ? ['nothing has changed\n'] : changes),
    ...restart.map(({ key, why }) => `${key}: takes effect when the daemon is started anew: ${why}\n`),
    ...problems.map((problem) => `${problem}\n`),
  ].join('');
}
