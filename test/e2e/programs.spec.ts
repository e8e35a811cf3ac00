// Work items that run programs: what they get, how they end, and that a stop does not wait for them for ever.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Daemon, useLab } from './running-daemon.js';

const lab = useLab();
/** The machine may be busy. */
const TIMEOUT = 300_000;

/** A daemon whose button runs `argv` in a work item. */
function startWith(argv: readonly string[], timeout = '100s', text = 'done'): Promise<Daemon> {
  const actions = [{ exec: argv, timeout }, { log: text }];
  const file = lab.write(
    'programs.yaml',
    `lines: { button1: { gpio: 17, edge: rising, bias: pull-up, active: low } }
interrupts:
  - { line: button1, name: runs, work: { do: ${JSON.stringify(actions)} } }
`,
  );
  return lab.start(file);
}

const PRESS = { forNs: 1e6 };
/** Runs a script as a program of its own; its braces are none of a placeholder. */
const node = (script: string, ...args: string[]): string[] => {
  return [process.execPath, '-e', script.replace(/[{}]/g, '$&$&'), ...args];
};

test('each word is one argument, whatever it contains: there is no shell', { timeout: TIMEOUT }, async () => {
  const words = ['$(touch shell)', '`touch shell`', ';touch shell', 'a  b', '*', '{line} {edge} {seqno}', '{{}}'];
  const daemon = await startWith(node('console.log(JSON.stringify(process.argv.slice(1)))', ...words));
  const watch = await daemon.watch();
  await daemon.press('button1', PRESS);
  const [said] = await watch.count('log', 2);
  expect(said).toMatchObject({ interrupt: 'runs' });
  expect(JSON.parse(said?.text ?? '')).toEqual([...words.slice(0, 5), 'button1 rising 1', '{}']);
  expect(existsSync(join(lab.directory, 'shell'))).toBe(false);
});

test('its environment is clean: a path and the edge, nothing of the daemon', { timeout: TIMEOUT }, async () => {
  const daemon = await startWith(node('console.log(JSON.stringify(process.env))'));
  const watch = await daemon.watch();
  await daemon.press('button1', PRESS);
  const [said] = await watch.count('log', 2);
  const [edge] = await watch.count('edge', 1);
  expect(JSON.parse(said?.text ?? '')).toEqual({
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    GPIO_LINE: 'button1',
    GPIO_EDGE: 'rising',
    GPIO_TIMESTAMP: String(edge?.atNs),
  });
});

test('one that runs out of time is killed with all it started, and what follows is done', {
  timeout: TIMEOUT,
}, async () => {
  const pids = join(lab.directory, 'pids');
  const script = `
    const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    require('node:fs').writeFileSync(${JSON.stringify(pids)}, process.pid + ' ' + child.pid);
    setInterval(() => {}, 1000);`;
  // Long enough to write the file on a busy machine.
  const daemon = await startWith(node(script), '10s');
  const watch = await daemon.watch();
  await daemon.press('button1', PRESS);
  expect(await watch.count('error', 1)).toMatchObject([
    { interrupt: 'runs', message: expect.stringMatching(/: ran out of time and was ended$/) },
  ]);
  expect(await watch.count('log', 1)).toMatchObject([{ text: 'done' }]);
  for (const pid of readFileSync(pids, 'utf8').split(' ')) {
    await expect.poll(() => isRunning(Number(pid)), { timeout: TIMEOUT }).toBe(false);
  }
});

/** A process that is there, and no zombie that waits for its parent. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test.each([
  ['is not there', '50s', ['/nonexistent/program'], /^\/nonexistent\/program: no such program$/],
  ['may not be run', '50s', ['/'], /^\/: may not be run by the daemon's user$/],
  ['fails', '50s', node('console.error("why"); process.exit(3)'), /: ended with status 3: why$/],
  ['crashes', '50s', node('process.kill(process.pid, "SIGSEGV")'), /: was ended by SIGSEGV$/],
  [
    'writes without end',
    '4s',
    node('for (;;) require("node:fs").writeSync(1, "x".repeat(65536))'),
    /: ran out of time and was ended$/,
  ],
])(
  'a program that %s is an error, and the next press works',
  {
    timeout: TIMEOUT,
  },
  async (_what, timeout, argv, message) => {
    const daemon = await startWith(argv, timeout);
    const watch = await daemon.watch();
    for (let i = 1; i <= 2; i++) {
      await daemon.press('button1', PRESS);
      expect((await watch.count('error', i)).at(-1)).toMatchObject({
        interrupt: 'runs',
        message: expect.stringMatching(message),
      });
      expect((await daemon.status()).handlerErrors).toBe(i);
    }
  },
);

/** Lets a process have `room` more descriptors than it has. */
function limitDescriptors(pid: number, room: number): void {
  const used = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let limit = 0;
  for (let free = 0; free < room; limit++) if (!used.has(limit)) free++;
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${limit}:`]);
}

test('a program for which there is no descriptor is an error, and the daemon stays up', {
  timeout: TIMEOUT,
}, async () => {
  const daemon = await startWith(['/bin/true']);
  const watch = await daemon.watch();
  const { pid } = await daemon.status();
  // One for the client that presses; a program takes more.
  limitDescriptors(pid, 2);
  await daemon.press('button1', PRESS);
  expect(await watch.count('error', 1)).toMatchObject([{ message: '/bin/true: cannot be started (EMFILE)' }]);
  expect(await daemon.status()).toMatchObject({ pid, handlerErrors: 1 });
});

test('a stop ends a program that still runs, and says what was left undone', { timeout: TIMEOUT }, async () => {
  const daemon = await startWith(node('setInterval(() => {}, 1000)'), '60s');
  const watch = await daemon.watch();
  // A press waits for its work, which does not end.
  for (let i = 1; i <= 3; i++) {
    void daemon.press('button1', PRESS).catch(() => undefined);
    await watch.count('edge', i);
    await expect.poll(async () => (await daemon.line('button1')).value, { timeout: TIMEOUT }).toBe(0);
  }
  const { code, out } = await daemon.ends('SIGTERM');
  expect(code).toBe(0);
  expect(out).toMatch(/button1: work for 2 edges had not begun and is left undone/);
  expect(out).toMatch(/was ended, since the daemon stops/);
});

test('a stop leaves a handler that does not end, and names it', { timeout: TIMEOUT }, async () => {
  lab.write('handler.js', 'export const threadFn = () => new Promise(() => {});');
  const lines = 'lines: { button1: { gpio: 17, edge: rising, bias: pull-up, active: low } }\n';
  const file = lab.write('stuck.yaml', `${lines}interrupts: [{ line: button1, name: stuck, handler: ./handler.js }]\n`);
  const daemon = await lab.start(file);
  const watch = await daemon.watch();
  void daemon.press('button1', PRESS).catch(() => undefined);
  await watch.count('edge', 1);
  const { code, out } = await daemon.ends('SIGTERM');
  expect(code).toBe(0);
  expect(out).toMatch(/stopping: the interrupt stuck does not end, and is left/);
});
