// The trace in other tools' formats: what their parsers ask of it, and that nothing is made up.

import { describe, expect, it } from 'vitest';
import { IRQ_HANDLED, IRQ_WAKE_THREAD, Tracepoint, type TracepointId, TraceRing } from '../../kernel/index.js';
import { exportTrace } from './trace-export.js';

const HARDIRQ = 0x1_0000;

/** An edge at 2 ms: its top half, its thread on the same CPU, and the output that it sets. */
function edge(ring = new TraceRing(64)): TraceRing {
  const record = (event: TracepointId, us: number, count: number, pid: number, a: number, b: number, name = ''): void =>
    ring.record(event, 2e6 + us * 1e3, 1, count, pid, a, b, ring.intern(name));
  record(Tracepoint.irqHandlerEntry, 0, HARDIRQ + 1, 0, 49, 0, 'button1');
  record(Tracepoint.irqHandlerExit, 5, HARDIRQ + 1, 0, 49, IRQ_WAKE_THREAD, '');
  record(Tracepoint.schedWakeup, 6, HARDIRQ + 1, 0, 7, 1, 'irq/49-button1');
  record(Tracepoint.schedSwitch, 8, 1, 0, 0, 7, 'irq/49-button1');
  record(Tracepoint.irqThreadEntry, 9, 0, 7, 49, 0, 'button1');
  record(Tracepoint.gpioValue, 10, 0, 7, 4, 1, 'led1');
  record(Tracepoint.irqThreadExit, 11, 0, 7, 49, IRQ_HANDLED, '');
  record(Tracepoint.schedSwitch, 12, 0, 7, 7, 0, 'swapper/1');
  return ring;
}

describe('ftrace', () => {
  const lines = exportTrace('ftrace', edge().read()).text.trimEnd().split('\n');
  // As the importers of trace viewers read a line: task-pid [cpu] flags stamp: event: details.
  const LINE = /^\s*(.+)-(\d+)\s+\[(\d{3})\]\s+([d.][.N][Hhs.][0-9a-f.][0-9a-f.])\s+(\d+\.\d{6}):\s+([a-z_]+):\s(.*)$/;

  it('has lines that its importers can read', () => {
    expect(lines[0]).toBe('# tracer: nop');
    const events = lines.filter((line) => !line.startsWith('#'));
    expect(events).toHaveLength(8);
    for (const line of events) expect(line).toMatch(LINE);
    expect(LINE.exec(events[0] ?? '')?.slice(1)).toEqual([
      '<idle>',
      '0',
      '001',
      'd.h1.',
      '0.002000',
      'irq_handler_entry',
      'irq=49 name=button1',
    ]);
  });

  it('says whether a task sleeps or was preempted', () => {
    expect(lines.at(-1)).toContain(
      'prev_comm=irq/49-button1 prev_pid=7 prev_prio=49 prev_state=S ==> next_comm=swapper/1',
    );
    const ring = new TraceRing(16);
    ring.record(Tracepoint.schedSwitch, 1e6, 0, 0, 7, 7, 9, ring.intern('urgent'));
    ring.record(Tracepoint.schedSwitch, 2e6, 0, 0, 9, 9, 7, ring.intern('busy'));
    expect(exportTrace('ftrace', ring.read()).text).toMatch(
      /prev_comm=busy prev_pid=7 prev_prio=120 prev_state=R ==> next_comm=urgent/,
    );
  });

  it('calls a task whose name is not in it as ftrace does', () => {
    const ring = new TraceRing(16);
    ring.record(Tracepoint.gpioValue, 1e6, 0, 0, 33, 4, 1, ring.intern('led1'));
    expect(exportTrace('ftrace', ring.read()).text).toContain('           <...>-33');
  });
});

describe('perfetto', () => {
  interface Event {
    name: string;
    ph: string;
    pid: number;
    tid: number;
    ts?: number;
    dur?: number;
  }
  const eventsOf = (ring: TraceRing, from = 0): Event[] =>
    (JSON.parse(exportTrace('perfetto', ring.read(from)).text) as { traceEvents: Event[] }).traceEvents;

  it('has a begin for each end, in each track, with a name for each track', () => {
    const events = eventsOf(edge(edge()));
    const open = new Map<string, number>();
    const named = new Set(events.filter(({ ph }) => ph === 'M').map(({ pid, tid }) => `${pid}/${tid}`));
    for (const { ph, pid, tid, ts = 0 } of events) {
      const track = `${pid}/${tid}`;
      if (ph === 'B') open.set(track, (open.get(track) ?? 0) + 1);
      if (ph === 'E') open.set(track, (open.get(track) ?? 0) - 1);
      expect(open.get(track) ?? 0).toBeGreaterThanOrEqual(0);
      expect(named.has(track)).toBe(true);
      expect(Number.isInteger(Math.round(ts * 1e6) / 1e3)).toBe(true);
    }
    expect([...open.values()]).toEqual([...open.values()].map(() => 0));
  });

  it('shows how long a task ran, and the level of a line', () => {
    const events = eventsOf(edge());
    expect(events).toContainEqual(expect.objectContaining({ ph: 'X', name: 'irq/49-button1', ts: 2008, dur: 4 }));
    expect(events).toContainEqual(expect.objectContaining({ ph: 'C', name: 'led1', ts: 2010, args: { value: 1 } }));
  });

  it('leaves out the end of what began before the oldest record', () => {
    expect(eventsOf(edge(), 1).filter(({ ph, pid }) => ph === 'E' && pid === 1)).toEqual([]);
  });
});

it('JSON lines have every record, with the names that Linux has for its numbers', () => {
  const lines = exportTrace('jsonl', edge().read())
    .text.trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toHaveLength(8);
  expect(lines[1]).toEqual({ index: 1, ns: 2_005_000, cpu: 1, pid: 0, event: 'irq_handler_exit', irq: 49, ret: 2 });
  expect(lines[7]).toMatchObject({ event: 'sched_switch', prev_pid: 7, next_pid: 0 });
});

it('a trace in which nothing has happened is empty, and right', () => {
  const nothing = (): Iterable<never> => [];
  expect(exportTrace('jsonl', nothing()).text).toBe('');
  expect(exportTrace('ftrace', nothing()).text).toContain('entries-in-buffer/entries-written: 0/0');
  expect(JSON.parse(exportTrace('perfetto', nothing()).text)).toMatchObject({ traceEvents: expect.anything() });
});
