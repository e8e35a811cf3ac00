// From start to end: sockets, signals, wrong starts, the demonstration, check and detect.

import { execFile } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Detection } from '../../drivers/detect.js';
import { EXAMPLE, useLab } from './running-daemon.js';

const lab = useLab();
/** Several programs are started one after the other, on a machine that may be busy. */
const TIMEOUT = 300_000;
const hasChips = existsSync('/dev') && readdirSync('/dev').some((name) => name.startsWith('gpiochip'));

const LINES = `lines:
  button1: { gpio: 17, edge: rising, bias: pull-up, active: low }
  led1: { gpio: 4, direction: out }
`;

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends it: exit 0, and no socket is left',
  { timeout: TIMEOUT },
  async (signal) => {
    const daemon = await lab.start(EXAMPLE);
    expect(statSync(daemon.socket).mode & 0o777).toBe(0o660);
    const { code, out, err } = await daemon.ends(signal);
    expect([code, err]).toEqual([0, '']);
    expect(existsSync(daemon.socket)).toBe(false);
    expect(out.match(/"msg":"stopping/g)).toHaveLength(1);
  },
);

test('Ctrl-C ends `npm start`: exit 0, and no socket is left', { timeout: TIMEOUT }, async () => {
  const npm = lab.npmStart();
  await npm.says('Ctrl-C ends it');
  const [, socket = ''] = /Control socket: (.*)/.exec(npm.out) ?? [];
  expect(existsSync(socket)).toBe(true);
  // A terminal sends it to npm, its shell and the daemon; npm passes it on besides.
  const { pid = process.pid } = npm.child;
  process.kill(-pid, 'SIGINT');
  expect((await npm.finished).code).toBe(0);
  expect(existsSync(socket)).toBe(false);
});

test('the log says what is held and why it ends, a line each, with the priorities of the journal', {
  timeout: TIMEOUT,
}, async () => {
  const daemon = await lab.start(EXAMPLE);
  const { out } = await daemon.ends('SIGTERM');
  const lines = out.split('\n').filter((line) => /^<\d>/.test(line));
  expect(lines.map((line) => [line.slice(0, 3), (JSON.parse(line.slice(3)) as { msg: string }).msg])).toEqual([
    ['<6>', 'holding button1, button2, led1'],
    ['<6>', 'control socket is open'],
    ['<4>', 'SIMULATED: no real line is read or driven'],
    ['<6>', 'stopping'],
  ]);
});

test('after a kill it starts again over the socket that was left', { timeout: TIMEOUT }, async () => {
  const killed = await lab.start(EXAMPLE);
  await killed.ends('SIGKILL');
  expect(existsSync(killed.socket)).toBe(true);
  expect((await killed.ctl('status')).err).toMatch(/ECONNREFUSED[\s\S]*left over/);
  const next = await lab.start(EXAMPLE);
  await next.press('button1');
  expect((await next.line('led1')).value).toBe(1);
});

test('a second daemon on the same socket is refused, and the first goes on', { timeout: TIMEOUT }, async () => {
  const first = await lab.start(EXAMPLE);
  const second = lab.run('main', ['--config', EXAMPLE, '--driver', 'sim', '--socket', first.socket]);
  expect(await second.finished).toMatchObject({
    code: 1,
    err: expect.stringMatching(/another gpio-irqd is listening at .*\(EBUSY\)\n {2}Stop it/),
  });
  await first.press('button1');
  expect((await first.line('led1')).value).toBe(1);
});

test('a directory that everyone may write to is no place for the socket', { timeout: TIMEOUT }, async () => {
  chmodSync(lab.directory, 0o777);
  const args = ['--config', EXAMPLE, '--driver', 'sim', '--socket', join(lab.directory, 'control.sock')];
  expect(await lab.run('main', args).finished).toMatchObject({
    code: 1,
    err: expect.stringMatching(/can be written to by everyone.*\(EACCES\)/),
  });
});

test('a disk without room for what a command writes makes it fail', { timeout: TIMEOUT }, async () => {
  const run = (program: string, command: string) => {
    const path = join(lab.programs, `${program}.js`);
    return promisify(execFile)('sh', ['-c', `"$0" "$1" ${command} > /dev/full`, process.execPath, path]);
  };
  const why = /standard output cannot be written: no room is left on its disk \(ENOSPC\)/;
  for (const [program, command] of [
    ['main', 'schema'],
    ['main', '--help'],
    ['ctl', 'completion bash'],
  ] as const) {
    await expect(run(program, command)).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(why) });
  }
});

