// `gpio-irqd run`: the service and its control socket, from start to a clean end.

import { resolve } from 'node:path';
import type { Logger } from 'pino';
import { createNotifier, type Notifier } from '../systemd/notify.js';
import { startWatchdog, type Watchdog } from '../systemd/watchdog.js';
import type { KeptLines } from './bridge/kept-lines.js';
import { EXIT, type Surroundings } from './cli.js';
import type { Config, DriverChoice } from './config/config.js';
import { formatConfigError, formatConfigWarning } from './config/errors.js';
import { type ConfigResult, loadConfig } from './config/load.js';
import { type ControlServer, startControl } from './control/server.js';
import { defaultSocketPath } from './control/socket.js';
import type { Service } from './control/target.js';
import { runDemo } from './demo.js';
import { Hangups } from './hangups.js';
import { openKeptLines } from './keeping.js';
import { createLogger, type LogSettings } from './log.js';
import type { LogLevel } from './log-levels.js';
import { Mqtt } from './mqtt/mqtt.js';
import type { MqttPort } from './mqtt/port.js';
import type { WatchdogView } from './observe/families.js';
import { metricsRoute } from './observe/metrics-route.js';
import { Reloader, type ReloadSupervisor } from './reload.js';

/** Starts the service; daemon/service.ts has the real one. */
export type StartService = (options: {
  /** With `--driver` already in it. */
  config: Config;
  log: Logger;
  /** Absolute. */
  configPath: string;
  /** Messages to and from a broker. */
  messages?: MqttPort;
  /** Has the lines outlive the process. */
  kept?: KeptLines | undefined;
}) => Promise<Service>;

/** Options of the command. */
export interface RunOptions {
  readonly config: string;
  readonly driver?: DriverChoice;
  readonly socket?: string;
  /** Default `info`; `warn` in the demo, which shows the events themselves. */
  readonly logLevel?: LogLevel;
  readonly demo?: boolean;
}

/** How gpio-irqctl is called here: npx finds it in a clone, and wherever npm started the daemon. */
export function ctlCommand(env: Surroundings['env'], url: string): string {
  const installed = url.includes('/node_modules/') && env.npm_lifecycle_event === undefined;
  return installed ? 'gpio-irqctl' : 'npx gpio-irqctl';
}

function banner(service: Service, path: string, ctl: string, config: Config): string {
  const { driver, simulated, chip, problem } = service.status();
  const button = config.interrupts[0]?.line;
  const what = simulated
    ? `gpio-irqd runs on a SIMULATED ${chip.label}: no real line is read or driven.`
    : `gpio-irqd runs on ${chip.name} [${chip.label}] through the driver ${driver}.`;
  const next = [`${ctl} lines`, `${ctl} interrupts`, `${ctl} events`];
  if (simulated && button !== undefined) next.unshift(`${ctl} press ${button}`);
  const wrong = problem === undefined ? '' : `Not all lines are held: ${problem}.\n`;
  return `\n${what}\n${wrong}Control socket: ${path}\nType in a second terminal:\n${next.map((line) => `  ${line}\n`).join('')}Ctrl-C ends it.\n\n`;
}

/** What `systemctl status` shows. */
function statusText(service: Service): string {
  const { driver, simulated, chip, problem } = service.status();
  return problem ?? `${simulated ? 'SIMULATED ' : ''}${chip.name} [${chip.label}], driver ${driver}`;
}

/** What systemd is told, from ready to stopping. */
class Supervision {
  readonly #notifier: Notifier;
  readonly #watchdog: Watchdog;

