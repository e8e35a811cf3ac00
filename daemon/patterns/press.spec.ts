// Ways to press a button: against a plain reading of the rules, at every order of edges and of looks at the clock.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PressPattern } from '../config/action-types.js';
import { PressRecognizer, type PressRule } from './press.js';

const MS = 1e6;

function rule(on: PressPattern, times: Partial<Record<'after' | 'within' | 'every', number>> = {}): PressRule {
  const { after = 800, within = 300, every = 200 } = times;
  return { on, afterNs: after * MS, withinNs: within * MS, everyNs: every * MS };
}

type Told = readonly [on: PressPattern, atMs: number, heldMs: number, count: number];

function rig(rules: readonly PressRule[]) {
  const told: Told[] = [];
  const recognizer = new PressRecognizer(rules, (index, atNs, heldNs, count) => {
    told.push([rules[index]?.on ?? 'single', atNs / MS, heldNs / MS, count]);
  });
  return { told, recognizer };
}

/** Presses by their begin and end in ms, with a clock that is looked at whenever it has to be. */
function play(rules: readonly PressRule[], presses: readonly (readonly [number, number])[], endMs = 1e5): Told[] {
  const { told, recognizer } = rig(rules);
  const passTo = (ms: number): void => {
    while (recognizer.dueNs < ms * MS) recognizer.elapse(recognizer.dueNs);
  };
  for (const [pressMs, releaseMs] of presses) {
    passTo(pressMs);
    recognizer.press(pressMs * MS);
    passTo(releaseMs);
    recognizer.release(releaseMs * MS);
  }
  passTo(endMs);
  return told;
}

describe('a single press', () => {
  it('is told at the release, where there is no double', () => {
    expect(play([rule('single')], [[100, 150]])).toEqual([['single', 150, 50, 1]]);
  });

  it('waits for a second press, where there is a double', () => {
    expect(play([rule('single'), rule('double')], [[100, 150]])).toEqual([['single', 450, 50, 1]]);
  });

  it('is none when it is held for long', () => {
    expect(play([rule('single'), rule('long')], [[100, 900]])).toEqual([['long', 900, 800, 1]]);
    expect(play([rule('single'), rule('long')], [[100, 899]])).toEqual([['single', 899, 799, 1]]);
  });
});

describe('a double press', () => {
  const both = [rule('single'), rule('double')];

  it('is told at its second press', () => {
    expect(
      play(both, [
        [100, 150],
        [300, 5_000],
      ]),
    ).toEqual([['double', 300, 0, 1]]);
  });

  it('is two single ones when the second comes late', () => {
    expect(
      play(both, [
        [100, 150],
        [450, 500],
      ]),
    ).toEqual([
      ['single', 450, 50, 1],
      ['single', 800, 50, 1],
    ]);
  });

  it('begins anew with the third', () => {
    expect(
      play(both, [
        [0, 50],
        [100, 150],
        [200, 250],
      ]).map(([on]) => on),
    ).toEqual(['double', 'single']);
  });

  it('is not long besides, however long the second is held', () => {
    const rules = [...both, rule('long'), rule('hold'), rule('release')];
    expect(
      play(rules, [
        [0, 50],
        [100, 5_000],
      ]).map(([on]) => on),
    ).toEqual(['double']);
  });
});

describe('a long press', () => {
  it('is told while it is held, at each of several times', () => {
    const rules = [rule('long', { after: 500 }), rule('long', { after: 2_000 })];
    expect(play(rules, [[0, 3_000]])).toEqual([
      ['long', 500, 500, 1],
      ['long', 2_000, 2_000, 1],
    ]);
  });

  it('repeats while it is held, and is told when it is let go', () => {
    const rules = [rule('hold', { after: 500, every: 200 }), rule('release', { after: 500 })];
    expect(play(rules, [[0, 1_000]])).toEqual([
      ['hold', 500, 500, 1],
      ['hold', 700, 700, 2],
      ['hold', 900, 900, 3],
      ['release', 1_000, 1_000, 1],
    ]);
  });

  it('does not make up for repetitions that nobody looked for, and numbers them', () => {
    const { told, recognizer } = rig([rule('hold', { after: 500, every: 200 })]);
    recognizer.press(0);
    recognizer.elapse(1_350 * MS);
    expect(told).toEqual([['hold', 1_300, 1_300, 5]]);
    expect(recognizer.dueNs).toBe(1_500 * MS);
  });
});