test('--demo lights the LED and puts it out, shows the contexts, and ends with /proc/interrupts: 0', {
  timeout: TIMEOUT,
}, async () => {
  const { code, out, err } = await lab.run('main', ['--config', EXAMPLE, '--demo']).finished;
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^gpio-irqd demo, on a SIMULATED pinctrl-bcm2835/);
  expect(out).toMatch(/Pressing button1:[\s\S]*led1 = 1 \(on\)[\s\S]*Pressing button2:[\s\S]*led1 = 0 \(off\)/);
  expect(out).toMatch(/┠ led1 = 1[\s\S]*┏ gpiomod#button1\.work[\s\S]*┠ led1 = 0[\s\S]*┏ gpiomod#button2\.work/);
  expect(out).toMatch(
    /\/proc\/interrupts of the model:\n +CPU0 +\n +\d+: +1 +pinctrl-bcm2835 +17 Edge +gpiomod#button1\n.* 18 Edge +gpiomod#button2\nErr: +0\n$/,
  );
  // Events and timeline say it all: no line of the log among them, nor what was before the first press.
  expect(out).not.toMatch(/^<\d>/m);
  expect(out).not.toContain('gpio-setup');
});

test('--demo is refused where there is nothing to press', { timeout: TIMEOUT }, async () => {
  const { code, err } = await lab.run('main', ['--config', lab.write('none.yaml', LINES), '--demo']).finished;
  expect(code).toBe(1);
  expect(err).toMatch(/no interrupt to demonstrate/);
});

test('check: 0 for what is right, 2 with every place for what is not', { timeout: TIMEOUT }, async () => {
  const good = await lab.run('main', ['check', '--config', EXAMPLE]).finished;
  expect(good).toEqual({ code: 0, out: `${EXAMPLE}: ok (3 lines, 2 interrupts)\n`, err: '' });
  const file = lab.write(
    'bad.yaml',
    `${LINES}interrupts:\n  - { line: buton1, top_half: [{ set: led1, value: 1 }] }\n`,
  );
  const bad = await lab.run('main', ['check', '--config', file]).finished;
  expect(bad.code).toBe(2);
  expect(bad.out).toMatch(
    /^.*bad\.yaml:5:13: interrupts\[0\]\.line: .*did you mean button1\?\n {2}5 \| .* line: buton1, .*\n {4}\| {13}\^~{5}\n$/,
  );
  const json = await lab.run('main', ['check', '--config', EXAMPLE, '--json']).finished;
  expect(JSON.parse(json.out)).toEqual({ ok: true, file: EXAMPLE, files: [EXAMPLE], warnings: [] });
});

test('a wrong configuration does not start: 2, with the place', { timeout: TIMEOUT }, async () => {
  const file = lab.write('bad.yaml', 'lines:\n  button1: { gpio: 99 }\n');
  const { code, out, err } = await lab.run('main', ['--config', file, '--driver', 'sim']).finished;
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(/^.*bad\.yaml:2:20: .*99/);
});

test('detect says what the machine has, for people and as JSON', { timeout: TIMEOUT }, async () => {
  const text = await lab.run('main', ['detect']).finished;
  expect(text).toMatchObject({ code: 0, err: '' });
  expect(text.out).toMatch(/^machine: .+\nchips:[\s\S]*\ndrivers:\n {2}chardev: /);
  const json = await lab.run('main', ['detect', '--json']).finished;
  const found = JSON.parse(json.out) as Detection;
  expect(found).toMatchObject({ schema: 1 });
  expect(found.drivers.map(({ name }) => name)).toEqual(['chardev', 'libgpiod', 'onoff']);
  expect(found.chips.length > 0).toBe(hasChips);
});

test.skipIf(hasChips).each(['hardware', 'chardev'])(
  'driver %s never simulates: 1 where there is no chip',
  { timeout: TIMEOUT },
  async (driver) => {
    const file = lab.write('hardware.yaml', `driver: ${driver}\n${LINES}`);
    const socket = join(lab.directory, 'control.sock');
    const { code, out, err } = await lab.run('main', ['--config', file, '--socket', socket]).finished;
    expect(code).toBe(1);
    expect(err).toMatch(/no header chip on this machine \(ENOENT\)\n {2}.*simulate with driver: sim/);
    expect(out).not.toMatch(/SIMULATED|Ctrl-C/);
    expect(existsSync(socket)).toBe(false);
  },
);

test.skipIf(hasChips)('driver auto, the default, simulates where there is no chip', { timeout: TIMEOUT }, async () => {
  const socket = join(lab.directory, 'control.sock');
  const daemon = lab.run('main', ['--config', EXAMPLE, '--socket', socket]);
  await daemon.says('Ctrl-C ends it');
  expect(daemon.out).toContain('SIMULATED');
  expect((await daemon.ends('SIGTERM')).code).toBe(0);
});
