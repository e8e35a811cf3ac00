// Both commands as a user calls them: output, exit codes, and what wrong use says.

import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KernelError } from '../kernel/errno.js';
import { FakeService } from './control/fake-service.spec-helper.js';
import { type ControlServer, startControl } from './control/server.js';
import { controlMain } from './control-commands.js';
import { daemonMain } from './daemon-commands.js';
import { ctlCommand, type StartService } from './run.js';
import { findSocket } from './session.js';
import { type Answer, irqctl, irqd, Stage } from './stage.spec-helper.js';

let directory = '';
let socket = '';
let service: FakeService;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-commands-'));
  socket = join(directory, 'control.sock');
  service = new FakeService();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('gpio-irqctl', () => {
  let server: ControlServer;
  beforeEach(async () => {
    server = await startControl({ target: service, path: socket, log: pino({ level: 'silent' }) });
  });
  afterEach(() => server.close());

  const ctl = (...args: string[]): Promise<Answer> => irqctl(socket, ...args);

  it('get prints the level alone', async () => {
    expect(await ctl('get', 'led1')).toEqual({ code: 0, output: '0\n', errors: '' });
    service.led = 1;
    expect((await ctl('get', 'led1')).output).toBe('1\n');
  });

  it('set and press are silent when all went well', async () => {
    expect(await ctl('set', 'led1', '1')).toEqual({ code: 0, output: '', errors: '' });
    expect(service.led).toBe(1);
    expect(await ctl('press', 'button1', '--for', '20ms', '--bounce')).toEqual({ code: 0, output: '', errors: '' });
    expect(service.presses).toEqual([{ forNs: 20e6, bounce: true }]);
  });

  it('lines are a table', async () => {
    expect((await ctl('lines')).output.split('\n')).toEqual([
      'NAME     GPIO  DIR  VALUE  EDGE    BIAS     ACTIVE  RISING  FALLING  LOST',
      'button1    17  in       0  rising  pull-up  high         0        0     0',
      'button2    18  in       0  rising  pull-up  high         0        0     0',
      'led1        4  out      0  none    as-is    high         0        0     0',
      '',
    ]);
  });

  it('interrupts is the text, byte for byte', async () => {
    expect((await ctl('interrupts')).output).toBe(service.interrupts().text);
    expect((await ctl('trace')).output).toBe(service.trace());
  });

  it('status says when nothing is real', async () => {
    expect((await ctl('status')).output).toMatch(
      /driver +sim \(simulated: nothing here is real\)[\s\S]*3 received, 0 lost, 0 without thread or work/,
    );
  });

  it('answers in JSON, wherever the option stands', async () => {
    expect(JSON.parse((await ctl('get', 'led1', '--json')).output)).toMatchObject({ name: 'led1', value: 0 });
    expect(JSON.parse((await ctl('--json', 'lines')).output)).toEqual({ lines: service.lines() });
    expect(JSON.parse((await ctl('interrupts', '--json')).output)).toEqual(service.interrupts());
  });

  it('shows events until the user ends it', async () => {
    const stage = new Stage();
    const ended = controlMain(['--socket', socket, 'events'], stage);
    await expect.poll(() => service.listeners).toBe(1);
    await ctl('press', 'button1');
    await expect
      .poll(() => stage.output)
      .toBe('      1.000000  edge     button1 rising  #1\n      2.000000  value    led1 = 1 (on)\n');
    stage.signal('SIGINT');
    expect(await ended).toBe(0);
    expect(stage.errors).toBe('');
    expect(stage.listening).toBe(0);
  });

  it('fails when the daemon ends while it watches', async () => {
    const stage = new Stage();
    const ended = controlMain(['--socket', socket, 'events', '--wait', '0s'], stage);
    await expect.poll(() => service.listeners).toBe(1);
    await server.close();
    expect(await ended).toBe(1);
    expect(stage.errors).toMatch(/daemon ended/);
  });

  it.each([
    [['get', 'nope'], /no line 'nope' \(ENOENT\)\n {2}gpio-irqctl lines/],
    [['set', 'button1', '1'], /is an input \(EPERM\)/],
    [['press', 'led1'], /not a button \(EINVAL\)/],
  ])('%j is refused with 1', async (args, message) => {
    const { code, output, errors } = await ctl(...args);
    expect([code, output]).toEqual([1, '']);
    expect(errors).toMatch(message);
  });

  it.each([
    [[], /Usage/],
    [['frobnicate'], /unknown command/],
    [['get'], /missing required argument/],
    [['set', 'led1', '2'], /Write 0 or 1/],
    [['set', 'led1'], /missing required argument/],
    [['press', 'button1', '--for', '80'], /with its unit/],
    [['press', 'button1', '--for', '1000s'], /up to 10s/],
    [['lines', '--colour'], /unknown option/],
    [['status', 'more'], /too many arguments/],
  ])('%j is wrong use: 2', async (args, message) => {
    const { code, output, errors } = await ctl(...args);
    expect([code, output]).toEqual([2, '']);
    expect(errors).toMatch(message);
  });

  it('says what to do when there is no daemon', async () => {
    await server.close();
    const { code, errors } = await ctl('status');
    expect(code).toBe(1);
    expect(errors).toMatch(/no daemon.*control\.sock \(ENOENT\)\n {2}Start gpio-irqd/);
  });

  it('explains itself with --help', async () => {
    for (const args of [['--help'], ['press', '--help']]) {
      const { code, output } = await ctl(...args);
      expect(code).toBe(0);
      expect(output).toMatch(/Usage: gpio-irqctl/);
    }
  });

  it('does not trust a socket in a directory of another user', () => {
    mkdirSync(join(directory, 'gpio-irqd'), { mode: 0o700 });
    const env = { XDG_RUNTIME_DIR: directory };
    expect(findSocket({ env, uid: process.getuid?.() ?? 0 })).toBe(join(directory, 'gpio-irqd', 'control.sock'));
    // Only root can give a directory away; what root owns, everybody trusts.
    if (process.getuid?.() === 0) chownSync(join(directory, 'gpio-irqd'), 65_534, 65_534);
    expect(() => findSocket({ env, uid: 4_000_000 })).toThrow(/belongs to/);
  });
});

