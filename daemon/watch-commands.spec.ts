// Commands of gpio-irqctl that watch, reload and complete: output, exit codes, and what wrong use says.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KernelError } from '../kernel/errno.js';
import { FakeService } from './control/fake-service.spec-helper.js';
import { type ControlServer, startControl } from './control/server.js';
import type { ControlTarget } from './control/target.js';
import { controlMain } from './control-commands.js';
import { type Answer, irqctl, Stage } from './stage.spec-helper.js';

const OFTEN = { interval: 5 };

let directory = '';
let socket = '';
let service: FakeService & ControlTarget;
let server: ControlServer;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-watch-'));
  socket = join(directory, 'control.sock');
  service = new FakeService();
  server = await startControl({ target: service, path: socket, log: pino({ level: 'silent' }) });
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

const ctl = (...args: string[]): Promise<Answer> => irqctl(socket, ...args);

describe('reload', () => {
  it('says what has changed', async () => {
    service.report = {
      ...service.report,
      sections: {
        lines: { added: ['led2'], changed: ['button1'], removed: ['led1'], kept: 3 },
        mqtt: { added: [], changed: [], removed: [], kept: 1 },
      },
      restart: [{ key: 'driver', why: 'lines belong to it' }],
      problems: ["led2 (GPIO5) is held by 'w1-gpio'"],
    };
    expect(await ctl('reload')).toEqual({
      code: 0,
      output:
        'lines: +led2 ~button1 -led1 (3 as before)\n' +
        'driver: takes effect when the daemon is started anew: lines belong to it\n' +
        "led2 (GPIO5) is held by 'w1-gpio'\n",
      errors: '',
    });
    expect(JSON.parse((await ctl('reload', '--json')).output)).toEqual(service.report);
  });

  it('says when nothing has', async () => {
    service.report = { ...service.report, sections: {} };
    expect((await ctl('reload')).output).toBe('nothing has changed\n');
  });

  it('is 2 with every mistake when the new configuration is wrong', async () => {
    service.report = service.reloadRefused(['a.yaml:1:2: lines: no', 'a.yaml:3:4: chip: no']);
    const { code, output, errors } = await ctl('reload');
    expect([code, output]).toEqual([2, '']);
    expect(errors).toMatch(
      /a\.yaml:1:2: lines: no\na\.yaml:3:4: chip: no \(CONFIG_REFUSED\)\n {2}the configuration that was goes on/,
    );
  });
});

describe('hooks', () => {
  it('are listed and called by name', async () => {
    const called: string[] = [];
    service.hooks = () => ['ring', 'far'];
    service.hook = async (name) => {
      if (name !== 'ring') throw new KernelError('ENOENT', `no hook ${name}`);
      called.push(name);
    };
    expect((await ctl('hooks')).output).toBe('ring\nfar\n');
    expect(await ctl('hook', 'ring')).toEqual({ code: 0, output: '', errors: '' });
    expect(called).toEqual(['ring']);
    expect(await ctl('hook', 'nope')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('no hook nope (ENOENT)'),
    });
  });
});

