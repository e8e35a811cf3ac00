// A reload of a running service, in virtual time: what changes, what goes on, and what is refused.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LineInfoChange } from '../kernel/index.js';
import type { Config } from './config/config.js';
import { parseConfig } from './config/load.js';
import type { ReloadReport } from './control/target.js';
import { changesOf } from './reload-report.js';
import { Simulation, type SimulationEvent, type SimulationOptions } from './scenario/simulation.js';

const MS = 1_000_000;
const LINES = `
  button1: { gpio: 17, edge: both, bias: pull-down }
  button2: { gpio: 18, edge: both, bias: pull-down }
  led1: { gpio: 4, direction: out }
  led2: { gpio: 5, direction: out }
`;
const BASE = `lines:${LINES}interrupts:\n  - { line: button1, top_half: [{ follow: led1 }] }\n`;

let directory = '';
let configPath = '';
let simulation: Simulation | undefined;
let events: SimulationEvent[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-reconfigure-'));
  configPath = join(directory, 'test.yaml');
  events = [];
});
afterEach(async () => {
  await simulation?.end();
  simulation = undefined;
  rmSync(directory, { recursive: true, force: true });
});

function configOf(text: string): Config {
  const result = parseConfig(text, configPath);
  if (!result.ok) expect.fail(result.errors.map(({ message }) => message).join());
  return result.config;
}

async function start(text: string, options: Partial<SimulationOptions> = {}): Promise<Simulation> {
  simulation = await Simulation.start({ config: configOf(text), configPath, ...options });
  simulation.subscribe((event) => events.push(event));
  return simulation;
}

/** Lets a promise come about that takes time of the simulation, a little of it at a time. */
async function during<T>(sim: Simulation, done: Promise<T>): Promise<T> {
  let over = false;
  const ended = done.finally(() => {
    over = true;
  });
  while (!over) {
    await nextTurn();
    if (!over) await sim.runUntil(sim.nowNs + 10_000);
  }
  return ended;
}

/** Pulls of the simulated chip take 2 µs each, and its watchers are told then. */
async function reload(sim: Simulation, text: string): Promise<ReloadReport> {
  const report = await during(sim, sim.service.reconfigure(configOf(text)));
  await sim.runUntil(sim.nowNs + 100_000);
  return report;
}

function level(sim: Simulation, line: string, value: 0 | 1): void {
  sim.stage.perform({ atNs: 0, action: { kind: 'level', line, value } });
}

async function press(sim: Simulation, line: string): Promise<void> {
  level(sim, line, 1);
  await sim.runUntil(sim.nowNs + MS);
  level(sim, line, 0);
  await sim.runUntil(sim.nowNs + MS);
}

/** What others see of the lines from now on. */
function watch(sim: Simulation, ...offsets: number[]): string[] {
  const seen: string[] = [];
  const chip = sim.device.open();
  const listener = ({ kind, info }: LineInfoChange) => seen.push(`${info.offset} ${kind}`);
  for (const offset of offsets) chip.watchLineInfo(offset, listener);
  return seen;
}

const counts = (sim: Simulation, name: string): number[] => {
  const { rising, falling } = sim.service.getLine(name);
  return [rising, falling];
};

