// Actions as configurations have them, from the edge on the wire to what is seen outside: in virtual time, where nothing goes out.

import { afterEach, describe, expect, it } from 'vitest';
import { IRQF_ONESHOT } from '../../kernel/index.js';
import { parseConfig } from '../config/load.js';
import { Simulation, type SimulationEvent, type SimulationOptions } from '../scenario/simulation.js';

const MS = 1e6;

const LINES = `
lines:
  button: { gpio: 17, edge: both, bias: pull-down }
  other: { gpio: 18, edge: both, bias: pull-down }
  led: { gpio: 4, direction: out }
  relay: { gpio: 5, direction: out }
mqtt: { url: mqtt://localhost }
`;

let simulation: Simulation | undefined;
afterEach(() => simulation?.end());

async function start(text: string, options: Partial<SimulationOptions> = {}) {
  const configPath = '/etc/gpio-irqd/config.yaml';
  const result = parseConfig(LINES + text, configPath);
  if (!result.ok) throw new Error(result.errors.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  const sim = await Simulation.start({ config: result.config, configPath, ...options });
  simulation = sim;
  const events: SimulationEvent[] = [];
  sim.subscribe((event) => events.push(event));
  const level = (line: string, value: 0 | 1): void =>
    sim.stage.perform({ atNs: 0, action: { kind: 'level', line, value } });
  const pass = (ms: number): Promise<void> => sim.runUntil(sim.nowNs + ms * MS);
  /** Holds a button, and lets it go. */
  const press = async (line: string, heldMs: number): Promise<void> => {
    level(line, 1);
    await pass(heldMs);
    level(line, 0);
    await pass(1);
  };
  /** Events of a type, as `pick` shows them. */
  const seen = <T extends SimulationEvent['type']>(
    type: T,
    pick: (event: Extract<SimulationEvent, { type: T }>) => unknown,
  ): unknown[] =>
    events.filter((event): event is Extract<SimulationEvent, { type: T }> => event.type === type).map(pick);
  const said = (): unknown[] => seen('log', ({ text }) => text);
  const values = (of: string): unknown[] =>
    seen('value', ({ line, value, atNs }) => [line, value, Math.round(atNs / MS)]).filter(
      (value) => Array.isArray(value) && value[0] === of,
    );
  return { sim, level, pass, press, seen, said, values };
}

const interrupt = (rest: string): string => `interrupts: [{ line: button, name: b, ${rest} }]`;

describe('lines', () => {
  it.each(['top_half: [ACTION]', 'tasklet: [ACTION]', 'thread: [ACTION]', 'work: { do: [ACTION] }'])(
    'follow the button, inverted or not, in %s',
    async (where) => {
      const actions = '{ follow: led }, { follow: relay, invert: true }';
      const { sim, level, pass } = await start(interrupt(where.replace('ACTION', actions)));
      for (const value of [1, 0, 1] as const) {
        level('button', value);
        await pass(1);
        expect([sim.line('led').value, sim.line('relay').value]).toEqual([value, 1 - value]);
      }
    },
  );

  it('are pulsed, and prolonged by the next press', async () => {
    const { press, pass, values } = await start(interrupt('top_half: [{ pulse: relay, for: 200ms }]'));
    await press('button', 100);
    await pass(1_000);
    expect(values('relay')).toEqual([
      ['relay', 1, 0],
      ['relay', 1, 100],
      ['relay', 0, 300],
    ]);
  });

  it('are put back from a pulse when the daemon stops', async () => {
    const { sim, level, pass, values } = await start(interrupt('top_half: [{ pulse: relay, for: 1h }]'));
    level('button', 1);
    await pass(1);
    expect(sim.line('relay').value).toBe(1);
    await sim.end();
    expect(values('relay').at(-1)).toEqual(['relay', 0, 1]);
  });

  it('that are set by hand are cut off from their pulse', async () => {
    const { sim, level, pass } = await start(interrupt('top_half: [{ pulse: relay, for: 200ms }]'));
    level('button', 1);
    await pass(1);
    sim.service.setLine('relay', 1);
    await pass(1_000);
    expect(sim.line('relay').value).toBe(1);
  });

  it('are toggled by a tasklet for every edge of a burst', async () => {
    const { sim, level, pass } = await start(interrupt('tasklet: [{ toggle: led }]'));
    for (let i = 0; i < 7; i++) {
      level('button', i % 2 === 0 ? 1 : 0);
      await pass(0.01);
    }
    expect(sim.line('led').value).toBe(1);
    expect(sim.service.trace()).toContain('b.tasklet');
  });
});

describe('what goes out', () => {
  it('is recorded, and does not', async () => {
    const work = `work: { do: [
      { exec: [/bin/x, "{line}"], env: { N: "{seqno}" } },
      { http: "https://x.org/{edge}?n={seqno}", method: PUT, body: "{line}", headers: { A: secret } },
      { mqtt: "home/{line}", payload: "{edge}", qos: 1, retain: true } ] }`;
    const environments: unknown[] = [];
    const { level, pass, seen } = await start(interrupt(work), {
      exec: (_, env) => {
        environments.push(env);
        return '';
      },
    });
    level('button', 1);
    await pass(1);
    expect(seen('exec', ({ argv }) => argv)).toEqual([['/bin/x', 'button']]);
    expect(environments).toEqual([expect.objectContaining({ GPIO_LINE: 'button', GPIO_EDGE: 'rising', N: '1' })]);
    expect(seen('http', ({ atNs: _, ...rest }) => rest)).toEqual([
      { type: 'http', method: 'PUT', url: 'https://x.org/rising?n=1', body: 'button' },
    ]);
    expect(seen('publish', ({ atNs: _, ...rest }) => rest)).toEqual([
      { type: 'publish', topic: 'home/button', payload: 'rising', qos: 1, retain: true },
    ]);
  });

  it('that fails is reported, and the next action runs', async () => {
    const work = 'work: { do: [{ http: "https://x.org/" }, { log: after }] }';
    const { level, pass, seen, said } = await start(interrupt(work), { http: () => 503 });
    level('button', 1);
    await pass(1);
    expect(seen('error', ({ message }) => message)).toEqual(['https://x.org answers with status 503']);
    expect(said()).toEqual(['after']);
  });

  it('is limited, and what is left out is counted once a second', async () => {
    const limit = 'limit: { rate: 2, per: 1s }';
    const { press, pass, seen, said } = await start(interrupt(`thread: [{ log: "{seqno}", ${limit} }]`));
    for (let i = 0; i < 10; i++) await press('button', 1);
    await pass(2_000);
    expect(said()).toEqual(['1', '2']);
    expect(seen('limited', ({ name, count }) => [name, count])).toEqual([
      ['b', 1],
      ['b', 17],
    ]);
    await press('button', 1);
    expect(said()).toEqual(['1', '2', '21', '22']);
  });
});

describe('presses', () => {
  const pattern = (on: string, rest = ''): string => `{ on: ${on}, ${rest} do: [{ log: "{pattern} {held} {count}" }] }`;

  it('are told apart in virtual time', async () => {
    const all = [pattern('single'), pattern('double'), pattern('long'), pattern('release'), pattern('hold')].join();
    const { press, pass, said, seen } = await start(interrupt(`patterns: [${all}]`));
    await press('button', 100);
    await pass(1_000);
    expect(said()).toEqual(['single 100ms 1']);
    await press('button', 100);
    await pass(100);
    await press('button', 2_000);
    await pass(1_000);
    expect(said().slice(1)).toEqual(['double 0s 1']);
    await press('button', 1_100);
    await pass(1_000);
    expect(said().slice(2)).toEqual(['long 800ms 1', 'hold 800ms 1', 'hold 1s 2', 'release 1.1s 1']);
    expect(seen('press', ({ line, pattern, count }) => `${line} ${pattern} ${count}`)).toHaveLength(6);
    expect(seen('press', ({ atNs }) => Math.round(atNs / MS))[0]).toBe(400);
  });

  it('are not repeated for ever when the release is lost', async () => {
    const { sim, level, pass, said } = await start(interrupt(`patterns: [${pattern('hold')}]`));
    level('button', 1);
    await pass(1_050);
    expect(said()).toHaveLength(2);
    sim.stage.perform({ atNs: 0, action: { kind: 'fault', fault: { fault: 'lost', line: 'button', count: 1 } } });
    level('button', 0);
    await pass(10_000);
    expect(said()).toHaveLength(2);
  });

  it('of a chord are no presses of their own', async () => {
    const chords = 'chords: [{ name: both, lines: [button, other], do: [{ log: "{name} {lines}" }] }]';
    const { level, pass, said } = await start(
      `${interrupt(`patterns: [${pattern('single')}, ${pattern('long')}]`)}\n${chords}`,
    );
    level('button', 1);
    await pass(50);
    level('other', 1);
    await pass(3_000);
    level('button', 0);
    level('other', 0);
    await pass(1_000);
    expect(said()).toEqual(['both button,other']);
  });
});

describe('triggers', () => {
  const trigger = (what: string, action: string): string =>
    `triggers: [{ name: t, ${what}, work: { do: [${action}] } }]`;

  it('come by a schedule, in the time of the scenario', async () => {
    const text = trigger('schedule: "30 * * * *", timezone: UTC', '{ log: "{name} {time}" }, { toggle: led }');
    const { pass, said, seen } = await start(text, { startMs: Date.UTC(2026, 0, 1) });
    await pass(2 * 3_600_000);
    expect(said()).toEqual(['t 2026-01-01T00:30:00.000Z', 't 2026-01-01T01:30:00.000Z']);
    expect(seen('trigger', ({ trigger, by }) => [trigger, by])).toEqual(Array(2).fill(['t', 'schedule']));
  });

  it('come by a hook, with what was sent', async () => {
    const { sim, pass, said, seen } = await start(
      trigger('hook: ring', '{ log: "<{payload}>" }, { exec: [/bin/say, "{payload}"] }'),
    );
    expect(sim.service.hooks?.()).toEqual(['ring']);
    sim.hook('ring', 'a; rm -rf /');
    await pass(1);
    expect(said()).toEqual(['<a; rm -rf />']);
    expect(seen('exec', ({ argv }) => argv)).toEqual([['/bin/say', 'a; rm -rf /']]);
    expect(() => sim.hook('rung')).toThrow('no hook rung');
  });

  it('come by a message', async () => {
    const { sim, pass, said } = await start(trigger('mqtt: home/+/ring', '{ log: "{topic} {payload}" }'));
    sim.message('home/door/ring', '1');
    sim.message('home/door/else', '2');
    await pass(1);
    expect(said()).toEqual(['home/door/ring 1']);
  });

  it('wait in line, so many and no more', async () => {
    const { sim, pass, seen } = await start(trigger('mqtt: m', '{ exec: [/bin/slow] }'), {
      exec: () => new Promise<string>((resolve) => setTimeout(resolve, 1, '')),
    });
    for (let i = 0; i < 300; i++) sim.message('m', String(i));
    await pass(2_000);
    const left = seen('limited', ({ count }) => count).reduce<number>((sum, count) => sum + Number(count), 0);
    expect(seen('exec', () => 1).length + left).toBe(300);
    expect(left).toBeGreaterThan(30);
  });
});

describe('an interrupt', () => {
  it('gives its thread the priority that it says', async () => {
    const { sim } = await start(interrupt('thread: { priority: 77, do: [{ toggle: led }] }'));
    const thread = [...sim.machine.tasks].find(({ comm }) => comm.startsWith('irq/') && comm.endsWith('-b'));
    expect([thread?.policy, thread?.rtPriority]).toEqual(['SCHED_FIFO', 77]);
  });

  it('interrupts the CPU that it is given', async () => {
    const { sim, press } = await start(`cpus: 2\n${interrupt('affinity: [1], thread: [{ toggle: led }]')}`);
    await press('button', 10);
    const { interrupts } = sim.service.interrupts();
    expect(interrupts.find(({ actions }) => actions.includes('b'))?.counts).toEqual([0, 2]);
  });

  it('that is not enabled by itself has no edges', async () => {
    const { press, seen } = await start(interrupt('flags: [no_autoen], thread: [{ toggle: led }]'));
    await press('button', 10);
    expect(seen('edge', ({ line }) => line)).toEqual([]);
  });

  it('that is oneshot has each edge, as Linux masks only levels for it', async () => {
    const { sim, level, pass, said } = await start(interrupt('flags: [oneshot], thread: [{ log: "{seqno}" }]'));
    const irq = sim.service.interrupts().interrupts.find(({ actions }) => actions.includes('b'))?.irq ?? -1;
    expect(sim.machine.irqs.get(irq).actions.map(({ flags }) => (flags & IRQF_ONESHOT) !== 0)).toEqual([true]);
    for (const value of [1, 0, 1] as const) {
      level('button', value);
      await pass(0.01);
    }
    expect(said()).toEqual(['1', '2', '3']);
  });
});