describe('events', () => {
  it('are those of the types and lines that are asked for', async () => {
    const stage = new Stage();
    const ended = controlMain(['--socket', socket, 'events', '--type', 'value,log', '--line', 'led1', '--json'], stage);
    await expect.poll(() => service.listeners, OFTEN).toBe(1);
    service.setLine('led1', 1);
    service.emit({ type: 'edge', atNs: 1, line: 'button1', edge: 'rising', lineSeqno: 1 });
    service.setLine('led1', 0);
    await expect.poll(() => stage.output.split('\n').length, OFTEN).toBe(3);
    expect(stage.output.split('\n').map((line) => (line === '' ? '' : JSON.parse(line).value))).toEqual([1, 0, '']);
    stage.signal('SIGINT');
    expect(await ended).toBe(0);
    expect(stage.listening).toBe(0);
  });

  it('go on over a restart, with a line where some may be missing', async () => {
    const stage = new Stage();
    const ended = controlMain(['--socket', socket, 'events'], stage);
    await expect.poll(() => service.listeners, OFTEN).toBe(1);
    await server.close();
    server = await startControl({ target: service, path: socket, log: pino({ level: 'silent' }) });
    await expect.poll(() => service.listeners, OFTEN).toBe(1);
    service.setLine('led1', 1);
    await expect
      .poll(() => stage.output, OFTEN)
      .toBe('                gap      events may be missing here\n      2.000000  value    led1 = 1 (on)\n');
    expect(stage.errors).toBe('gpio-irqctl: the events have ended; waiting for the daemon\ngpio-irqctl: it is back\n');
    stage.signal('SIGINT');
    expect(await ended).toBe(0);
  });

  it.each([
    [['events', '--type', 'edge,nope'], /Allowed choices are edge, value/],
    [['events', '--wait', '5'], /a duration up to 1h/],
    [['top', '--interval', '1ms'], /from 100ms to 1h/],
    [['top', '--count', '0'], /a number from 1 on/],
    [['trace', '--format', 'nope'], /Allowed choices are ftrace, perfetto, jsonl/],
    [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
  ])('%j is wrong use: 2', async (args, message) => {
    const { code, output, errors } = await ctl(...args);
    expect([code, output]).toEqual([2, '']);
    expect(errors).toMatch(message);
  });

  it('of a line that is not there are refused', async () => {
    expect(await ctl('events', '--line', 'nope')).toMatchObject({ code: 1, errors: expect.stringContaining('ENOENT') });
  });
});

describe('trace', () => {
  it('is written to a file when so told, in the format of another tool', async () => {
    service.records = () => service.machine.trace.read();
    const file = join(directory, 'trace.json');
    expect(await ctl('trace', '--format', 'perfetto', '--out', file)).toEqual({ code: 0, output: '', errors: '' });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ displayTimeUnit: 'ns' });
    expect((await ctl('trace', '--format', 'ftrace')).output).toMatch(/^# tracer: nop\n/);
    expect(await ctl('trace', '--out', join(directory, 'no', 'such'))).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/such cannot be written: no such file \(ENOENT\)/),
    });
  });

  it('that is not kept record by record is not supported', async () => {
    expect(await ctl('trace', '--format', 'jsonl')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('NOT_SUPPORTED'),
    });
  });
});

describe('top', () => {
  it('draws so many pictures one below the other where there is no terminal', async () => {
    const { code, output } = await ctl('top', '--count', '2', '--interval', '100ms');
    expect(code).toBe(0);
    expect(output.match(/^button1 /gm)).toHaveLength(2);
    expect(output).not.toContain('\x1b');
    const json = await ctl('top', '--count', '1', '--json');
    expect(JSON.parse(json.output)).toMatchObject({ status: { simulated: true }, lines: expect.anything() });
  });

  it.each(['q', '\x03'])('fills a terminal until %j, and leaves it as it was', async (key) => {
    const stage = new Stage(true);
    const ended = controlMain(['--socket', socket, 'top', '--interval', '1h'], stage);
    await expect.poll(() => stage.output, OFTEN).toContain('button1');
    stage.press('x');
    stage.press(key);
    expect(await ended).toBe(0);
    expect(stage.output.startsWith('\x1b[?1049h')).toBe(true);
    expect(stage.output.endsWith('\x1b[?1049l')).toBe(true);
    expect(stage.listening).toBe(0);
  });

  it('leaves the terminal as it was when the daemon goes', async () => {
    const stage = new Stage(true);
    const ended = controlMain(['--socket', socket, 'top', '--interval', '100ms'], stage);
    await expect.poll(() => stage.output, OFTEN).toContain('button1');
    await server.close();
    expect(await ended).toBe(1);
    expect(stage.output.endsWith('\x1b[?1049l')).toBe(true);
    expect(stage.errors).toMatch(/no daemon|closed/);
  });
});

describe('names for completion', () => {
  it('are those that the daemon has', async () => {
    service.hooks = () => ['ring'];
    expect((await ctl('names', 'lines')).output).toBe('button1\nbutton2\nled1\n');
    expect((await ctl('names', 'outputs')).output).toBe('led1\n');
    expect((await ctl('names', 'buttons')).output).toBe('button1\nbutton2\n');
    expect((await ctl('names', 'irqs')).output).toBe('49\n');
    expect((await ctl('names', 'hooks')).output).toBe('ring\n');
    expect((await ctl('names', 'paths', '/proc/irq/de')).output).toContain('/proc/irq/default_smp_affinity\n');
    expect((await ctl('names', 'paths', '')).output).toContain('/proc/\n');
  });

  it('are none, and nothing is said, where there is no daemon or nothing there', async () => {
    expect(await ctl('names', 'paths', '/nope/x')).toEqual({ code: 0, output: '', errors: '' });
    await server.close();
    expect(await ctl('names', 'lines')).toEqual({ code: 0, output: '', errors: '' });
  });
});
