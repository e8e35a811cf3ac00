// The watchdog: systemd is told that the daemon lives only while its event loop turns and its health checks pass.
import type { Notifier, ServiceLog } from './notify.js';

/** One thing that must be well for the daemon to count as alive. Called from the watchdog's timer, so it must be quick. */
export interface HealthCheck {
  /** As it shall appear in the log, e.g. `driver`. */
  readonly name: string;
  /** What is wrong, in one sentence; `undefined` when all is well. A throw counts as wrong. */
  check(): string | undefined;
}

/** What the environment says about the watchdog, as in sd_watchdog_enabled(3). */
export type WatchdogSetting =
  | { readonly state: 'off'; readonly reason: string }
  | { readonly state: 'invalid'; readonly reason: string }
  | { readonly state: 'on'; readonly timeoutUs: number };

/** USEC_INFINITY: systemd's "no time-out", which it never passes on. */
const USEC_INFINITY = 2n ** 64n - 1n;
/** The longest delay of a Node timer, ms. A longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Calls `tick` every `periodMs` until the function that it returns is called. */
export type Every = (periodMs: number, tick: () => void) => () => void;

/** What {@link startWatchdog} needs. */
export interface WatchdogOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly notifier: Pick<Notifier, 'watchdog'>;
  readonly checks: readonly HealthCheck[];
  readonly log: ServiceLog;
  /** Monotonic time in ms, from any origin. */
  readonly now: () => number;
  readonly every?: Every;
}

/** A running, or idle, watchdog. */
export interface Watchdog {
  readonly setting: WatchdogSetting;
  /** Time between two pings in ms; `undefined` when the watchdog is not on. */
  readonly periodMs: number | undefined;
  /** The longest time between two ticks so far, in ms: what is left of the time-out is the margin. */
  readonly worstIntervalMs: number;
  /** The checks that failed at the last tick, by name. */
  readonly failing: readonly string[];
  /** Ends the pings. While the service runs, systemd then acts after `WatchdogSec=`. */
  stop(): void;
}

/**
 * Reads `WATCHDOG_USEC` and `WATCHDOG_PID`.
 *
 * `off` when unset or meant for another process; `invalid` when either is not a decimal number in range (µs, 1 to 2^64 - 2;
 * process id from 1).
 */
export function readWatchdogSetting(env: WatchdogOptions['env'], pid: number): WatchdogSetting {
  const usec = env.WATCHDOG_USEC;
  if (usec === undefined) return { state: 'off', reason: 'WATCHDOG_USEC is not set' };
  const timeout = decimal(usec);
  if (timeout === undefined || timeout === 0n || timeout >= USEC_INFINITY) {
    return { state: 'invalid', reason: `WATCHDOG_USEC=${JSON.stringify(usec)} is not a time in microseconds` };
  }
  const owner = env.WATCHDOG_PID;
  if (owner !== undefined) {
    const ownerPid = decimal(owner);
    if (ownerPid === undefined || ownerPid === 0n) {
      return { state: 'invalid', reason: `WATCHDOG_PID=${JSON.stringify(owner)} is not a process id` };
    }
    if (ownerPid !== BigInt(pid)) return { state: 'off', reason: `the watchdog is meant for process ${owner}` };
  }
  return { state: 'on', timeoutUs: Number(timeout) };
}

/** At most 20 digits (2^64), so that rubbish of any length costs nothing. */
function decimal(text: string): bigint | undefined {
  return /^[0-9]{1,20}$/.test(text) ? BigInt(text) : undefined;
}

/** Half of the time-out, as sd_watchdog_enabled(3) recommends, within what a Node timer can do. */
export function watchdogPeriodMs(timeoutUs: number): number {
  return Math.min(Math.max(Math.floor(timeoutUs / 2000), 1), MAX_TIMER_MS);
}

const everyInterval: Every = (periodMs, tick) => {
  const timer = setInterval(tick, periodMs);
  // The watchdog watches the daemon; it must not be what keeps it running.
  timer.unref();
  return () => clearInterval(timer);
};

/** Which checks fail now, with what is wrong. */
function runChecks(checks: readonly HealthCheck[]): Map<string, string> {
  const wrong = new Map<string, string>();
  for (const health of checks) {
    try {
      const reason = health.check();
      if (reason !== undefined) wrong.set(health.name, reason);
    } catch (error) {
      wrong.set(health.name, `the check itself failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return wrong;
}

/**
 * Pings the service manager at half of `WatchdogSec=`, from a timer of the event loop and only while every check passes.
 *
 * A loop that is blocked sends nothing, and neither does a failing check: it is logged by name when it begins and when it
 * ends, and systemd acts when `WatchdogSec=` has passed without a ping. The first ping is sent at once. A setting that is not
 * understood is logged as an error and nothing is sent: systemd, not a guess, decides.
 */
export function startWatchdog(options: WatchdogOptions): Watchdog {
  const { env, pid, notifier, checks, log, now, every = everyInterval } = options;
  const setting = readWatchdogSetting(env, pid);
  if (setting.state === 'invalid') {
    log.error({}, `watchdog: ${setting.reason}; no pings are sent. It is set by WatchdogSec= of the unit`);
  }
  if (setting.state !== 'on') {
    return { setting, periodMs: undefined, worstIntervalMs: 0, failing: [], stop: () => undefined };
  }

  const periodMs = watchdogPeriodMs(setting.timeoutUs);
  let failing = new Map<string, string>();
  let expected = now();
  let worstIntervalMs = periodMs;
  const tick = (): void => {
    const late = now() - expected;
    worstIntervalMs = Math.max(worstIntervalMs, periodMs + late);
    if (late > periodMs / 2) {
      log.warn({ lateMs: late }, `watchdog: the event loop was blocked for about ${Math.round(late)} ms`);
    }
    expected = now() + periodMs;
    const wrong = runChecks(checks);
    logChanges(log, failing, wrong, setting.timeoutUs);
    failing = wrong;
    if (wrong.size === 0) void notifier.watchdog();
  };
  tick();
  const stop = every(periodMs, tick);
  return {
    setting,
    periodMs,
    get worstIntervalMs() {
      return worstIntervalMs;
    },
    get failing() {
      return [...failing.keys()];
    },
    stop,
  };
}

function logChanges(
  log: ServiceLog,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  timeoutUs: number,
): void {
  for (const [check, reason] of after) {
    if (before.has(check)) continue;
    const act = `systemd acts ${timeoutUs / 1e6} s after the last ping`;
    log.error({ check, reason }, `watchdog: ${check} is not healthy: ${reason}; no ping, ${act}`);
  }
  for (const check of before.keys()) {
    if (!after.has(check)) log.info({ check }, `watchdog: ${check} is healthy again`);
  }
}
