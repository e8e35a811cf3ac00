// The main job, as a user sees it: two buttons, an LED, and every command that shows them.

import { expect, test } from 'vitest';
import { EXAMPLE, useLab } from './running-daemon.js';

const lab = useLab();
/** Several programs are started one after the other, on a machine that may be busy. */
const TIMEOUT = 300_000;

test('it says that it is simulated, where its socket is, and what to type next', { timeout: TIMEOUT }, async () => {
  const daemon = await lab.start(EXAMPLE);
  expect(daemon.out).toContain('gpio-irqd runs on a SIMULATED pinctrl-bcm2835: no real line is read or driven.');
  expect(daemon.out).toContain(`Control socket: ${daemon.socket}\n`);
  expect(daemon.out).toContain(`\n  npx gpio-irqctl --socket ${daemon.socket} press button1\n`);
  expect(daemon.err).toBe('');
});

test('button 1 lights the LED, button 2 puts it out, and every command shows it', { timeout: TIMEOUT }, async () => {
  const daemon = await lab.start(EXAMPLE);
  const answer = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await daemon.ctl(...args);
    expect([code, err]).toEqual([0, '']);
    return out;
  };
  const json = async (...args: string[]): Promise<unknown> => JSON.parse(await answer(...args, '--json'));

  expect(await answer('get', 'led1')).toBe('0\n');
  expect(await answer('press', 'button1')).toBe('');
  expect(await answer('get', 'led1')).toBe('1\n');
  expect(await answer('lines')).toBe(
    [
      'NAME     GPIO  DIR  VALUE  EDGE    BIAS     ACTIVE  RISING  FALLING  LOST',
      'button1    17  in       0  rising  pull-up  low          1        0     0',
      'button2    18  in       0  rising  pull-up  low          0        0     0',
      'led1        4  out      1  none    as-is    high         0        0     0',
      '',
    ].join('\n'),
  );
  expect(await answer('press', 'button2')).toBe('');
  expect(await answer('get', 'led1')).toBe('0\n');
  expect(await answer('interrupts')).toMatch(
    /^ +CPU0 +\n +\d+: +1 +pinctrl-bcm2835 +17 Edge +gpiomod#button1\n +\d+: +1 +pinctrl-bcm2835 +18 Edge +gpiomod#button2\nErr: +0\n$/,
  );
  expect(await answer('status')).toMatch(
    /^driver +sim \(simulated: nothing here is real\)\n[\s\S]*edges +2 received, 0 lost, 0 without thread or work\nhandler errors +0\n/m,
  );
  expect(await answer('set', 'led1', '1')).toBe('');

  expect(await json('get', 'led1')).toMatchObject({ name: 'led1', gpio: 4, direction: 'out', value: 1 });
  expect(await json('lines')).toMatchObject({ lines: [{ rising: 1, lineSeqno: 1 }, { rising: 1 }, { name: 'led1' }] });
  expect(await json('interrupts')).toMatchObject({
    interrupts: [
      { hwirq: 17, actions: ['gpiomod#button1'], counts: [1] },
      { hwirq: 18, actions: ['gpiomod#button2'], counts: [1] },
    ],
  });
  expect(await json('status')).toMatchObject({ simulated: true, edges: { received: 2, lost: 0 }, dropped: 0 });
  expect(await json('press', 'button1', '--for', '6ms')).toEqual({ pressed: 'button1', forNs: 6e6, bounce: false });
  expect(await json('set', 'led1', '0')).toMatchObject({ value: 0 });
});

test('events show a press as it happens, for people and as JSON', { timeout: TIMEOUT }, async () => {
  const daemon = await lab.start(EXAMPLE);
  const watchers = [['events'], ['events', '--json', '--wait', '0s']].map((args) =>
    lab.run('ctl', ['--socket', daemon.socket, ...args]),
  );
  await expect
    .poll(async () => (await daemon.client.call('GET', '/v1/status')) as unknown, { timeout: TIMEOUT })
    .toMatchObject({ control: { watching: 2 } });
  await daemon.press('button1');
  const [people, json] = watchers;
  await people?.says('is dealt with');
  expect(people?.out.replace(/^ *\d+\.\d{6}/gm, 'T')).toBe(
    [
      'T  edge     button1 rising  #1',
      'T  value    led1 = 1 (on)',
      'T  log      gpiomod#button1: button1 pressed, - after the last press: LED on',
      'T  log      gpiomod#button1: press 1 of button1 is dealt with',
      '',
    ].join('\n'),
  );
  await json?.says('is dealt with');
  const events = json?.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; atNs: number });
  expect(events?.map(({ type }) => type)).toEqual(['edge', 'value', 'log', 'log']);
  const times = events?.map(({ atNs }) => atNs) ?? [];
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect((await people?.ends('SIGINT'))?.code).toBe(0);
  // The other one ends with the daemon, and says why.
  await daemon.ends('SIGTERM');
  expect(await json?.finished).toMatchObject({ code: 1, err: expect.stringContaining('the daemon ended the events') });
});

test('a press goes through the contexts in their order', { timeout: TIMEOUT }, async () => {
  const daemon = await lab.start(EXAMPLE);
  await daemon.press('button1');
  const { out } = await daemon.ctl('trace');
  const steps = [
    /hardirq +irq thread +kworker/,
    /┏ \d+: gpiomod#button1/,
    /┠ led1 = 1/,
    /┗ WAKE_THREAD/,
    / {20,}┏ \d+: gpiomod#button1/,
    / {20,}┠ queue work on slow/,
    / {20,}┗ HANDLED/,
    / {40,}┏ gpiomod#button1\.work/,
    / {40,}┗ gpiomod#button1\.work/,
  ];
  let rest = out;
  for (const step of steps) {
    const at = rest.search(step);
    expect(at, `${step} after what came before it, in\n${out}`).toBeGreaterThanOrEqual(0);
    rest = rest.slice(at + 1);
  }
});

test('a contact that bounces is one press', { timeout: TIMEOUT }, async () => {
  const daemon = await lab.start(EXAMPLE);
  for (let i = 1; i <= 5; i++) {
    expect((await daemon.ctl('press', 'button1', '--bounce')).code).toBe(0);
    expect(await daemon.line('button1')).toMatchObject({ rising: i, falling: 0, lost: 0, dropped: 0 });
  }
});

test.each([
  [['get', 'led9'], 1, /no line led9 in the configuration \(ENOENT\)\n {2}`gpio-irqctl lines` lists them/],
  [['set', 'button1', '1'], 1, /button1 is an input \(EPERM\)\n {2}only outputs/],
  [['press', 'led1'], 1, /led1 is an output, and no button \(EINVAL\)/],
  [['press', 'button9'], 1, /no line button9/],
  [['set', 'led1', '2'], 2, /0 or 1/],
  [['press', 'button1', '--for', '11s'], 2, /up to 10s/],
  [['frobnicate'], 2, /unknown command/],
])('gpio-irqctl %j is refused', { timeout: TIMEOUT }, async (args, code, message) => {
  const daemon = await lab.start(EXAMPLE);
  const refused = await daemon.ctl(...args);
  expect(refused).toMatchObject({ code, out: '', err: expect.stringMatching(message) });
  expect((await daemon.status()).edges.received).toBe(0);
});

test('gpio-irqctl without a daemon says so: 1', { timeout: TIMEOUT }, async () => {
  const { code, err } = await lab.run('ctl', ['--socket', `${lab.directory}/none.sock`, 'status']).finished;
  expect(code).toBe(1);
  expect(err).toMatch(/no daemon: there is no socket at .*none\.sock \(ENOENT\)\n {2}Start gpio-irqd/);
});
