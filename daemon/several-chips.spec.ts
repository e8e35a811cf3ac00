// A service with several chips, in virtual time, and reloads that bring and take them.
import { describe, expect, it } from 'vitest';
import { counts, during, events, MS, press, reload, setUpEach, start, watch } from './reconfigure.spec-helper.js';
import { changesOf } from './reload-report.js';
import type { Simulation } from './scenario/simulation.js';

setUpEach();

describe('several chips', () => {
  const CHIPS = (more = ''): string => `chips: { expander: label:mcp23017 }
lines:
  button1: { gpio: 3, edge: both, bias: pull-down }
  far1: { gpio: 3, chip: expander, edge: both, bias: pull-down }
  far2: { gpio: 4, chip: expander, direction: out }
${more}interrupts:
  - { line: far1, top_half: [{ follow: far2 }] }
`;
  const ONE = 'lines: { button1: { gpio: 3, edge: both, bias: pull-down } }';
  const far = (sim: Simulation): Promise<void> => during(sim, sim.service.press('far1', { forNs: MS, bounce: false }));

  it('have lines of the same number, each with interrupts, counts and events of its own', async () => {
    const sim = await start(CHIPS());
    await press(sim, 'button1');
    await far(sim);
    await far(sim);
    expect([counts(sim, 'button1'), counts(sim, 'far1')]).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(sim.service.getLine('far1')).toMatchObject({ chip: 'expander', lost: 0, value: 0 });
    expect(sim.service.getLine('button1')).not.toHaveProperty('chip');
    expect(sim.service.status().chips).toMatchObject([
      { id: 'chip', name: 'gpiochip0', lines: 54 },
      { id: 'expander', name: 'gpiochip1', label: 'mcp23017', lines: 16 },
    ]);
    expect(sim.service.interrupts().text).toMatch(/gpiochip0 +3 Edge +button1\n.*gpiochip1 +3 Edge +far1/);
    expect(events.filter((event) => event.type === 'value').map((event) => event.value)).toEqual([1, 0, 1, 0]);
  });

  it('are scenes of a scenario by their lines, and are away each by itself', async () => {
    const sim = await start(CHIPS());
    await press(sim, 'far1');
    expect([counts(sim, 'button1'), counts(sim, 'far1')]).toEqual([
      [0, 0],
      [1, 1],
    ]);
    sim.stage.perform({ atNs: 0, action: { kind: 'fault', fault: { fault: 'lost', line: 'far1', count: 1 } } });
    await press(sim, 'far1');
    expect([sim.service.getLine('far1').lost, sim.service.getLine('button1').lost]).toEqual([1, 0]);
    sim.stage.perform({ atNs: 0, action: { kind: 'fault', fault: { fault: 'unplug', forNs: undefined } } });
    await sim.runUntil(sim.nowNs + MS);
    await press(sim, 'far1');
    expect([sim.service.getLine('button1').value, counts(sim, 'far1')]).toEqual(['unknown', [2, 3]]);
    expect(events.find((event) => event.type === 'chip')).not.toHaveProperty('chip');
    expect(sim.service.status().problem).toMatch(/^the GPIO chip is gone/);
  });

  it('come and go with a reload, and the first one is not touched', async () => {
    const sim = await start(ONE);
    const seen = watch(sim, 3);
    expect(changesOf(await reload(sim, CHIPS()))).toEqual([
      'chips: +expander',
      'lines: +far1 +far2',
      'interrupts: +far1',
    ]);
    await far(sim);
    expect(counts(sim, 'far1')).toEqual([1, 1]);
    await reload(sim, CHIPS('  far5: { gpio: 5, chip: expander, edge: both }\n'));
    await far(sim);
    expect([counts(sim, 'far1'), counts(sim, 'far5')]).toEqual([
      [2, 2],
      [0, 0],
    ]);
    await reload(sim, ONE);
    expect([sim.service.status().chips?.length, seen]).toEqual([1, []]);
    expect(sim.service.interrupts().text).not.toContain('gpiochip1');
    await press(sim, 'button1');
    expect(counts(sim, 'button1')).toEqual([1, 1]);
  });

  it('that have too few lines are refused before anything is touched', async () => {
    const sim = await start(ONE);
    const { ok, errors } = await reload(sim, CHIPS('  far60: { gpio: 60, chip: expander }\n'));
    expect([ok, errors]).toEqual([false, [expect.stringMatching(/^line far60: the simulated chip has no GPIO60/)]]);
    expect(sim.service.status().chips).toHaveLength(1);
  });
});