describe('a reload', () => {
  it('of what has not changed touches nothing', async () => {
    const sim = await start(BASE);
    await press(sim, 'button1');
    const seen = watch(sim, 17, 18, 4, 5);
    const before = sim.service.interrupts().text;
    const report = await reload(sim, `# a comment\n${BASE}`);
    expect([report.ok, changesOf(report), report.problems, seen]).toEqual([true, [], [], []]);
    expect(sim.service.interrupts().text).toBe(before);
    expect(events.at(-1)).toMatchObject({ type: 'reload', ok: true, changes: [] });
  });

  it('adds a line and takes one away, and the others neither see it nor stop counting', async () => {
    const sim = await start(BASE);
    await press(sim, 'button1');
    sim.service.setLine('led1', 1);
    const seen = watch(sim, 17, 18, 4, 5, 22);
    const report = await reload(sim, BASE.replace('button2: { gpio: 18', 'door: { gpio: 22').replace('led2', 'lamp'));
    expect(changesOf(report)).toEqual(['lines: +door +lamp -button2 -led2']);
    // The line of the lamp stays; the other button is held as long as the first one of its request is.
    expect(seen.sort()).toEqual(['18 reconfigured', '22 requested']);
    expect(sim.service.getLine('led1').value).toBe(1);
    expect(() => sim.service.getLine('button2')).toThrow(/no line button2/);
    await press(sim, 'button1');
    level(sim, 'GPIO22', 1);
    await sim.runUntil(sim.nowNs + MS);
    expect([counts(sim, 'button1'), counts(sim, 'door')]).toEqual([
      [2, 2],
      [1, 0],
    ]);
  });

  it('exchanges actions, and counts on', async () => {
    const sim = await start(BASE);
    await press(sim, 'button1');
    const seen = watch(sim, 17, 18, 4, 5);
    const report = await reload(sim, BASE.replace('follow: led1', 'follow: led2'));
    expect([changesOf(report), seen]).toEqual([['interrupts: ~button1'], []]);
    level(sim, 'button1', 1);
    await sim.runUntil(sim.nowNs + MS);
    expect(['led1', 'led2'].map((name) => sim.service.getLine(name).value)).toEqual([0, 1]);
    expect(counts(sim, 'button1')).toEqual([2, 1]);
    expect(sim.service.getLine('button1')).toMatchObject({ lost: 0, lineSeqno: 3 });
  });

  it('changes how a line is read without letting go of it', async () => {
    const sim = await start(BASE);
    await press(sim, 'button2');
    const seen = watch(sim, 17, 18);
    await reload(sim, BASE.replace('gpio: 18, edge: both', 'gpio: 18, edge: rising'));
    expect(seen).toEqual(['18 reconfigured']);
    await press(sim, 'button2');
    expect(counts(sim, 'button2')).toEqual([2, 1]);
    expect(sim.service.getLine('button2').lost).toBe(0);
  });

  it('counts the edges of a line that is used for something else from 0', async () => {
    const sim = await start(BASE);
    await press(sim, 'button1');
    await reload(sim, BASE.replaceAll('button1', 'bell'));
    expect([counts(sim, 'bell'), sim.service.getLine('bell').lost]).toEqual([[0, 0], 0]);
    await press(sim, 'GPIO17');
    expect(counts(sim, 'bell')).toEqual([1, 1]);
  });

  it('says what takes effect only at the next start', async () => {
    const sim = await start(BASE);
    const { ok, restart } = await reload(sim, `driver: sim\nevent_buffer: 64\n${BASE}`);
    expect([ok, restart.map(({ key }) => key)]).toEqual([true, ['driver', 'event_buffer']]);
    // Not forgotten by the next one.
    expect((await reload(sim, `driver: sim\n${BASE}`)).restart.map(({ key }) => key)).toEqual(['driver']);
  });

  it('is refused for a line that the chip has not, and everything stays as it was', async () => {
    const sim = await start(`chip: gpiochip0\n${BASE}`);
    const seen = watch(sim, 17, 18, 4, 5);
    const report = await reload(sim, `chip: gpiochip0\n${BASE.replace('gpio: 5', 'gpio: 60')}`);
    expect([report.ok, report.errors, seen]).toEqual([
      false,
      [expect.stringMatching(/^line led2: the simulated chip has no GPIO60: it has GPIO0 to GPIO53$/)],
      [],
    ]);
    expect(events.at(-1)).toMatchObject({ type: 'reload', ok: false, errors: report.errors });
    expect(sim.service.getLine('led2').gpio).toBe(5);
  });

  it('waits for a line that somebody else has, and does the rest', async () => {
    const sim = await start(BASE);
    const other = sim.device.open().requestLines({ lines: [{ offset: 22, direction: 'in' }], consumer: 'w1-gpio' });
    const report = await reload(sim, BASE.replace('gpio: 5', 'gpio: 22'));
    expect([report.ok, report.problems]).toEqual([true, ["led2 is held by 'w1-gpio'"]]);
    other.release();
    await sim.runUntil(sim.nowNs + MS);
    expect(sim.service.getLine('led2').waitingFor).toBeUndefined();
  });

  it('while the chip is gone is in effect when it is back', async () => {
    const sim = await start(BASE);
    sim.device.unplug();
    await sim.runUntil(sim.nowNs + MS);
    const report = await reload(sim, BASE.replace('led2: { gpio: 5', 'lamp: { gpio: 6'));
    expect([report.ok, report.problems]).toEqual([true, [expect.stringMatching(/^the GPIO chip is gone/)]]);
    sim.device.plug();
    await sim.runUntil(sim.nowNs + 1e9);
    sim.service.setLine('lamp', 1);
    expect(sim.service.getLine('lamp').value).toBe(1);
  });

  it('gives a stop the time to follow it, and comes not after one', async () => {
    const sim = await start(BASE);
    const reloading = sim.service.reconfigure(configOf(BASE.replace('led2', 'lamp')));
    await nextTurn();
    const stopped = sim.end();
    expect((await reloading).ok).toBe(true);
    await stopped;
    expect((await sim.service.reconfigure(configOf(BASE))).errors).toEqual(['the daemon is stopping']);
  });
});