  constructor(notifier: Notifier, env: Surroundings['env'], log: Logger) {
    this.#notifier = notifier;
    this.#watchdog = startWatchdog({
      env,
      pid: process.pid,
      notifier,
      // A chip that is gone is waited for: to be started anew would bring it back no sooner.
      checks: [],
      log,
      now: () => performance.now(),
    });
  }

  async ready(service: Service): Promise<void> {
    service.onProblem(() => void this.#notifier.status(statusText(service)));
    await this.#notifier.ready(statusText(service));
  }

  /** A reload is told of from its begin to its end, whatever it comes to. */
  reloads(service: Service): ReloadSupervisor {
    return {
      begins: () => this.#notifier.reloading(),
      isOver: () => this.#notifier.ready(statusText(service)),
    };
  }

  async stopping(reason: string): Promise<void> {
    await this.#notifier.stopping(reason);
  }

  /** `undefined` when systemd has set none. */
  get watchdog(): WatchdogView | undefined {
    const { setting, worstIntervalMs } = this.#watchdog;
    return setting.state === 'on' ? { timeoutMs: setting.timeoutUs / 1_000, worstIntervalMs } : undefined;
  }

  end(): void {
    this.#watchdog.stop();
  }
}

/** A daemon whose service runs, and that nobody can ask yet. */
interface Running {
  readonly service: Service;
  readonly mqtt: Mqtt;
  readonly options: RunOptions;
  /** As at the start. */
  readonly config: Config;
  readonly io: Surroundings;
  readonly log: Logger;
  readonly notifier: Notifier;
  readonly hangups: Hangups;
}

/** Serves until a signal or the service itself ends it. @returns the exit code */
async function serve(running: Running): Promise<number> {
  const { service, mqtt, options, config, io, log, notifier, hangups } = running;
  const path = resolve(options.socket ?? defaultSocketPath(io));
  let stop: (signal: string) => void = () => undefined;
  const signalled = new Promise<string>((settle) => {
    stop = settle;
  });
  const forget = io.onSignal(stop);
  let control: ControlServer | undefined;
  let supervision: Supervision | undefined;
  try {
    await mqtt.start(service, config);
    const metrics = metricsRoute(() => ({
      target: service,
      control: () => control?.counts,
      watchdog: () => supervision?.watchdog,
    }));
    control = await startControl({ target: service, path, log, extraRoutes: [metrics] });
    if (config.http !== undefined) await control.setPort(config.http);
    supervision = new Supervision(notifier, io.env, log);
    log.info({ socket: path }, 'control socket is open');
    if (service.status().simulated) log.warn('SIMULATED: no real line is read or driven');
    // Not into the journal: there the log says it.
    if (io.terminal || io.env.NOTIFY_SOCKET === undefined) {
      const program = ctlCommand(io.env, import.meta.url);
      io.out(banner(service, path, options.socket === undefined ? program : `${program} --socket ${path}`, config));
    }
    const reloads = createReloader({ ...running, control, supervision });
    service.onReload(() => reloads.reload());
    await supervision.ready(service);
    hangups.take({ reload: () => void reloads.reload(), end: () => stop('SIGHUP') });
    const ended = await Promise.race([signalled, service.closed]);
    const reason = typeof ended === 'string' ? ended : 'the service ended by itself';
    await supervision.stopping(reason);
    reloads.end();
    await control.close();
    await service.stop(reason);
    // Last, for what actions have published in the end.
    await mqtt.stop();
    return typeof ended === 'string' ? EXIT.done : ended;
  } finally {
    supervision?.end();
    await control?.close();
    await service.stop('end');
    await mqtt.stop();
    // Last: until then a signal that comes twice must not end it half-way.
    forget();
  }
}

/** One that is asked, and that tells systemd. */
interface Serving extends Running {
  readonly control: ControlServer;
  readonly supervision: Supervision;
}

function createReloader({ service, mqtt, control, supervision, options, config: started, log }: Serving): Reloader {
  return new Reloader({
    service,
    log,
    load: () => warn(loadAsStarted(options), log),
    check: (config) => mqtt.check(config),
    followers: [
      { sections: ['mqtt', 'lines', 'interrupts', 'chords', 'chips'], follow: (config) => mqtt.reconfigure(config) },
      { sections: ['http'], follow: ({ http }) => control.setPort(http) },
      {
        sections: ['log'],
        follow: (config) => {
          log.level = levelOf(options, config);
        },
        later: (config) =>
          config.log?.format === started.log?.format
            ? []
            : [{ key: 'log.format', why: 'lines of two forms in one log are hard to read' }],
      },
    ],
    supervisor: supervision.reloads(service),
  });
}

