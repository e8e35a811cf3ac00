// Random scenarios: presses, levels and faults for the lines of a configuration; equal seeds give equal scenarios.

import { mulberry32, type Prng } from '../../sim-fallback/board/prng.js';
import type { BounceOptions, Fault, Step, StepAction } from '../../sim-fallback/index.js';
import type { Config } from '../config/config.js';

/** Length of the part in which something happens, and of the rest after it, in ns. */
export const BUSY_NS = 10e9;
export const REST_NS = 10e9;
const MAX_STEPS = 60;
const MS = 1e6;
/** Time between two presses of a button, for its bounce. */
const BETWEEN_PRESSES_NS = 40 * MS;

/** Draws from a sequence. */
class Draw {
  readonly #prng: Prng;

  constructor(seed: number) {
    this.#prng = mulberry32(seed);
  }

  /** A whole number, `min` to `max`. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.#prng() * (max - min + 1));
  }

  /** A duration whose order of magnitude is as random as its digits, in whole µs. */
  span(minNs: number, maxNs: number): number {
    const ns = minNs * (maxNs / minNs) ** this.#prng();
    return Math.max(1_000, Math.round(ns / 1_000) * 1_000);
  }

  one<T>(list: readonly T[]): T | undefined {
    return list[this.whole(0, list.length - 1)];
  }

  chance(part: number): boolean {
    return this.#prng() < part;
  }
}

type Kind = 'press' | 'level' | Fault['fault'];
/** What happens how often. */
const KINDS: readonly Kind[] = [
  ...Array<Kind>(10).fill('press'),
  ...Array<Kind>(5).fill('level'),
  ...(['bounce', 'glitch', 'glitch', 'storm', 'stuck', 'lost', 'late', 'overflow', 'unplug'] as const),
];

/** The steps of one round, in the order of time. */
export function randomSteps({ lines }: Pick<Config, 'lines'>, seed: number): Step[] {
  const draw = new Draw(seed);
  const inputs = lines.filter(({ direction }) => direction === 'in').map(({ name }) => name);
  const count = draw.whole(3, MAX_STEPS);
  const times = randomTimes(draw, count);
  const free = new Map<string, number>();
  const steps: Step[] = [];
  for (const atNs of times) {
    const kind = draw.one(KINDS) ?? 'press';
    const line = draw.one(inputs);
    if (line === undefined) break;
    const action = actionOf(draw, kind, line, (free.get(line) ?? 0) <= atNs);
    if (action === undefined) continue;
    if (action.kind === 'press') free.set(line, atNs + (action.holdNs ?? 0) + BETWEEN_PRESSES_NS);
    steps.push({ atNs, action });
  }
  // Wires are taken away in the end, so that the lines come to rest.
  for (const line of inputs) steps.push({ atNs: BUSY_NS, action: { kind: 'level', line, value: 'float' } });
  return steps;
}

/** Times all over the round, some of them close behind another. */
function randomTimes(draw: Draw, count: number): number[] {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const close = times.length > 0 && draw.chance(0.3);
    const atNs = close
      ? (draw.one(times) ?? 0) + draw.span(1_000, 20 * MS)
      : draw.whole(1, BUSY_NS / 1_000 - 1) * 1_000;
    times.push(Math.min(atNs, BUSY_NS - 1));
  }
  return times.sort((a, b) => a - b);
}

function bounceOf(draw: Draw): Required<BounceOptions> {
  return { maxBounces: draw.whole(1, 12), settleNs: draw.span(0.1 * MS, 10 * MS), spacing: draw.whole(1, 10) / 10 };
}

function actionOf(draw: Draw, kind: Kind, line: string, free: boolean): StepAction | undefined {
  if (kind === 'press') {
    if (!free) return undefined;
    return { kind, line, holdNs: draw.span(10_000, 500 * MS), bounce: draw.chance(0.6) ? bounceOf(draw) : undefined };
  }
  if (kind === 'level') return { kind, line, value: draw.chance(0.3) ? 'float' : draw.chance(0.5) ? 1 : 0 };
  return { kind: 'fault', fault: faultOf(draw, kind, line) };
}

function faultOf(draw: Draw, fault: Fault['fault'], line: string): Fault {
  switch (fault) {
    case 'bounce':
      return { fault, line, bounce: bounceOf(draw) };
    case 'glitch':
      return { fault, line, widthNs: draw.whole(1, 20_000) };
    case 'storm':
      return { fault, line, ratePerSec: draw.whole(100, 20_000), forNs: draw.span(MS, 200 * MS) };
    case 'stuck':
      return { fault, line, value: draw.chance(0.5) ? 1 : 0, forNs: draw.span(0.1 * MS, 1000 * MS) };
    case 'lost':
      return { fault, line, count: draw.whole(1, 20) };
    case 'late':
      return { fault, byNs: draw.span(0.01 * MS, 100 * MS), forNs: draw.span(MS, 1000 * MS) };
    case 'overflow':
      return { fault, forNs: draw.span(MS, 1000 * MS) };
    case 'unplug':
      return { fault, forNs: draw.span(MS, 2000 * MS) };
  }
}
