// What a button does, drawn from a seed: presses that bounce, and glitches that are none.
import { VirtualClock } from '../../kernel/index.js';
import type { BounceOptions } from '../../sim-fallback/board/bounce.js';
import { Button } from '../../sim-fallback/board/button.js';
import { mulberry32, type Prng } from '../../sim-fallback/board/prng.js';

const MS = 1_000_000;

/** One time that the contact closes, by a finger or not. Times are ns since the start of the scene. */
export interface Closing {
  readonly atNs: number;
  readonly holdNs: number;
  /** Undefined: one clean edge each way. */
  readonly bounce: BounceOptions | undefined;
  /** A finger's; else noise on the wire. */
  readonly press: boolean;
}

/** A kind of button in a kind of use. */
export interface Scene {
  readonly name: string;
  readonly hold: readonly [minNs: number, maxNs: number];
  readonly gap: readonly [minNs: number, maxNs: number];
  readonly bounce: BounceOptions | undefined;
  readonly press: boolean;
}

export const SCENES: readonly Scene[] = [
  {
    name: 'new button',
    hold: [80 * MS, 120 * MS],
    gap: [120 * MS, 180 * MS],
    bounce: { maxBounces: 8, settleNs: 1.6 * MS },
    press: true,
  },
  {
    name: 'worn button',
    hold: [80 * MS, 120 * MS],
    gap: [120 * MS, 180 * MS],
    bounce: { maxBounces: 6, settleNs: 15 * MS },
    press: true,
  },
  {
    name: 'quick presses',
    hold: [25 * MS, 40 * MS],
    gap: [30 * MS, 60 * MS],
    bounce: { maxBounces: 8, settleNs: 1.6 * MS },
    press: true,
  },
  { name: 'glitches', hold: [0.2 * MS, 1 * MS], gap: [120 * MS, 180 * MS], bounce: undefined, press: false },
];

const between = (prng: Prng, [min, max]: readonly [number, number]): number => Math.round(min + (max - min) * prng());

/** The same seed gives the same closings. */
export function drawScene(scene: Scene, count: number, seed: number): Closing[] {
  const prng = mulberry32(seed);
  const { bounce, press } = scene;
  let atNs = 0;
  return Array.from({ length: count }, () => {
    atNs += between(prng, scene.gap);
    const holdNs = between(prng, scene.hold);
    const closing = { atNs, holdNs, bounce, press };
    atNs += holdNs;
    return closing;
  });
}

/** A scene as the wire sees it: when the contact toggles, and which toggle is the first of each closing. */
export interface Toggles {
  readonly timesNs: readonly number[];
  readonly firstOf: readonly number[];
}

/** Lets the simulator's button play the scene, for wires of other chips. It begins and ends open. */
export function togglesOf(closings: readonly Closing[], seed: number): Toggles {
  const clock = new VirtualClock();
  const timesNs: number[] = [];
  const firstOf: number[] = [];
  const button = new Button('button', clock, mulberry32(seed), () => timesNs.push(clock.now()));
  for (const { atNs, holdNs, bounce } of closings) {
    clock.advance(atNs - clock.now());
    firstOf.push(timesNs.length);
    button.press({ holdNs, ...(bounce === undefined ? {} : { bounce }) });
  }
  clock.advance(1_000 * MS);
  return { timesNs, firstOf };
}
