// A day of a daemon in virtual time: presses, bounce, storms, lost edges, a chip that goes and comes back, every hour anew.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../daemon/config/config.js';
import { parseConfig } from '../../daemon/config/load.js';
import type { ControlEvent } from '../../daemon/control/target.js';
import { brokenInvariants } from '../../daemon/scenario/invariants.js';
import { parseScenario, type Scenario } from '../../daemon/scenario/load.js';
import { play } from '../../daemon/scenario/play.js';
import { Simulation } from '../../daemon/scenario/simulation.js';
import { tell } from './figures.js';
import { growth } from './heap.js';

const HOURS = 24;
const HOUR_S = 3_600;
/** Hours until what fills up to a bound (the trace, the log of events) is full: what is held then is what is held from then on. */
const NOON = 12;
/** What may be held more at midnight than at noon. */
const MORE_THINGS = 300;
const MORE_BYTES = 16_384;

const CONFIG = `
chips: { far: label:mcp23017 }
lines:
  clean: { gpio: 0, chip: far, edge: both, bias: pull-up, active: low }
  bouncy: { gpio: 1, chip: far, edge: both, bias: pull-up, active: low, debounce: 5ms }
  meter: { gpio: 2, chip: far, edge: both, storm_guard: { rate: 200, window: 500ms, backoff: 1s, max_backoff: 4s } }
  flaky: { gpio: 3, chip: far, edge: both }
  door: { gpio: 17, edge: both, bias: pull-up, active: low, debounce: 5ms }
  lamp: { gpio: 4, direction: out }
  chime: { gpio: 5, direction: out }
interrupts:
  - { line: clean, top_half: [{ toggle: lamp }], thread: [{ log: "{line} {edge}" }] }
  - line: bouncy
    work: { queue: slow, do: [{ exec: [/bin/true, "{line}"], limit: { rate: 1, per: 10s } }] }
    patterns: [{ on: single, do: [{ toggle: chime }] }, { on: long, after: 1s, do: [{ log: long }] }]
  - { line: meter, tasklet: [{ toggle: chime }] }
  - { line: flaky, thread: [{ log: "{line} {seqno}" }] }
  - { line: door, top_half: [{ pulse: lamp, for: 200ms }], work: { do: [{ http: "http://localhost/{line}" }] } }
triggers:
  - { name: tick, schedule: "*/5 * * * *", work: { do: [{ log: tick }] } }
  - { name: ring, hook: ring, work: { do: [{ pulse: chime, for: 1s }] } }
workqueues:
  slow: { flags: [unbound], max_active: 2 }
`;

/** Presses of each hour; each is two edges. */
const CLEAN = 1_700;
const BOUNCY = 1_100;
const FLAKY = 100;
const DOOR = 700;
const PRESSES = CLEAN + BOUNCY + FLAKY + DOOR;
/** Edges of the storm of each hour, those that are lost, and what a glitch of the contact adds. */
const STORM = 40_000;
const LOST = 3;
const GLITCH = 2;
const TICKS = 12;

const AN_HOUR = `
scenario: 1
steps:
  - { at: 1s, press: clean, hold: 80ms, repeat: { every: 2s, count: ${CLEAN} } }
  - { at: 1500ms, press: bouncy, hold: 100ms, bounce: true, repeat: { every: 3s, count: ${BOUNCY} } }
  - { at: 2s, press: door, hold: 100ms, bounce: true, repeat: { every: 5s, count: ${DOOR} } }
  - { at: 5s, hook: ring, repeat: { every: 60s, count: 59 } }
  - { at: 10min, fault: storm, line: meter, rate: 2000, for: 20s }
  - { at: 20min, fault: lost, line: flaky, count: ${LOST} }
  - { at: 21min, press: flaky, hold: 50ms, repeat: { every: 10s, count: ${FLAKY} } }
  - { at: 1800200ms, fault: unplug, for: 1min }
  - { at: 3000500ms, fault: glitch, line: clean, width: 1ms }
end: ${HOUR_S}s
`;

function parsed(): { config: Config; scenario: Scenario } {
  const config = parseConfig(CONFIG, 'day.yaml');
  if (!config.ok) throw new Error(config.errors[0]?.message);
  const scenario = parseScenario(AN_HOUR, 'hour.yaml', config.config);
  if (!scenario.ok) throw new Error(scenario.errors[0]?.message);
  return { config: config.config, scenario: scenario.scenario };
}

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  // Code that V8 throws away and compiles anew takes the strings of its literals along.
  setFlagsFromString('--no-flush-bytecode');
  return runInNewContext('gc') as () => void;
}

interface Hour {
  readonly heapKiB: number;
  readonly broken: readonly string[];
}

const counts = new Map<string, number>();
/** What failed besides outputs of a chip that is gone, which fail until it is back. */
const errors: string[] = [];
const GONE = 'the GPIO chip is gone';
const hours: Hour[] = [];
let simulation: Simulation;
let cpuS = 0;
let received = 0;
const scratch = mkdtempSync(join(tmpdir(), 'gpio-irqd-day-'));
const [atNoon, atMidnight] = ['noon', 'midnight'].map((name) => join(scratch, `${name}.heapsnapshot`)) as [
  string,
  string,
];