/** The command line goes first. */
function levelOf({ logLevel, demo }: RunOptions, { log }: Config): LogLevel {
  return logLevel ?? (demo === true ? 'warn' : (log?.level ?? 'info'));
}

/** What JSON that was asked for by name is for, journald's priorities would break; the journal itself is told by JOURNAL_STREAM. */
function formatOf({ log }: Config, { terminal, env }: Surroundings): Pick<LogSettings, 'terminal' | 'bare'> {
  if (log?.format === 'text') return { terminal: true };
  return log?.format === 'json' ? { terminal: false, bare: env.JOURNAL_STREAM === undefined } : { terminal };
}

/** Says what is allowed in a configuration and probably not meant. @returns the result */
function warn(result: ConfigResult, log: Logger): ConfigResult {
  if (result.ok) for (const warning of result.warnings) log.warn(formatConfigWarning(warning));
  return result;
}

/** The file with the driver of the command line, if it named one. */
function loadAsStarted({ config: path, driver }: RunOptions): ConfigResult {
  const result = loadConfig(path, { trusted: true });
  if (!result.ok) return result;
  const { config } = result;
  return { ...result, config: Object.freeze({ ...config, driver: chosenDriver(config.driver, driver) }) };
}

/** `--driver hardware` forbids the simulation, as the unit does; which driver of hardware, the configuration may say. */
function chosenDriver(configured: DriverChoice, asked: DriverChoice | undefined): DriverChoice {
  if (asked === undefined) return configured;
  return asked === 'hardware' && configured !== 'auto' && configured !== 'sim' ? configured : asked;
}

/** The command. @returns the exit code; throws KernelError when the service or its socket cannot be started. */
export async function run(options: RunOptions, io: Surroundings, startService: StartService): Promise<number> {
  const configPath = resolve(options.config);
  const result = loadConfig(options.config, { trusted: true });
  if (!result.ok) {
    for (const error of result.errors) io.err(`${formatConfigError(error)}\n`);
    return EXIT.usage;
  }
  if (options.demo === true && options.driver !== undefined && options.driver !== 'sim') {
    io.err(`gpio-irqd: --demo presses simulated buttons; leave --driver ${options.driver} out\n`);
    return EXIT.usage;
  }
  // A service goes on when its log has no room.
  if (options.demo !== true) io.beginPatience?.();
  const driver = options.demo === true ? 'sim' : chosenDriver(result.config.driver, options.driver);
  const config: Config = Object.freeze({ ...result.config, driver });
  const log = createLogger({ level: levelOf(options, config), output: { write: io.out }, ...formatOf(config, io) });
  warn(result, log);
  const started = { config, log, configPath };
  if (options.demo === true) return demo(await startService(started), config, io);
  const hangups = new Hangups(io);
  try {
    const mqtt = new Mqtt(started);
    const notifier = await createNotifier({ env: io.env, log });
    const kept = await openKeptLines(driver, notifier, io.takeInheritedFds?.() ?? [], log);
    const service = await startService({ ...started, messages: mqtt, kept });
    await kept?.letGo();
    return await serve({ service, mqtt, options, config, io, log, notifier, hangups });
  } finally {
    hangups.close();
  }
}

async function demo(service: Service, config: Config, io: Surroundings): Promise<number> {
  try {
    io.out(`gpio-irqd demo, on a SIMULATED ${service.status().chip.label}: no real line is read or driven.\n`);
    await runDemo(service, config, io.out);
    return EXIT.done;
  } finally {
    await service.stop('end of the demo');
  }
}
