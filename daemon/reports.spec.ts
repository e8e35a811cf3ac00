// What happens is in the log and in the events, with the same words, and counted.

import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { ControlEvent } from './control/target.js';
import { Reports } from './reports.js';

function rig() {
  const logged: { level: number; msg: string }[] = [];
  const log = pino({ base: null }, { write: (line) => logged.push(JSON.parse(line)) });
  const reports = new Reports(
    log,
    () => 5,
    (ns) => ns + 1_000,
  );
  const events: ControlEvent[] = [];
  const unsubscribe = reports.subscribe((event) => events.push(event));
  return { reports, logged, events, unsubscribe };
}

it('carries times as CLOCK_MONOTONIC', () => {
  const { reports, events } = rig();
  reports.edge('b', { stampNs: 7, rising: false, lineSeqno: 2, sinceLastNs: -1, doneNs: 8, levels: 0, failed: 0 });
  reports.value('led', 1, 8);
  reports.said('i', 'text');
  expect(events).toEqual([
    { type: 'edge', atNs: 1_007, line: 'b', edge: 'falling', lineSeqno: 2 },
    { type: 'value', atNs: 1_008, line: 'led', value: 1 },
    { type: 'log', atNs: 1_005, interrupt: 'i', text: 'text' },
  ]);
});

it('tells the time of edges by the wall clock too where that is asked for, also of those that came before the process', () => {
  const events: ControlEvent[] = [];
  const start = Date.UTC(2026, 4, 1, 12);
  const reports = new Reports(
    pino({ enabled: false }),
    () => 5e9,
    (ns) => ns,
    undefined,
    () => start,
  );
  reports.subscribe((event) => events.push(event));
  const edge = { rising: true, lineSeqno: 1, sinceLastNs: -1, doneNs: 8, levels: 0, failed: 0 };
  reports.edge('b', { ...edge, stampNs: 4.75e9 });
  reports.edge('b', { ...edge, stampNs: -1e9 });
  expect(events).toMatchObject([{ time: '2026-05-01T11:59:59.750Z' }, { time: '2026-05-01T11:59:54.000Z' }]);
});

it('counts what throws, whatever it is, and keeps its stack', () => {
  const { reports, events, logged } = rig();
  reports.error('i', new Error('why'));
  reports.error('i', 'text');
  reports.bug('BUG: first\nsecond');
  expect(reports.handlerErrors).toBe(3);
  expect(events).toMatchObject([
    { type: 'error', interrupt: 'i', message: 'why', stack: expect.stringContaining('reports.spec') },
    { type: 'error', interrupt: 'i', message: 'text' },
    { type: 'error', interrupt: 'kernel', message: 'BUG: first', stack: 'BUG: first\nsecond' },
  ]);
  expect(logged.map(({ level, msg }) => [level, msg])).toEqual([
    [50, 'i: why'],
    [50, 'i: text'],
    [50, 'BUG: first\nsecond'],
  ]);
});

it('tells of losses at once, and of those of a burst in one sum', () => {
  const { reports, events, logged } = rig();
  reports.lost('b', 300);
  for (let i = 0; i < 10; i++) reports.lost('b', 1);
  reports.dropped('b', 1);
  reports.flush();
  expect(events.map((event) => [event.type, 'count' in event ? event.count : 0])).toEqual([
    ['lost', 300],
    ['dropped', 1],
    ['lost', 10],
  ]);
  expect(logged.map(({ msg }) => msg)).toEqual([
    'b: 300 edges were lost before being read',
    'b: 1 edge was handled by the top half only: thread and work could not follow',
    'b: 10 edges were lost before being read',
  ]);
});