function count(type: string): number {
  return counts.get(type) ?? 0;
}

function line(name: string) {
  const { rising, falling, lost, lineSeqno = 0, storm } = simulation.service.getLine(name);
  return { edges: rising + falling, lost, lineSeqno, leftOut: storm?.leftOut ?? 0 };
}

function saw(event: ControlEvent): void {
  counts.set(event.type, count(event.type) + 1);
  if (event.type === 'error' && !event.message.includes(GONE)) errors.push(`${event.interrupt}: ${event.message}`);
}

beforeAll(async () => {
  const { config, scenario } = parsed();
  const collect = collector();
  simulation = await Simulation.start({ config, configPath: '/day.yaml' });
  simulation.service.subscribe(saw);
  for (let hour = 0; hour < HOURS; hour++) {
    const before = process.cpuUsage();
    await play(simulation, scenario);
    const { user, system } = process.cpuUsage(before);
    cpuS += (user + system) / 1e6;
    const broken = brokenInvariants(simulation, config, true);
    // To the end of the turn V8 keeps whatever has got a WeakRef in it, and how much of an hour is in its last turn is the machine's affair.
    await nextTurn();
    collect();
    hours.push({ heapKiB: process.memoryUsage().heapUsed / 1_024, broken });
    // Read afterwards, so that nothing of the reading is on the heap.
    if (hour + 1 === NOON) writeHeapSnapshot(atNoon);
    if (hour + 1 === HOURS) writeHeapSnapshot(atMidnight);
  }
  received = simulation.service.status().edges.received;
}, 600_000);
afterAll(async () => {
  rmSync(scratch, { recursive: true });
  await simulation.end();
});

describe('a day', () => {
  it('has every edge of a clean contact handled', () => {
    const expected = HOURS * (2 * CLEAN + GLITCH);
    expect(line('clean')).toMatchObject({ edges: expected, lost: 0, lineSeqno: expected });
  });

  it('has two edges of each press of a contact that bounces', () => {
    expect(line('bouncy')).toMatchObject({ edges: HOURS * 2 * BOUNCY, lost: 0 });
  });

  it('has every edge of a storm handled or left out, and counted', () => {
    const { edges, leftOut, lost } = line('meter');
    expect({ known: edges + leftOut, lost }).toEqual({ known: HOURS * STORM, lost: 0 });
    expect(leftOut).toBeGreaterThan(HOURS * STORM * 0.5);
    expect(count('storm')).toBe(2 * HOURS);
  });

  it('counts what is lost', () => {
    expect(line('flaky')).toMatchObject({ edges: HOURS * (2 * FLAKY - LOST), lost: HOURS * LOST });
  });

  it('takes its lines back each time that the chip is gone, and says that it does not know what it has missed', () => {
    expect(count('chip')).toBe(2 * HOURS);
    const { edges, lost } = line('door');
    expect(lost).toBe('unknown');
    // Twelve presses an hour, at most, are in the minute without the chip.
    expect(edges).toBeGreaterThanOrEqual(HOURS * 2 * (DOOR - 13));
    expect(edges).toBeLessThanOrEqual(HOURS * 2 * DOOR);
  });

  it('tells of every edge, and of nothing that failed', () => {
    expect(count('edge')).toBe(received);
    expect(errors).toEqual([]);
    const { dropped, handlerErrors } = simulation.service.status();
    expect({ dropped, handlerErrors }).toEqual({ dropped: 0, handlerErrors: count('error') });
  });

  it('runs its schedule to the minute', () => {
    expect(count('trigger')).toBe(HOURS * (TICKS + 59));
  });

  it('leaves nothing behind at the end of any hour', () => {
    expect(hours.flatMap(({ broken }) => broken)).toEqual([]);
  });

  it('holds no more at midnight than at noon', () => {
    const more = growth(atNoon, atMidnight);
    const heaps = hours.slice(NOON).map(({ heapKiB }) => heapKiB);
    const mebi = (kib: number): string => `${(kib / 1_024).toFixed(2)} MiB`;
    const { leftOut } = line('meter');
    tell('day', [
      ['simulated', `${HOURS} h, in ${cpuS.toFixed(1)} s of CPU`],
      ['edges received', received],
      ['edges left out by the storm guard, and counted', leftOut],
      ['edges lost, and counted', HOURS * LOST],
      ['events told', [...counts.values()].reduce((sum, one) => sum + one, 0)],
      ['times that the chip was gone', HOURS],
      ['presses from noon to midnight', (HOURS - NOON) * PRESSES],
      [
        'held more at midnight than at noon: objects, strings and the like',
        `${more.things}, ${(more.bytes / 1_024).toFixed(1)} KiB`,
      ],
      [
        `whole heap after a collection, with V8's compiled code, hours ${NOON + 1} to ${HOURS}: least, most`,
        `${mebi(Math.min(...heaps))}, ${mebi(Math.max(...heaps))}`,
      ],
    ]);
    const most = JSON.stringify(more.kinds.slice(0, 10), undefined, 1);
    expect(more.things, most).toBeLessThan(MORE_THINGS);
    expect(more.bytes, most).toBeLessThan(MORE_BYTES);
  });
});