describe('edges that are missing', () => {
  const rules = [rule('single'), rule('long'), rule('hold'), rule('release')];

  it('make no press of two presses without a release', () => {
    const { told, recognizer } = rig(rules);
    recognizer.press(0);
    recognizer.press(100 * MS);
    recognizer.release(150 * MS);
    expect(told).toEqual([['single', 150, 50, 1]]);
  });

  it('make no press of a release alone, nor of a press that was lost', () => {
    const { told, recognizer } = rig(rules);
    recognizer.release(100 * MS);
    recognizer.press(200 * MS);
    recognizer.lost();
    recognizer.elapse(1e4 * MS);
    recognizer.release(2e4 * MS);
    expect(told).toEqual([]);
    expect(recognizer.dueNs).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('a press that something else has claimed', () => {
  it('comes to nothing, from its begin or from the middle', () => {
    const { told, recognizer } = rig([rule('single'), rule('double'), rule('long'), rule('hold')]);
    recognizer.press(0, true);
    recognizer.release(50 * MS);
    recognizer.press(1_000 * MS);
    recognizer.spend();
    recognizer.release(3_000 * MS);
    recognizer.elapse(1e4 * MS);
    expect(told).toEqual([]);
  });

  it('becomes no single or double one after its release either', () => {
    const { told, recognizer } = rig([rule('single'), rule('double')]);
    recognizer.press(0);
    recognizer.release(50 * MS);
    recognizer.spend();
    recognizer.press(100 * MS);
    recognizer.release(150 * MS);
    recognizer.elapse(1e4 * MS);
    expect(told).toEqual([['single', 450, 50, 1]]);
  });

  it('does not take the one before with it', () => {
    const { told, recognizer } = rig([rule('single'), rule('double')]);
    recognizer.press(0);
    recognizer.release(50 * MS);
    recognizer.press(100 * MS, true);
    expect(told).toEqual([['single', 100, 50, 1]]);
  });
});

/** What the rules come to, read plainly: press by press, with the whole story known. */
function expected(rules: readonly PressRule[], presses: readonly (readonly [number, number])[]): Told[] {
  const told: Told[] = [];
  const times = (on: PressPattern) => rules.filter((one) => one.on === on);
  const shortMs = Math.min(
    Number.POSITIVE_INFINITY,
    ...rules.filter(({ on }) => /long|hold|release/.test(on)).map(({ afterNs }) => afterNs / MS),
  );
  const withinMs = (times('double')[0]?.withinNs ?? 0) / MS;
  for (let i = 0; i < presses.length; i++) {
    const [from = 0, to = 0] = presses[i] ?? [];
    const heldMs = to - from;
    for (const { afterNs } of times('long')) {
      if (afterNs / MS <= heldMs) told.push(['long', from + afterNs / MS, afterNs / MS, 1]);
    }
    for (const { afterNs, everyNs } of times('hold')) {
      for (let n = 0; (afterNs + n * everyNs) / MS <= heldMs; n++) {
        const after = (afterNs + n * everyNs) / MS;
        told.push(['hold', from + after, after, n + 1]);
      }
    }
    for (const { afterNs } of times('release')) if (heldMs >= afterNs / MS) told.push(['release', to, heldMs, 1]);
    if (heldMs >= shortMs) continue;
    const nextMs = presses[i + 1]?.[0] ?? Number.POSITIVE_INFINITY;
    if (withinMs > 0 && nextMs < to + withinMs) {
      told.push(['double', nextMs, 0, 1]);
      i++;
    } else {
      for (const _ of times('single')) told.push(['single', to + withinMs, heldMs, 1]);
    }
  }
  return told;
}

const ruleSets = fc
  .record({
    single: fc.boolean(),
    double: fc.option(fc.integer({ min: 1, max: 600 })),
    long: fc.array(fc.integer({ min: 1, max: 2_000 }), { maxLength: 2 }),
    hold: fc.option(fc.record({ after: fc.integer({ min: 1, max: 900 }), every: fc.integer({ min: 10, max: 500 }) })),
    release: fc.option(fc.integer({ min: 1, max: 1_500 })),
  })
  .map(({ single, double, long, hold, release }) => [
    ...(single ? [rule('single')] : []),
    ...(double === null ? [] : [rule('double', { within: double })]),
    ...long.map((after) => rule('long', { after })),
    ...(hold === null ? [] : [rule('hold', hold)]),
    ...(release === null ? [] : [rule('release', { after: release })]),
  ]);

const pressLists = fc
  .array(fc.record({ pause: fc.integer({ min: 1, max: 900 }), held: fc.integer({ min: 1, max: 2_500 }) }), {
    maxLength: 12,
  })
  .map((list) => {
    let ms = 0;
    return list.map(({ pause, held }): readonly [number, number] => {
      const from = ms + pause;
      ms = from + held;
      return [from, ms];
    });
  });

const byTime = (told: readonly Told[]): Told[] =>
  [...told].sort((a, b) => a[1] - b[1] || a[0].localeCompare(b[0]) || a[2] - b[2]);

describe('any presses', () => {
  it('are told as the rules say, in the order of time', () => {
    fc.assert(
      fc.property(ruleSets, pressLists, (rules, presses) => {
        const told = play(rules, presses);
        expect(told.map(([, atMs]) => atMs)).toEqual(told.map(([, atMs]) => atMs).sort((a, b) => a - b));
        expect(byTime(told)).toEqual(byTime(expected(rules, presses)));
      }),
      { numRuns: 500 },
    );
  });

  it('are told no differently by one who looks at the clock late, but for repetitions', () => {
    const withoutHold = ruleSets.map((rules) => rules.filter(({ on }) => on !== 'hold'));
    fc.assert(
      fc.property(withoutHold, pressLists, (rules, presses) => {
        const { told, recognizer } = rig(rules);
        for (const [from, to] of presses) {
          recognizer.press(from * MS);
          recognizer.release(to * MS);
        }
        recognizer.elapse(1e9 * MS);
        expect(byTime(told)).toEqual(byTime(expected(rules, presses)));
      }),
      { numRuns: 300 },
    );
  });
});