describe('gpio-irqd', () => {
  const EXAMPLE = 'examples/button-led.yaml';
  let asked: Parameters<StartService>[0] | undefined;
  const parts = {
    startService: async (): Promise<StartService> => async (options) => {
      asked = options;
      return service;
    },
    detect: async (json: boolean) => (json ? '{}\n' : 'no chip\n'),
  };
  beforeEach(() => {
    asked = undefined;
  });
  const daemon = (...args: string[]): Promise<Answer> => irqd(parts, ...args);

  it('check accepts what is right', async () => {
    expect(await daemon('check', '--config', EXAMPLE)).toEqual({
      code: 0,
      output: `${EXAMPLE}: ok (3 lines, 2 interrupts)\n`,
      errors: '',
    });
    const json = { ok: true, file: EXAMPLE, files: [EXAMPLE], warnings: [] };
    expect(JSON.parse((await daemon('check', '-c', EXAMPLE, '--json')).output)).toEqual(json);
  });

  it('check names the place of what is wrong, and exits with 2', async () => {
    const file = join(directory, 'bad.yaml');
    writeFileSync(file, 'lines:\n  b: { gpio: 17, bias: pul-up }\n');
    const { code, output } = await daemon('check', '--config', file);
    expect(code).toBe(2);
    expect(output).toMatch(/bad\.yaml:2:24: lines\.b\.bias: 'pul-up' is not allowed here; did you mean pull-up\?/);
    expect(output.split('\n').slice(1)).toEqual([
      '  2 |   b: { gpio: 17, bias: pul-up }',
      '    |                        ^~~~~~ pull-up',
      '',
    ]);
    const json = await daemon('check', '--config', file, '--json');
    expect(json.code).toBe(2);
    expect(JSON.parse(json.output)).toMatchObject({
      ok: false,
      errors: [{ code: 'CONFIG_VALUE', line: 2, column: 24, endColumn: 30, suggestion: 'pull-up' }],
    });
    expect((await daemon('check', '--config', join(directory, 'none.yaml'))).code).toBe(2);
  });

  it('detect describes the machine', async () => {
    expect(await daemon('detect')).toEqual({ code: 0, output: 'no chip\n', errors: '' });
    expect((await daemon('detect', '--json')).output).toBe('{}\n');
  });

  it('does not start with a wrong configuration', async () => {
    const { code, errors } = await daemon('run', '--config', join(directory, 'none.yaml'));
    expect(code).toBe(2);
    expect(errors).toMatch(/none\.yaml:1:1: no such file/);
    expect(asked).toBeUndefined();
  });

  it.each([
    [['run', '--driver', 'magic'], /Allowed choices are auto, hardware, chardev, libgpiod, onoff, sim/],
    [['run', '--log-level', 'loud'], /Allowed choices/],
    [['run', '--nope'], /unknown option/],
    [['run', '--config'], /argument missing/],
    [['frobnicate'], /too many arguments/],
    [['--demo', '--driver', 'hardware', '--config', EXAMPLE], /simulated buttons/],
  ])('%j is wrong use: 2', async (args, message) => {
    const { code, errors } = await daemon(...args);
    expect(errors).toMatch(message);
    expect(code).toBe(2);
  });

  it('logs what the configuration says, and what in it is suspicious', async () => {
    const file = join(directory, 'json.yaml');
    writeFileSync(
      file,
      'log: { format: json }\nworkqueues: { q: {} }\nlines: { button1: { gpio: 17, edge: both } }\ninterrupts: [ { line: button1, thread: [ { log: x } ] } ]\n',
    );
    const stage = new Stage();
    const ended = daemonMain(['--config', file, '--socket', socket, '--driver', 'sim'], stage, parts);
    await expect.poll(() => stage.output).toContain('control socket is open');
    stage.signal('SIGTERM');
    expect(await ended).toBe(0);
    const logged = stage.output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
    const msg = expect.stringMatching(/json\.yaml:2:15: warning: workqueues\.q: no work runs on this queue/);
    expect(logged).toContainEqual(expect.objectContaining({ level: 'warn', msg }));
  });

  it('prints the schema of the configuration', async () => {
    const { code, output } = await daemon('schema');
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ title: 'gpio-irqd configuration', properties: { lines: {} } });
  });

  it.each(['SIGINT', 'SIGTERM'])('runs until %s, says what to type, and ends cleanly', async (signal) => {
    const stage = new Stage();
    const args = ['--config', EXAMPLE, '--socket', socket, '--driver', 'sim', '--log-level', 'silent'];
    const ended = daemonMain(args, stage, parts);
    await expect.poll(() => stage.output).toContain('Ctrl-C');
    expect(stage.output).toContain('runs on a SIMULATED pinctrl-bcm2835');
    expect(stage.output).toContain(`Control socket: ${socket}`);
    expect(stage.output).toContain(`gpio-irqctl --socket ${socket} press button1`);
    const client = new Stage();
    expect(await controlMain(['--socket', socket, 'press', 'button1'], client)).toBe(0);
    stage.signal(signal);
    expect(await ended).toBe(0);
    expect(service.stops[0]).toBe(signal);
    expect(existsSync(socket)).toBe(false);
    expect(stage.listening).toBe(0);
    expect(asked).toMatchObject({ config: { driver: 'sim' }, configPath: join(process.cwd(), EXAMPLE) });
  });

  it.each([
    ['onoff', 'hardware', 'onoff'],
    ['libgpiod', 'hardware', 'libgpiod'],
    ['auto', 'hardware', 'hardware'],
    ['sim', 'hardware', 'hardware'],
    ['onoff', 'chardev', 'chardev'],
    ['chardev', 'sim', 'sim'],
  ])('driver: %s with --driver %s is %s', async (configured, option, driver) => {
    const config = join(directory, 'config.yaml');
    writeFileSync(config, `driver: ${configured}\nlines:\n  led: { gpio: 4, direction: out }\n`);
    const stage = new Stage();
    const args = ['--config', config, '--socket', socket, '--driver', option, '--log-level', 'silent'];
    const ended = daemonMain(args, stage, parts);
    await expect.poll(() => stage.output).toContain('Ctrl-C');
    stage.signal('SIGTERM');
    expect(await ended).toBe(0);
    expect(asked?.config.driver).toBe(driver);
  });

  it('ends with the service’s own code when that ends by itself', async () => {
    const stage = new Stage();
    const ended = daemonMain(['--config', EXAMPLE, '--socket', socket, '--log-level', 'silent'], stage, parts);
    await expect.poll(() => stage.output).toContain('Ctrl-C');
    service.fail(1);
    expect(await ended).toBe(1);
    expect(existsSync(socket)).toBe(false);
  });

  it.each([
    ['file:///usr/lib/node_modules/gpio-irqd/dist/daemon/run.js', {}, 'gpio-irqctl'],
    [
      'file:///home/pi/lamp/node_modules/gpio-irqd/dist/daemon/run.js',
      { npm_lifecycle_event: 'npx' },
      'npx gpio-irqctl',
    ],
    ['file:///opt/gpio-irqd/dist/daemon/run.js', {}, 'npx gpio-irqctl'],
  ])('from %s with %j the other command is typed as %s', (url, env, typed) => {
    expect(ctlCommand(env, url)).toBe(typed);
  });

  it('does not start beside another one', async () => {
    const first = await startControl({ target: new FakeService(), path: socket, log: pino({ level: 'silent' }) });
    const { code, errors } = await daemon('--config', EXAMPLE, '--socket', socket, '--log-level', 'silent');
    await first.close();
    expect(code).toBe(1);
    expect(errors).toMatch(/another gpio-irqd is listening at .*\(EBUSY\)\n {2}Stop it/);
    expect(service.stops).toHaveLength(1);
  });

  it('says why the service did not start', async () => {
    const broken = {
      ...parts,
      startService: async (): Promise<StartService> => async () => {
        throw new KernelError('EBUSY', "GPIO17 is held by 'w1-gpio'", { hint: 'Free it or pick another line.' });
      },
    };
    const stage = new Stage();
    const args = ['--config', EXAMPLE, '--socket', socket, '--log-level', 'silent'];
    expect(await daemonMain(args, stage, broken)).toBe(1);
    expect(stage.errors).toBe("gpio-irqd: GPIO17 is held by 'w1-gpio' (EBUSY)\n  Free it or pick another line.\n");
  });

  it('--demo presses every button on the simulated Pi and shows what came of it', async () => {
    const { code, output } = await daemon('run', '--demo', '--config', EXAMPLE, '--log-level', 'silent');
    expect(code).toBe(0);
    expect(asked?.config.driver).toBe('sim');
    expect(output).toMatch(
      /SIMULATED[\s\S]*Pressing button1:[\s\S]*led1 = 1 \(on\)[\s\S]*Pressing button2:[\s\S]*led1 = 0 \(off\)/,
    );
    expect(output).toContain(service.trace());
    expect(output.endsWith(service.interrupts().text)).toBe(true);
    expect(service.stops).toHaveLength(1);
  });
});
