// A reload of a running service, in virtual time: what changes, what goes on, and what is refused.
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BASE,
  configOf,
  counts,
  during,
  events,
  level,
  MS,
  press,
  reload,
  setUpEach,
  start,
  watch,
} from './reconfigure.spec-helper.js';
import { changesOf } from './reload-report.js';

setUpEach();

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

  it('tells of a line that it has removed and that is still held, until when, and no more when that is over', async () => {
    const sim = await start(BASE);
    const parked = () => sim.service.status().parked;
    expect(parked()).toBeUndefined();
    const one = BASE.replace(/ {2}button2: .*\n/, '');
    await reload(sim, one);
    expect(parked()).toEqual([{ gpio: 18, name: 'button2', until: ['button1'] }]);
    await reload(sim, one.replaceAll('button1', 'door'));
    expect(parked()).toEqual([{ gpio: 18, name: 'button2', until: ['door'] }]);
    await reload(sim, BASE);
    expect(parked()).toBeUndefined();
    await reload(sim, one);
    await reload(sim, 'lines: { led1: { gpio: 4, direction: out } }\n');
    expect(parked()).toBeUndefined();
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

  it('of the name of a line has its storms be told under the new one', async () => {
    const guarded = BASE.replace('edge: both', 'edge: both, storm_guard: { rate: 10, window: 100ms }');
    const sim = await start(guarded);
    const names = (): string[] => events.flatMap((event) => (event.type === 'storm' ? event.line : []));
    await reload(sim, guarded.replaceAll('button1', 'door'));
    for (let i = 0; i < 10; i++) await press(sim, 'GPIO17');
    expect(names()).toEqual(['door']);
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
      [expect.stringMatching(/^line led2: the simulated chip has no GPIO60 \(EINVAL\); it has GPIO0 to GPIO53$/)],
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
  });
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
  });
});