describe('handlers that run', () => {
  const HANDLER = `lines:${LINES}interrupts: [{ line: button1, handler: ./handler.mjs }]\n`;
  const handler = (text: string): void => writeFileSync(join(directory, 'handler.mjs'), text);
  const said = (): string[] => events.flatMap((event) => (event.type === 'log' ? event.text : []));

  it('are loaded anew when their file is another, with the lines as they are then; others keep what they have', async () => {
    handler('let n = 0; export function topHalf(irq, dev) { dev.log("one " + ++n); return 1; }\n');
    const sim = await start(HANDLER);
    await press(sim, 'button1');
    await reload(sim, HANDLER.replace('led2', 'lamp'));
    await press(sim, 'button1');
    handler('export function topHalf(irq, dev) { dev.log("two " + Object.keys(dev.lines)); return 1; }\n');
    const report = await reload(sim, HANDLER.replace('led2', 'lamp'));
    expect(changesOf(report)).toEqual([]);
    await press(sim, 'button1');
    const lines = 'two button1,button2,led1,lamp';
    expect(said()).toEqual(['one 1', 'one 2', 'one 3', 'one 4', lines, lines]);
    expect(counts(sim, 'button1')).toEqual([3, 3]);
  });

  it('stay when the new ones cannot be loaded', async () => {
    handler('export function topHalf(irq, dev) { dev.log("one"); return 1; }\n');
    const sim = await start(HANDLER);
    handler('export function topHalf( {\n');
    const report = await reload(sim, HANDLER.replace('led2', 'lamp'));
    expect([report.ok, report.errors]).toEqual([false, [expect.stringMatching(/handler\.mjs cannot be loaded/)]]);
    await press(sim, 'button1');
    expect([said(), sim.service.getLine('led2').gpio]).toEqual([['one', 'one'], 5]);
  });

  it('are waited for, and edges that come meanwhile are the new ones', async () => {
    handler('export function* threadFn(irq, dev) { yield* dev.kernel.msleep(50); dev.log("old"); return 1; }\n');
    const sim = await start(HANDLER);
    level(sim, 'button1', 1);
    await sim.runUntil(sim.nowNs + MS);
    const reloading = sim.service.reconfigure(
      configOf(BASE.replace('top_half: [{ follow: led1 }]', 'thread: [{ log: new }]')),
    );
    level(sim, 'button1', 0);
    await during(sim, reloading);
    await sim.runUntil(sim.nowNs + MS);
    expect(said()).toEqual(['old', 'new']);
    expect(counts(sim, 'button1')).toEqual([1, 1]);
  });

  it('that do not end hold up only their own line, which has the new ones when they have ended', async () => {
    handler(`export async function threadFn(irq, dev) {
      await new Promise((resolve) => { globalThis.endOfHandler = resolve; });
      dev.log('old');
      return 1;
    }\n`);
    const sim = await start(HANDLER);
    level(sim, 'button1', 1);
    // Not in virtual time, which waits for the handler.
    const turns = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await nextTurn();
    };
    void sim.runUntil(sim.nowNs + MS).catch(() => {});
    await turns(20);
    const report = await sim.service.reconfigure(
      configOf(BASE.replace('top_half: [{ follow: led1 }]', 'thread: [{ log: new }]').replace('led2', 'lamp')),
    );
    expect(report.problems).toEqual(['the interrupt of button1 does not end, and goes on by itself']);
    expect(sim.service.getLine('lamp').gpio).toBe(5);
    const { endOfHandler } = globalThis as { endOfHandler?: () => void };
    endOfHandler?.();
    await turns(50);
    await press(sim, 'button1');
    expect(said()).toContain('new');
  }, 30_000);
});

