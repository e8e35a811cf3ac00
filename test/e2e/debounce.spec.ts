// The three ways to debounce that docs/debounce.md describes, as the examples have them, in virtual time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge } from '../../bench/debounce/judge.js';
import { drawScene, SCENES, togglesOf } from '../../bench/debounce/scenes.js';
import { playSimulated } from '../../bench/debounce/simulator.js';
import { configOf, PRESSED, WAYS, type Way } from '../../bench/debounce/ways.js';
import { Simulation } from '../../daemon/scenario/simulation.js';

const MS = 1_000_000;
const SEED = 3;

function wayNamed(name: string): Way {
  const way = WAYS.find((candidate) => candidate.name === name);
  if (way === undefined) throw new Error(`no way ${name}`);
  return way;
}

async function play(way: string, scene: string, count = 60, seed = SEED) {
  const drawn = SCENES.find(({ name }) => name === scene);
  if (drawn === undefined) throw new Error(`no scene ${scene}`);
  return playSimulated(wayNamed(way), drawScene(drawn, count, seed), seed);
}

/** Presses a button without bounce, for each of these times and durations in ms; when it was told, in ms. */
async function told(way: string, presses: readonly (readonly [atMs: number, holdMs: number])[]): Promise<number[]> {
  const simulation = await Simulation.start(configOf(wayNamed(way)));
  const times: number[] = [];
  simulation.subscribe((event) => {
    if (event.type === 'log' && event.text === PRESSED) times.push(event.atNs / MS);
  });
  for (const [atMs, holdMs] of presses) {
    await simulation.runUntil(atMs * MS);
    simulation.board.press('button', { holdNs: holdMs * MS });
  }
  await simulation.runUntil(simulation.nowNs + 1_000 * MS);
  await simulation.end();
  return times;
}

const QUICK = { presses: 60, falsePresses: 0, missed: 0 };

describe('a button that bounces', () => {
  it('gives many false presses without debounce', async () => {
    const { falsePresses, missed } = await play('none', 'new button');
    expect(falsePresses).toBeGreaterThan(60);
    expect(missed).toBe(0);
  });

  it.each(['kernel, 20 ms', 'timestamps, 50 ms', 'delayed work, 20 ms'])(
    'is told once a press by %s, new or worn',
    async (way) => {
      for (const scene of ['new button', 'worn button']) expect(await play(way, scene)).toMatchObject(QUICK);
    },
  );

  it('gets through a debounce that is shorter than its rebounds', async () => {
    const { falsePresses } = await play('kernel, 5 ms', 'worn button', 300);
    expect(falsePresses).toBeGreaterThan(0);
  });
});

describe('debounce by the kernel', () => {
  it('tells a press when the line has been still for its period', async () => {
    const [at = 0] = await told('kernel, 20 ms', [[10, 100]]);
    expect(at).toBeGreaterThanOrEqual(30);
    expect(at).toBeLessThan(30.1);
  });

  it('misses a press that is shorter than its period', async () => {
    expect(await told('kernel, 20 ms', [[10, 19]])).toEqual([]);
  });
});

describe('debounce by timestamps', () => {
  it('tells a press at its first edge', async () => {
    const [at = 0] = await told('timestamps, 50 ms', [[10, 100]]);
    expect(at).toBeLessThan(10.1);
  });

  it('takes a glitch for a press', async () => {
    expect(await told('timestamps, 50 ms', [[10, 0.01]])).toHaveLength(1);
  });

  it('misses a press within 50 ms after the release before', async () => {
    expect(
      await told('timestamps, 50 ms', [
        [100, 60],
        [205, 60],
        [320, 60],
      ]),
    ).toEqual([expect.closeTo(100, 0), expect.closeTo(320, 0)]);
  });
});

describe('debounce by delayed work', () => {
  it('tells a press by the level after the line was disabled for 20 ms, rounded up to a jiffy', async () => {
    const [at = 0] = await told('delayed work, 20 ms', [[10, 100]]);
    expect(at).toBeGreaterThanOrEqual(30);
    expect(at).toBeLessThanOrEqual(34.1);
  });

  it('takes no glitch for a press', async () => {
    expect(await play('delayed work, 20 ms', 'glitches')).toMatchObject({ falsePresses: 0 });
  });

  it('hears of a release that came while the line was disabled, and so of the next press', async () => {
    expect(
      await told('delayed work, 20 ms', [
        [100, 30],
        [160, 30],
        [220, 30],
      ]),
    ).toHaveLength(3);
  });

  it('ends without a complaint while the line is disabled', async () => {
    const simulation = await Simulation.start(configOf(wayNamed('delayed work, 20 ms')));
    const errors: string[] = [];
    simulation.subscribe((event) => {
      if (event.type === 'error') errors.push(event.message);
    });
    simulation.board.press('button', { holdNs: 100 * MS });
    await simulation.runUntil(simulation.nowNs + 5 * MS);
    await simulation.end();
    await simulation.runUntil(simulation.nowNs + 100 * MS);
    expect(errors).toEqual([]);
  });
});

describe('a scene', () => {
  it('is the same for the same seed', () => {
    for (const scene of SCENES) {
      expect(drawScene(scene, 20, 5)).toEqual(drawScene(scene, 20, 5));
      expect(drawScene(scene, 20, 6)).not.toEqual(drawScene(scene, 20, 5));
    }
  });

  it('begins and ends open on the wire, with each closing at its time', () => {
    for (const scene of SCENES) {
      const closings = drawScene(scene, 50, SEED);
      const { timesNs, firstOf } = togglesOf(closings, SEED);
      expect(timesNs.length % 2).toBe(0);
      expect(firstOf.every((first) => first % 2 === 0)).toBe(true);
      expect(firstOf.map((first) => timesNs[first])).toEqual(closings.map(({ atNs }) => atNs));
    }
  });
});

describe('the verdict', () => {
  const times = fc
    .uniqueArray(fc.integer({ min: 0, max: 1_000 }), { maxLength: 30 })
    .map((all) => all.sort((a, b) => a - b));

  it('counts each telling once, and each press as told or missed', () => {
    fc.assert(
      fc.property(times, times, fc.boolean(), (closedNs, toldNs, press) => {
        const { presses, falsePresses, missed, latenciesNs } = judge({ closedNs, press, toldNs });
        expect(latenciesNs.length + falsePresses).toBe(toldNs.length);
        expect(latenciesNs.length + missed).toBe(presses);
        expect(latenciesNs.every((ns) => ns >= 0)).toBe(true);
        const mean = toldNs.map((told) => closedNs.filter((at) => at <= told).length);
        const answered = new Set(mean.filter((closing) => closing > 0)).size;
        expect(latenciesNs.length).toBe(press ? answered : 0);
      }),
    );
  });
});
