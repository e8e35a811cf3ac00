// Specification of the watchdog: its settings, its rhythm, and what silences it.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type HealthCheck, readWatchdogSetting, startWatchdog, watchdogPeriodMs } from './watchdog.js';

const PID = 4711;
const env = { WATCHDOG_USEC: '2000000', WATCHDOG_PID: String(PID) };

function rig(checks: readonly HealthCheck[] = [], environment: Record<string, string> = env) {
  const lines: string[] = [];
  const note = (level: string) => (_fields: object, message: string) => void lines.push(`${level} ${message}`);
  let pings = 0;
  let clockSkew = 0;
  const watchdog = startWatchdog({
    env: environment,
    pid: PID,
    checks,
    log: { info: note('info'), warn: note('warn'), error: note('error') },
    notifier: {
      watchdog: () => {
        pings++;
        return Promise.resolve(true);
      },
    },
    now: () => Date.now() + clockSkew,
  });
  const delay = (ms: number): void => {
    clockSkew += ms;
  };
  return { watchdog, lines, pings: () => pings, delay };
}

describe('the watchdog setting', () => {
  test.each([
    [{}, 'off'],
    [{ WATCHDOG_USEC: '1' }, 'on'],
    [env, 'on'],
    [{ ...env, WATCHDOG_PID: '1' }, 'off'],
    [{ WATCHDOG_USEC: '' }, 'invalid'],
    [{ WATCHDOG_USEC: '0' }, 'invalid'],
    [{ WATCHDOG_USEC: '-1' }, 'invalid'],
    [{ WATCHDOG_USEC: '1e6' }, 'invalid'],
    [{ WATCHDOG_USEC: '10s' }, 'invalid'],
    [{ WATCHDOG_USEC: ' 1000' }, 'invalid'],
    [{ WATCHDOG_USEC: '0x10' }, 'invalid'],
    [{ WATCHDOG_USEC: '18446744073709551615' }, 'invalid'],
    [{ WATCHDOG_USEC: '9'.repeat(10_000) }, 'invalid'],
    [{ ...env, WATCHDOG_PID: '' }, 'invalid'],
    [{ ...env, WATCHDOG_PID: '0' }, 'invalid'],
    [{ ...env, WATCHDOG_PID: 'me' }, 'invalid'],
  ])('%j is %s', (environment, state) => {
    expect(readWatchdogSetting(environment, PID).state).toBe(state);
  });

  test('anything at all is read without a throw, and is on only for a positive decimal', () => {
    fc.assert(
      fc.property(fc.string(), fc.option(fc.string(), { nil: undefined }), (usec, pid) => {
        const setting = readWatchdogSetting({ WATCHDOG_USEC: usec, WATCHDOG_PID: pid }, PID);
        if (setting.state === 'on') expect(usec).toMatch(/^[0-9]*[1-9][0-9]*$/);
      }),
    );
  });

  test('the period is at most half the time-out and always a delay that a Node timer can do', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (usec) => {
        const period = watchdogPeriodMs(usec);
        expect(Number.isInteger(period) && period >= 1 && period <= 0x7fff_ffff).toBe(true);
        if (usec >= 2000) expect(period * 2000).toBeLessThanOrEqual(usec);
      }),
    );
  });
});

describe('the watchdog', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('pings at once and then at half of the time-out', () => {
    const { watchdog, pings, lines } = rig();
    expect(watchdog.periodMs).toBe(1000);
    expect(pings()).toBe(1);
    vi.advanceTimersByTime(999);
    expect(pings()).toBe(1);
    vi.advanceTimersByTime(9001);
    expect(pings()).toBe(11);
    expect(lines).toEqual([]);
  });

  test('sends nothing while a check fails, names it once, and goes on when it is well again', () => {
    let wrong: string | undefined;
    const { watchdog, pings, lines } = rig([
      { name: 'driver', check: () => wrong },
      { name: 'queue', check: () => undefined },
    ]);
    wrong = 'gpiochip0 is gone';
    vi.advanceTimersByTime(5000);
    expect(pings()).toBe(1);
    expect(watchdog.failing).toEqual(['driver']);
    wrong = undefined;
    vi.advanceTimersByTime(2000);
    expect(pings()).toBe(3);
    expect(watchdog.failing).toEqual([]);
    expect(lines).toEqual([
      'error watchdog: driver is not healthy: gpiochip0 is gone; no ping, systemd acts 2 s after the last ping',
      'info watchdog: driver is healthy again',
    ]);
  });

  test('every failing check is named, though another failed before it', () => {
    const { lines } = rig([
      { name: 'driver', check: () => 'gone' },
      { name: 'queue', check: () => 'full' },
    ]);
    expect(lines.map((line) => line.split(' ')[2])).toEqual(['driver', 'queue']);
  });

  test('a check that throws is a failing check', () => {
    const check = (): undefined => {
      throw new Error('boom');
    };
    const { pings, lines } = rig([{ name: 'driver', check }]);
    expect(pings()).toBe(0);
    expect(lines[0]).toContain('driver is not healthy: the check itself failed: boom');
  });

  test('an event loop that was blocked is reported, with the time', () => {
    const { delay, lines, pings } = rig();
    delay(700);
    vi.advanceTimersByTime(1000);
    expect(lines).toEqual(['warn watchdog: the event loop was blocked for about 700 ms']);
    vi.advanceTimersByTime(3000);
    expect(lines).toHaveLength(1);
    expect(pings()).toBe(5);
  });

  test('ends with stop()', () => {
    const { watchdog, pings } = rig();
    watchdog.stop();
    vi.advanceTimersByTime(10_000);
    expect(pings()).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    [{ WATCHDOG_USEC: 'soon' }, 1],
    [{}, 0],
  ])('with %j no timer runs and %i errors are logged', (environment, errors) => {
    const { watchdog, pings, lines } = rig([], environment);
    expect(watchdog.periodMs).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
    expect(pings()).toBe(0);
    expect(lines.filter((line) => line.startsWith('error'))).toHaveLength(errors);
  });
});
