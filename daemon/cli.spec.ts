// What both commands share: which signals are one and the same, and what becomes of a command that nobody reads.

import { afterEach, beforeEach, expect, it, type MockInstance, onTestFinished, vi } from 'vitest';
import { EXIT, explainError, processSurroundings, type Surroundings } from './cli.js';

const kill = vi.spyOn(process, 'kill');
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
let before: NodeJS.SignalsListener[] = [];
let forget = (): void => undefined;

beforeEach(() => {
  before = SIGNALS.flatMap((signal) => process.listeners(signal) as NodeJS.SignalsListener[]);
  vi.useFakeTimers({ toFake: ['performance'] });
  kill.mockReset().mockReturnValue(true);
});

afterEach(() => {
  for (const signal of SIGNALS)
    for (const listener of process.listeners(signal)) if (!before.includes(listener)) process.off(signal, listener);
  vi.useRealTimers();
});

it('takes a Ctrl-C that npm passes on for the one that came from the terminal', () => {
  const signals: string[] = [];
  forget = processSurroundings().onSignal((signal) => signals.push(signal));
  process.emit('SIGINT', 'SIGINT');
  vi.advanceTimersByTime(100);
  process.emit('SIGINT', 'SIGINT');
  process.emit('SIGTERM', 'SIGTERM');
  expect(signals).toEqual(['SIGINT']);
  expect(kill).not.toHaveBeenCalled();
});

it('is deaf to a signal that comes again until the process has ended', () => {
  forget = processSurroundings().onSignal(() => undefined);
  const listeners = process.listenerCount('SIGINT');
  process.emit('SIGINT', 'SIGINT');
  forget();
  expect(process.listenerCount('SIGINT')).toBe(listeners);
  process.emit('SIGINT', 'SIGINT');
  expect(kill).not.toHaveBeenCalled();
});

it('listens no more when no signal has come', () => {
  const listeners = process.listenerCount('SIGINT');
  forget = processSurroundings().onSignal(() => undefined);
  forget();
  expect(process.listenerCount('SIGINT')).toBe(listeners);
});

it('ends at once when a second signal comes later', () => {
  forget = processSurroundings().onSignal(() => undefined);
  const listeners = process.listenerCount('SIGTERM');
  process.emit('SIGINT', 'SIGINT');
  vi.advanceTimersByTime(2_000);
  process.emit('SIGTERM', 'SIGTERM');
  expect(kill).toHaveBeenCalledExactlyOnceWith(process.pid, 'SIGTERM');
  expect(process.listenerCount('SIGTERM')).toBe(listeners - 1);
});

/** What is called with errors of standard output, with a process that does not end. */
function listen(): { fail(error: object): void; readonly exit: MockInstance; readonly io: Surroundings } {
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => {
    throw new Error('ended');
  });
  const before = new Set([...process.stdout.listeners('error'), ...process.stderr.listeners('error')]);
  const io = processSurroundings();
  const [listener] = process.stdout.listeners('error').filter((each) => !before.has(each));
  onTestFinished(() => {
    for (const stream of [process.stdout, process.stderr])
      for (const each of stream.listeners('error')) if (!before.has(each)) stream.off('error', each as () => void);
    exit.mockRestore();
    vi.unstubAllEnvs();
  });
  return { fail: (error) => listener?.(error), exit, io };
}

it.each([
  ['a command ends quietly', undefined, EXIT.done],
  ['the service ends as failed, so that systemd starts it again', '/run/systemd/notify', EXIT.failed],
])('%s when its reader went away', (_what, socket, code) => {
  vi.stubEnv('NOTIFY_SOCKET', socket);
  const { fail, exit } = listen();
  expect(() => fail(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))).toThrow('ended');
  expect(exit).toHaveBeenCalledExactlyOnceWith(code);
});

it('a command whose output has no room has failed and says why; a service goes on', () => {
  const { fail, exit, io } = listen();
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  onTestFinished(() => said.mockRestore());
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  expect(() => fail(full)).toThrow('ended');
  expect(exit).toHaveBeenCalledExactlyOnceWith(EXIT.failed);
  expect(said.mock.calls.join()).toMatch(/standard output cannot be written: no room is left on its disk \(ENOSPC\)\n/);
  io.beginPatience?.();
  expect(() => fail(full)).not.toThrow();
});

it('what the system says by itself is told without a stack', () => {
  const gone = Object.assign(new Error('ENOENT: no such file or directory, uv_cwd'), {
    code: 'ENOENT',
    syscall: 'uv_cwd',
  });
  expect(explainError('gpio-irqd', gone)).toBe(
    'gpio-irqd: ENOENT: no such file or directory, uv_cwd\n  the folder that it was called in is gone: cd to another one\n',
  );
  expect(explainError('gpio-irqd', new TypeError('a fault'))).toMatch(/a fault\n +at /);
});