it('tells when a storm begins, and what it was when it is over', () => {
  const { reports, events, logged } = rig();
  reports.stormBegins('b', { ratePerSec: 500, windowNs: 100e6, backoffNs: 50e6, maxBackoffNs: 1e9 });
  const seen = { throttled: false, storms: 2, backoffNs: 0 };
  reports.stormEnds('b', { ...seen, throttles: 3, throttledNs: 350e6, merged: 1 });
  reports.stormEnds('b', { ...seen, throttles: 1, throttledNs: 50e6, merged: 20 });
  expect(events).toEqual([
    { type: 'storm', atNs: 1_005, line: 'b', phase: 'begins' },
    { type: 'storm', atNs: 1_005, line: 'b', phase: 'ends', throttles: 3, throttledNs: 350e6, leftOut: 1 },
    { type: 'storm', atNs: 1_005, line: 'b', phase: 'ends', throttles: 1, throttledNs: 50e6, leftOut: 20 },
  ]);
  expect(logged.map(({ level, msg }) => [level, msg])).toEqual([
    [40, 'b: storm: more than 500 edges a second; disabled for 50ms, then tried again'],
    [40, 'b: storm is over: disabled 3 times, 350ms in all, 1 edge left out'],
    [40, 'b: storm is over: disabled once, 50ms in all, 20 edges left out'],
  ]);
});

it('lets no receiver keep events from the others', () => {
  const { reports, events, logged, unsubscribe } = rig();
  const others: ControlEvent[] = [];
  unsubscribe();
  reports.subscribe(() => {
    throw new Error('mine');
  });
  reports.subscribe((event) => others.push(event));
  reports.said('i', 'text');
  expect([events.length, others.length]).toEqual([0, 1]);
  expect(logged.at(-1)?.msg).toBe('a receiver of events failed');
});

it('tells of a chip that goes and comes back, and of lines that somebody else has', () => {
  const { reports, events, logged } = rig();
  reports.chipGone('chip', new Error('chip: ENODEV'));
  reports.chipBack('chip', { name: 'gpiochip1', label: 'pinctrl-rp1', lines: 54 });
  reports.lineWaiting('led', 4, "held by 'w1-gpio'");
  reports.lineHeld('led');
  expect(events).toEqual([
    { type: 'chip', atNs: 1_005, phase: 'gone', message: 'chip: ENODEV' },
    { type: 'chip', atNs: 1_005, phase: 'back', name: 'gpiochip1' },
    { type: 'line', atNs: 1_005, line: 'led', phase: 'waiting', waitingFor: "held by 'w1-gpio'" },
    { type: 'line', atNs: 1_005, line: 'led', phase: 'held' },
  ]);
  expect(logged.map(({ level, msg }) => [level, msg])).toEqual([
    [50, 'the GPIO chip is gone, with all lines; it is waited for: chip: ENODEV'],
    [40, expect.stringContaining('as gpiochip1 [pinctrl-rp1]; what edges there were meanwhile is unknown')],
    [50, "led (GPIO4) is held by 'w1-gpio'; it is taken as soon as it is free"],
    [40, 'led was waited for, and is held now'],
  ]);
});

it('shows what would control a terminal', () => {
  const { reports, logged, events } = rig();
  reports.said('i', 'a\tb\nc\x1b[2J\r\x9b');
  expect(logged[0]?.msg).toBe('a\tb\nc\\x1b[2J\\x0d\\x9b');
  expect(events).toMatchObject([{ text: logged[0]?.msg }]);
});

it('sums up what limits leave out, and tells of presses and triggers', () => {
  const { reports, logged, events } = rig();
  for (let i = 0; i < 5; i++) reports.limited('bell', 1);
  reports.flush();
  expect(logged.map(({ msg }) => msg)).toEqual([
    'bell: 1 action left out by its limit',
    'bell: 4 actions left out by its limit',
  ]);
  reports.pressed('bell', 'hold', 3, 7.4);
  reports.triggered('night', 'schedule');
  expect(events.slice(2)).toEqual([
    { type: 'press', atNs: 1_007, line: 'bell', pattern: 'hold', count: 3 },
    { type: 'trigger', atNs: 1_005, trigger: 'night', by: 'schedule' },
  ]);
});
