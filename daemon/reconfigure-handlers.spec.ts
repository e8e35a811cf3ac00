// A reload while handlers run and work is under way, in virtual time.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  BASE,
  configOf,
  counts,
  directory,
  during,
  events,
  LINES,
  level,
  MS,
  press,
  reload,
  setUpEach,
  start,
} from './reconfigure.spec-helper.js';
import { changesOf } from './reload-report.js';
import type { Simulation } from './scenario/simulation.js';
import { unprivileged } from './unprivileged.spec-helper.js';

// With the rights of this process, as Node does; here, files are read by another one.
vi.mock('./bridge/import-file.js', async (original) => {
  const { importFile } = await original<typeof import('./bridge/import-file.js')>();
  const readAndImport = async (url: string): Promise<object> => {
    readFileSync(fileURLToPath(url));
    return importFile(url);
  };
  return { importFile: readAndImport };
});

setUpEach();

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
    expect(changesOf(report)).toEqual(['interrupts: ~button1']);
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

  it('stay when the folder of their file may not be gone through any more, until nobody names it', async () => {
    const inner = join(directory, 'inner');
    const text = HANDLER.replace('./handler.mjs', './inner/handler.mjs');
    mkdirSync(inner);
    for (const path of [directory, inner]) chmodSync(path, 0o755);
    writeFileSync(join(inner, 'handler.mjs'), 'export function topHalf(irq, dev) { dev.log("one"); return 1; }\n');
    const sim = await start(text);
    const [same, without] = [configOf(text), configOf(BASE)];
    chmodSync(inner, 0o000);
    const refused = await unprivileged(() => during(sim, sim.service.reconfigure(same)));
    const place = join(inner, 'handler.mjs');
    const why = `${place} cannot be read: permission denied (EACCES); let this user through: sudo chmod o+x ${inner}`;
    expect([refused.ok, refused.errors]).toEqual([false, [why]]);
    await press(sim, 'button1');
    expect(said()).toEqual(['one', 'one']);
    const report = await unprivileged(() => during(sim, sim.service.reconfigure(without)));
    chmodSync(inner, 0o755);
    expect([report.errors, changesOf(report)]).toEqual([[], ['interrupts: ~button1']]);
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
  });
});

describe('reloads while a handler does not end', () => {
  const text = (log: string, more = ''): string =>
    BASE.replace('top_half: [{ follow: led1 }]', `thread: [{ log: ${log} }]`) + more;
  const said = (): string[] => events.flatMap((event) => (event.type === 'log' ? event.text : []));
  const turns = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await nextTurn();
  };
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => vi.useRealTimers());

  /** A service whose handler is in the middle of an edge. @returns ends it */
  async function startHanging(): Promise<[Simulation, end: () => Promise<void>]> {
    const path = join(directory, 'handler.mjs');
    writeFileSync(
      path,
      `export async function threadFn() {
        await new Promise((resolve) => { globalThis.endOfHandler = resolve; });
        return 1;
      }\n`,
    );
    const sim = await start(`lines:${LINES}interrupts: [{ line: button1, handler: ./handler.mjs }]\n`);
    level(sim, 'button1', 1);
    void sim.runUntil(sim.nowNs + MS).catch(() => {});
    await turns(20);
    const end = async (): Promise<void> => {
      (globalThis as { endOfHandler?: () => void }).endOfHandler?.();
      await turns(50);
    };
    return [sim, end];
  }

  /** One whose patience comes to its end. */
  async function reloadInVain(sim: Simulation, config: string): Promise<void> {
    const reloaded = sim.service.reconfigure(configOf(config));
    await turns(5);
    await vi.advanceTimersByTimeAsync(4_000);
    expect((await reloaded).problems).toContain('the interrupt of button1 does not end, and goes on by itself');
  }

  it('have the handlers of the last one take its place, once', async () => {
    const [sim, end] = await startHanging();
    await reloadInVain(sim, text('first'));
    await reloadInVain(sim, text('second'));
    await end();
    level(sim, 'button1', 0);
    await sim.runUntil(sim.nowNs + MS);
    expect(said()).toEqual(['second']);
    expect(counts(sim, 'button1')).toEqual([1, 1]);
    expect(events.filter(({ type }) => type === 'error')).toEqual([]);
  });

  it('leave those of the first to come when the second does not touch them', async () => {
    const [sim, end] = await startHanging();
    await reloadInVain(sim, text('first'));
    const report = await sim.service.reconfigure(configOf(text('first').replace('led2', 'lamp')));
    expect(report.problems).toEqual([]);
    await end();
    level(sim, 'button1', 0);
    await sim.runUntil(sim.nowNs + MS);
    expect(said()).toEqual(['first']);
  });

  it('are all for nothing when the line is taken away', async () => {
    const [sim, end] = await startHanging();
    await reloadInVain(sim, text('first'));
    await reloadInVain(sim, `lines:${LINES.replace(/ *button1.*\n/, '')}`);
    await end();
    expect(sim.service.interrupts().text).not.toContain('button1');
    expect(events.filter(({ type }) => type === 'error')).toEqual([]);
  });
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
