// What both commands share: which signals are one and the same.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { processSurroundings } from './cli.js';

const kill = vi.spyOn(process, 'kill');
let forget = (): void => undefined;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  kill.mockReset().mockReturnValue(true);
});

afterEach(() => {
  forget();
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

it('ends at once when a second signal comes later', () => {
  forget = processSurroundings().onSignal(() => undefined);
  const listeners = process.listenerCount('SIGTERM');
  process.emit('SIGINT', 'SIGINT');
  vi.advanceTimersByTime(2_000);
  process.emit('SIGTERM', 'SIGTERM');
  expect(kill).toHaveBeenCalledExactlyOnceWith(process.pid, 'SIGTERM');
  expect(process.listenerCount('SIGTERM')).toBe(listeners - 1);
});
