// The testing API: a configuration and its handlers in a few lines, in virtual time.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type SimulatedDaemon, type SimulateOptions, simulate } from './index.js';

const EXAMPLES = fileURLToPath(new URL('../examples', import.meta.url));

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-testing-spec-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let pi: SimulatedDaemon | undefined;
afterEach(async () => {
  await pi?.end();
  pi = undefined;
});

async function start(options: string | SimulateOptions): Promise<SimulatedDaemon> {
  pi = await simulate(options);
  return pi;
}

const DOOR = {
  lines: {
    door: { gpio: 17, edge: 'both', active: 'low', bias: 'pull-up' },
    lamp: { gpio: 4, direction: 'out' },
  },
  interrupts: [{ line: 'door', top_half: [{ toggle: 'lamp' }], work: { do: [{ exec: ['/bin/ring', '{edge}'] }] } }],
};

describe('simulate', () => {
  it('tests a configuration', async () => {
    const daemon = await start(join(EXAMPLES, 'button-led.yaml'));
    await daemon.press('button1', { bounce: true });
    expect(daemon.line('led1').value).toBe(1);
    expect(daemon.lit('led1')).toBe(true);
    expect(daemon.log).toEqual(['button1 pressed, - after the last press: LED on', 'press 1 of button1 is dealt with']);
    await daemon.press('button2');
    expect(daemon.lit('led1')).toBe(false);
    expect(daemon.line('button1')).toMatchObject({ rising: 1, lost: 0, dropped: 0 });
    expect(daemon.interrupts()).toContain('gpiomod#button2');
    expect(daemon.timeline()).toContain('gpiomod#button1');
  });

  it('tests a handler module, each time with variables of its own', async () => {
    const path = join(directory, 'counter.mjs');
    writeFileSync(
      path,
      'let n = 0;\nexport function threadFn(_irq, dev) { dev.log("press " + ++n); return dev.kernel.IRQ_HANDLED; }\n',
    );
    const config = {
      lines: { b: { gpio: 17, edge: 'rising' } },
      interrupts: [{ line: 'b', handler: './counter.mjs' }],
    };
    for (let run = 0; run < 2; run++) {
      const daemon = await start({ config, directory });
      daemon.set('b', 1);
      await daemon.run('1ms');
      expect(daemon.log).toEqual(['press 1']);
      await daemon.end();
    }
  });

  it('calls a stand-in for programs', async () => {
    const daemon = await start({ config: DOOR, exec: ([, edge], { GPIO_LINE }) => `${GPIO_LINE}: ${edge}\n` });
    await daemon.press('door');
    expect(daemon.programs).toEqual([
      ['/bin/ring', 'rising'],
      ['/bin/ring', 'falling'],
    ]);
    expect(daemon.log).toEqual(['door: rising', 'door: falling']);
  });

  it('lets time stand still but where it is asked to go on', async () => {
    const daemon = await start({ config: DOOR });
    expect(daemon.now).toBe(0);
    daemon.set('door', 1);
    expect(daemon.line('door').rising).toBe(0);
    await daemon.run('3s');
    expect(daemon.now).toBe(3e9);
    expect(daemon.line('door').rising).toBe(1);
    expect(daemon.duty('lamp', '1s')).toBe(1);
    daemon.set('door', 'float');
    await daemon.run('1s');
    expect(daemon.duty('lamp', '2s')).toBeCloseTo(0.5, 6);
  });

  it('does what goes wrong in scenarios, and plays them', async () => {
    const daemon = await start({ config: DOOR });
    daemon.do({ fault: 'lost', line: 'door', count: 1 });
    await daemon.press('door');
    expect(daemon.line('door')).toMatchObject({ rising: 0, falling: 1, lost: 1 });
    await daemon.play({
      scenario: 1,
      steps: [
        { at: '1ms', press: 'door', hold: '5ms' },
        { at: '1s', expect: 'door', rising: 1 },
      ],
    });
    await expect(
      daemon.play({ scenario: 1, steps: [{ at: '1s', expect: 'door', rising: 5, falling: 2 }] }),
    ).rejects.toThrow('scenario:1:24: door: rising is 1, expected 5');
  });

  it('compares what a step expects, and does none that has a time of its own', async () => {
    const daemon = await start({ config: DOOR });
    await daemon.press('door');
    daemon.do({ expect: 'door', rising: 1, falling: 1 });
    daemon.do({ expect_exec: '/bin/ring rising', count: 1 });
    expect(() => daemon.do({ expect: 'door', rising: 2, lost: 1 })).toThrow(
      'door: rising is 1, expected 2\ndoor: lost is 0, expected 1',
    );
    expect(() => daemon.do({ expect_log: 'ring' })).toThrow('"ring": 0 in the log, expected at least one');
    for (const step of [
      { at: '1s', press: 'door' },
      { press: 'door', hold: '1ms', repeat: { every: '5ms', count: 3 } },
    ]) {
      expect(() => daemon.do(step)).toThrow(/(at|repeat) in a step that is done now/);
    }
    expect(daemon.line('door').rising).toBe(1);
  });

  it('is over at its end: EBADF', async () => {
    const daemon = await start({ config: DOOR });
    await daemon.end();
    await daemon.end();
    const over = expect.objectContaining({ code: 'EBADF' });
    await expect(daemon.press('door')).rejects.toEqual(over);
    await expect(daemon.run('1s')).rejects.toEqual(over);
    await expect(daemon.play({ scenario: 1 })).rejects.toEqual(over);
    expect(() => daemon.set('door', 1)).toThrow(over);
  });

  it.each([
    [undefined, 'undefined is no configuration'],
    [5, '5 is no configuration'],
    [{}, 'there is no configuration'],
    [{ config: DOOR, sead: 1 }, "no option 'sead'"],
    [{ config: DOOR, seed: -1 }, 'seed -1'],
    [{ config: DOOR, exec: 'ring' }, 'exec is no function'],
  ])('refuses %j: EINVAL', async (options, message) => {
    const wrong = simulate(options as SimulateOptions);
    await expect(wrong).rejects.toMatchObject({ code: 'EINVAL', message: `simulate: ${message}` });
  });

  it('gives the same events for the same calls', async () => {
    const run = async (): Promise<string> => {
      const daemon = await start({ config: DOOR, seed: 9 });
      await daemon.press('door', { bounce: true });
      await daemon.press('door', { bounce: { count: 3, settle: '5ms' }, hold: '30ms' });
      await daemon.end();
      return JSON.stringify(daemon.events);
    };
    expect(await run()).toBe(await run());
  });

  it('fails where a handler fails, unless it is told to keep that', async () => {
    writeFileSync(join(directory, 'bad.mjs'), 'export function topHalf() { throw new Error("broken"); }\n');
    const config = { lines: { b: { gpio: 17, edge: 'rising' } }, interrupts: [{ line: 'b', handler: './bad.mjs' }] };
    const daemon = await start({ config, directory });
    daemon.set('b', 1);
    await expect(daemon.run('1ms')).rejects.toThrow(/a handler has failed:\n(.|\n)*broken(.|\n)*bad\.mjs/);
    await daemon.end();
    const lenient = await start({ config, directory, strict: false });
    lenient.set('b', 1);
    await lenient.run('1ms');
    expect(lenient.errors.length).toBe(1);
  });

  it('waits for handlers that wait for the world outside, as time does', async () => {
    writeFileSync(
      join(directory, 'slow.mjs'),
      'export async function threadFn(_irq, dev) {\n' +
        '  await new Promise((done) => setTimeout(done, 20));\n' +
        '  await dev.kernel.msleep(40);\n  dev.log("done");\n  return dev.kernel.IRQ_HANDLED;\n}\n',
    );
    const config = { lines: { b: { gpio: 17, edge: 'rising' } }, interrupts: [{ line: 'b', handler: './slow.mjs' }] };
    const daemon = await start({ config, directory });
    daemon.set('b', 1);
    await daemon.run('20ms');
    expect(daemon.log).toEqual([]);
    await daemon.run('30ms');
    expect(daemon.log).toEqual(['done']);
  });

  it('says what is wrong with a configuration, a step, a duration', async () => {
    await expect(simulate({ config: { lines: { b: { gpio: 99 } } } })).rejects.toThrow('99 is out of range');
    await expect(simulate({ config: DOOR, board: { buttons: { dor: {} } } })).rejects.toThrow(
      "no line 'dor'; did you mean door?",
    );
    const daemon = await start({ config: DOOR });
    expect(() => daemon.do({ fault: 'strom', line: 'door' })).toThrow("'strom' is not allowed here");
    await expect(daemon.run('5')).rejects.toThrow("'5' is not a duration");
    await expect(daemon.press('lamp')).rejects.toThrow("no button 'lamp'");
    expect(() => daemon.line('none')).toThrow('no line none');
  });
});
