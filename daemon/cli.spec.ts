// What both commands share: which signals are one and the same, and what becomes of a command that nobody reads.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { EXIT, processSurroundings } from './cli.js';

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

it.each([
  ['a command ends quietly', undefined, EXIT.done],
  ['the service ends as failed, so that systemd starts it again', '/run/systemd/notify', EXIT.failed],
])('%s when its reader went away', (_what, socket, code) => {
  vi.stubEnv('NOTIFY_SOCKET', socket);
  const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
  const before = new Set([...process.stdout.listeners('error'), ...process.stderr.listeners('error')]);
  processSurroundings();
  const [listener] = process.stdout.listeners('error').filter((each) => !before.has(each));
  try {
    expect(() => listener?.(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))).toThrow();
    expect(exit).toHaveBeenCalledExactlyOnceWith(code);
  } finally {
    for (const stream of [process.stdout, process.stderr])
      for (const each of stream.listeners('error')) if (!before.has(each)) stream.off('error', each as () => void);
    exit.mockRestore();
    vi.unstubAllEnvs();
  }
});
