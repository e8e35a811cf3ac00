// Reloading: the configuration file is read anew, and whoever goes by it is told of what has changed.
import type { Logger } from 'pino';
import type { Config } from './config/config.js';
import { formatConfigError } from './config/errors.js';
import type { ConfigResult } from './config/load.js';
import type { ReloadReport, Service } from './control/target.js';
import { SERVICE_SECTIONS } from './reload-plan.js';
import { refusalOf, refusedReport, STOPPING } from './reload-report.js';

/** Who goes by some sections of the configuration besides the service. */
export interface Follower {
  /** What the sections are called in the file. */
  readonly sections: readonly string[];
  /** Told when one of them has changed. What it throws is a problem of the reload, which is not taken back. */
  follow(config: Config): void | Promise<void>;
  /** What of a change takes effect only at the next start. */
  later?(config: Config): ReloadReport['restart'];
}

/** What a {@link Reloader} needs. */
export interface ReloaderOptions {
  /** Reads and checks the file, as it was at the start: with the driver of the command line, if one was named. */
  load(): ConfigResult;
  readonly service: Pick<Service, 'reconfigure' | 'reloadRefused'>;
  readonly log: Logger;
  readonly followers: readonly Follower[];
  /** Refuses a configuration before anything is touched, by throwing. */
  check?(config: Config): void | Promise<void>;
  readonly supervisor?: ReloadSupervisor;
}

/** Told when a reload begins, and when it is over, whatever it came to. */
export interface ReloadSupervisor {
  begins(): Promise<unknown>;
  isOver(): Promise<unknown>;
}

/** Reloads one at a time. Who asks while one runs shares the one that follows it, which sees the file as it is by then. */
export class Reloader {
  readonly #options: ReloaderOptions;
  #running: Promise<ReloadReport> | undefined;
  #next: Promise<ReloadReport> | undefined;
  #ended = false;

  constructor(options: ReloaderOptions) {
    this.#options = options;
  }

  /** Never rejects: a file that cannot be used leaves all as it is, and the report says why. */
  reload(): Promise<ReloadReport> {
    // Also when the one before is over just now: whoever is told of that asks before the next has begun.
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#begin();
    this.#next = this.#running.then(() => {
      this.#next = undefined;
      return this.#begin();
    });
    return this.#next;
  }

  /** The daemon stops: no reload begins any more, and one that runs tells nobody who is stopped by himself. */
  end(): void {
    this.#ended = true;
  }

  #begin(): Promise<ReloadReport> {
    const running = this.#run().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #run(): Promise<ReloadReport> {
    const { supervisor, service } = this.#options;
    // No mistake of anybody's: whoever asked is told, and nobody else.
    if (this.#ended) return refusedReport([STOPPING]);
    await supervisor?.begins();
    try {
      return await this.#takeOver();
    } catch (error) {
      return service.reloadRefused([refusalOf(error)]);
    } finally {
      // systemd was told of the stop.
      if (!this.#ended) await supervisor?.isOver();
    }
  }

  async #takeOver(): Promise<ReloadReport> {
    const { load, service, check } = this.#options;
    const result = load();
    if (!result.ok) return service.reloadRefused(result.errors.map(formatConfigError));
    await check?.(result.config);
    const report = await service.reconfigure(result.config);
    return report.ok ? this.#follow(result.config, report) : report;
  }

  async #follow(config: Config, report: ReloadReport): Promise<ReloadReport> {
    const { followers, log } = this.#options;
    const problems = [...report.problems];
    const restart = [...report.restart];
    const changed = changedSections(report);
    for (const { sections, follow, later } of followers) {
      if (this.#ended) break;
      if (!sections.some((section) => changed.has(section))) continue;
      try {
        await follow(config);
        restart.push(...(later?.(config) ?? []));
      } catch (error) {
        problems.push(`${sections[0]}: ${refusalOf(error)}`);
        log.error({ err: error }, `${sections[0]}: ${refusalOf(error)}`);
      }
    }
    const followed = new Set(followers.flatMap(({ sections }) => sections));
    for (const key of changed) {
      if (!SERVICE_SECTIONS.has(key) && !followed.has(key)) restart.push({ key, why: 'it is looked at only then' });
    }
    // Of the others, the service has told.
    for (const { key } of restart.slice(report.restart.length))
      log.warn({ key }, `${key} takes effect at the next start`);
    return { ...report, problems, restart };
  }
}

function changedSections({ sections }: ReloadReport): Set<string> {
  const touched = Object.entries(sections).filter(
    ([, { added, changed, removed }]) => added.length + changed.length + removed.length > 0,
  );
  return new Set(touched.map(([key]) => key));
}