describe('work', () => {
  const WORK = `lines:${LINES}workqueues: { slow: { max_active: 1 } }
interrupts:
  - { line: button1, work: { queue: slow, do: [{ exec: [/bin/first, "{edge}"] }] } }
`;

  it('that has begun is done as it was, and its queue ends then; what comes after is done by the new one', async () => {
    const done: string[] = [];
    let goOn: () => void = () => {};
    const exec = async ([program = '', edge = '']: readonly string[]): Promise<string> => {
      if (program === '/bin/first') await new Promise<void>((resolve) => (goOn = resolve));
      done.push(`${program} ${edge}`);
      return '';
    };
    const sim = await start(WORK, { exec });
    level(sim, 'button1', 1);
    const running = sim.runUntil(sim.nowNs + MS);
    await nextTurn();
    const report = await sim.service.reconfigure(
      configOf(WORK.replace('first', 'second').replace('max_active: 1', 'max_active: 2')),
    );
    expect([changesOf(report), report.problems, done]).toEqual([['interrupts: ~button1', 'workqueues: ~slow'], [], []]);
    goOn();
    await running;
    level(sim, 'button1', 0);
    await sim.runUntil(sim.nowNs + MS);
    expect(done).toEqual(['/bin/first rising', '/bin/second falling']);
  });

  it('of triggers and chords begins anew when they, or what they name, have changed', async () => {
    const text = (queue: string, hook: string): string => `${BASE}workqueues: { slow: { ${queue} } }
triggers: [{ name: ring, hook: ${hook}, work: { queue: slow, do: [{ toggle: led2 }] } }]
`;
    const sim = await start(text('max_active: 1', 'ring'));
    sim.hook('ring');
    await sim.runUntil(sim.nowNs + MS);
    await reload(sim, text('max_active: 2', 'ring'));
    sim.hook('ring');
    await sim.runUntil(sim.nowNs + MS);
    expect(sim.service.getLine('led2').value).toBe(0);
    await reload(sim, text('max_active: 2', 'bell'));
    expect(() => sim.hook('ring')).toThrow(/no hook ring/);
    sim.hook('bell');
    await sim.runUntil(sim.nowNs + MS);
    expect(sim.service.getLine('led2').value).toBe(1);
  });
});

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

describe('many reloads', () => {
  it('leave no more tasks, interrupts and files behind than a few', async () => {
    const text = (i: number): string => `chips: { expander: label:mcp23017 }
lines:
  button1: { gpio: 17, edge: ${i % 2 === 0 ? 'both' : 'rising'}, bias: pull-down }
  button2: { gpio: ${18 + (i % 3)}, edge: both, storm_guard: { rate: ${100 + (i % 2)} } }
  far${i % 2}: { gpio: 3, chip: expander, edge: both }
  led1: { gpio: 4, direction: out }
workqueues: { slow: { max_active: ${1 + (i % 2)} } }
interrupts:
  - { line: button1, thread: [{ log: "${i}" }], work: { queue: slow, do: [{ toggle: led1 }] } }
`;
    const sim = await start(text(0));
    const left = async (from: number, to: number): Promise<number[]> => {
      for (let i = from; i < to; i++) {
        await reload(sim, text(i));
        await press(sim, 'button1');
      }
      await sim.runUntil(sim.nowNs + 400e9);
      const { machine } = sim;
      const files = machine.files.list('/proc/irq').length;
      return [machine.tasks.size, [...machine.irqs].length, files];
    };
    const few = await left(1, 13);
    expect(await left(13, 73)).toEqual(few);
    expect(counts(sim, 'button1')[0]).toBe(72);
  }, 60_000);
});

describe('any reloads', () => {
  it('lose no edge of a line that they all have', async () => {
    const config = fc.record({
      second: fc.constantFrom(
        '',
        '  button2: { gpio: 18, edge: both, bias: pull-down }\n',
        '  lamp: { gpio: 18, direction: out }\n',
      ),
      action: fc.constantFrom(
        '',
        'top_half: [{ follow: led1 }]',
        'thread: [{ log: pressed }]',
        'work: { queue: slow, do: [{ toggle: led1 }] }',
      ),
      active: fc.constantFrom(1, 2),
      name: fc.constantFrom('button1', 'gpiomod'),
    });
    const text = ({ second, action, active, name }: typeof config extends fc.Arbitrary<infer T> ? T : never): string =>
      `lines:
  button1: { gpio: 17, edge: both, bias: pull-down }
  led1: { gpio: 4, direction: out }
${second}workqueues: { slow: { max_active: ${active} } }
${action === '' ? '' : `interrupts: [{ line: button1, name: ${name}, ${action} }]\n`}`;
    await fc.assert(
      fc.asyncProperty(
        fc.array(config, { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 20, max: 60 }),
        async ([first, ...rest], gap) => {
          if (first === undefined) return;
          const sim = await start(text(first));
          let toggles = 0;
          for (const next of rest) {
            const reloading = sim.service.reconfigure(configOf(text(next)));
            for (let i = 0; i < 4; i++) {
              level(sim, 'button1', ++toggles % 2 === 1 ? 1 : 0);
              await nextTurn();
              await sim.runUntil(sim.nowNs + gap * 1_000);
            }
            expect((await during(sim, reloading)).problems).toEqual([]);
          }
          await sim.runUntil(sim.nowNs + 10 * MS);
          const [rising = 0, falling = 0] = counts(sim, 'button1');
          expect([rising + falling, sim.service.getLine('button1').lost]).toEqual([toggles, 0]);
          await sim.end();
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);
});
