// A reload in a running service: what a new configuration changes is exchanged, and nothing else is touched.
import type { GpioDesc } from '../kernel/index.js';
import { linesOf } from './bridge/backend.js';
import type { HandlerModule } from './bridge/handler-module.js';
import { type HeldChip, MAIN_CHIP } from './bridge/held-chip.js';
import { Anew } from './bridge/imports-anew.js';
import type { Config, LineSpec } from './config/config.js';
import type { ReloadReport } from './control/target.js';
import type { Parts } from './parts.js';
import { moduleFiles, planReload, type ReloadPlan } from './reload-plan.js';
import { refusalOf, refusedReport, takenOverReport } from './reload-report.js';

/** How long handlers, and work whose lines go, are waited for, in ms; what takes longer goes on by itself. */
const PATIENCE_MS = 4_000;

/** Made before anything is touched, so that a reload that cannot be is refused. */
interface Prepared {
  readonly chips: ReadonlyMap<string, HeldChip>;
  readonly descs: ReadonlyMap<string, GpioDesc>;
  readonly modules: ReadonlyMap<string, HandlerModule | undefined>;
  /** Files of modules, as they were before they were loaded. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * Takes over what has changed in a configuration. Does not reject: what cannot be is refused before anything is touched, and
 * what goes wrong then is in the report, while all the rest is done.
 */
export async function reconfigure(parts: Parts, config: Config): Promise<ReloadReport> {
  const began = performance.now();
  const changedFiles = parts.files.changed();
  const plan = planReload(parts.config, config, changedFiles);
  let prepared: Prepared;
  try {
    prepared = await prepare(parts, plan, changedFiles);
  } catch (error) {
    return refusedReport([refusalOf(error)]);
  }
  const exchange = new Exchange(parts, plan, prepared);
  await exchange.run();
  return takenOverReport(plan, exchange.problems, Math.round((performance.now() - began) * 1e6));
}

/** Opens new chips and loads new modules. Errors as theirs; nothing has changed then. */
async function prepare(parts: Parts, plan: ReloadPlan, changedFiles: ReadonlySet<string>): Promise<Prepared> {
  const files = parts.files.look(moduleFiles(plan.config), changedFiles);
  const { backend } = parts;
  const { config, moved, requested } = plan;
  const chips = new Map<string, HeldChip>();
  const chipOf = (line: LineSpec): HeldChip => chips.get(line.chip ?? MAIN_CHIP) ?? backend.chipOf(line);
  try {
    for (const [id, held] of backend.chips) if (!plan.chipsClosed.has(id)) held.check(linesOf(config, id));
    for (const spec of config.chips ?? []) {
      if (plan.chipsOpened.has(spec.name)) chips.set(spec.name, backend.open(spec, linesOf(config, spec.name)));
    }
    const descs = new Map<string, GpioDesc>();
    const known = new Set(parts.config.lines.map(({ name }) => name));
    for (const line of config.lines) {
      const asBefore = known.has(line.name) && !moved.has(line.name);
      descs.set(line.name, asBefore ? parts.desc(line.name) : parts.makeDesc(line, chipOf(line)));
    }
    const modules = new Map<string, HandlerModule | undefined>();
    // One for all: what two handlers import they have together, as after a start.
    const anew = new Anew();
    for (const line of config.lines) {
      const desc = descs.get(line.name);
      if (desc === undefined || !requested.has(line.name)) continue;
      modules.set(line.name, await parts.loadModule(line, anew, { config, desc, chip: chipOf(line) }));
    }
    return { chips, descs, modules, files };
  } catch (error) {
    for (const chip of chips.values()) chip.close(true);
    throw error;
  }
}

/** The exchange itself. */
class Exchange {
  readonly problems: string[] = [];
  readonly #parts: Parts;
  readonly #plan: ReloadPlan;
  readonly #prepared: Prepared;
  /** What ends by itself, by what it is called. */
  readonly #ending = new Map<string, Promise<void>>();

  constructor(parts: Parts, plan: ReloadPlan, prepared: Prepared) {
    this.#parts = parts;
    this.#plan = plan;
    this.#prepared = prepared;
  }

  async run(): Promise<void> {
    const { triggers } = this.#plan;
    if (triggers) this.#parts.endTriggers();
    const freed = this.#free();
    await this.#patience();
    this.#switchOver();
    await this.#exchangeQueues();
    if (this.#plan.chords) await this.#attempt('chords', () => this.#parts.replaceChords());
    await this.#request(freed);
    if (triggers) await this.#attempt('triggers', () => this.#parts.startTriggers());
    for (const { id, problem } of this.#parts.backend.chips.values()) {
      if (problem !== undefined) this.problems.push(id === MAIN_CHIP ? problem : `${id}: ${problem}`);
    }
  }

  /** Frees the interrupts that change; edges of lines that stay wait meanwhile. @returns when each is free */
  #free(): ReadonlyMap<string, Promise<void>> {
    const { config, interrupts, backend } = this.#parts;
    const freed = new Map<string, Promise<void>>();
    for (const line of config.lines) {
      const { name, gpio } = line;
      if (!this.#plan.freed.has(name)) continue;
      const goes = this.#plan.moved.has(name);
      // What a reload before this one was to request is out of date.
      this.#parts.late.delete(name);
      if (!goes && this.#plan.requested.has(name)) backend.chipOf(line).hold(gpio);
      const free = interrupts.free(name);
      freed.set(name, free);
      // Work that sets outputs, or reads the line, has them as long as it is waited for.
      const settled = free.then(() => interrupts.settle(name));
      this.#end(`the interrupt of ${name}`, goes ? settled : free);
      if (!goes) this.#background(`the work of ${name}`, settled);
    }
    return freed;
  }

  #end(what: string, done: Promise<void>): void {
    this.#ending.set(what, done);
    void done.then(
      () => this.#ending.delete(what),
      (error: unknown) => {
        this.#ending.delete(what);
        this.#problem(what, error);
      },
    );
  }

  /** What nobody waits for is reported when it fails. */
  #background(what: string, done: Promise<void>): void {
    done.catch((error: unknown) => this.#parts.reports.error(what, error));
  }

  /** Waits for what ends, but not for ever. */
  async #patience(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS);
    });
    await Promise.race([Promise.allSettled(this.#ending.values()), late]);
    clearTimeout(timer);
    for (const what of this.#ending.keys()) this.problems.push(`${what} does not end, and goes on by itself`);
  }

  /** All lines are the new ones when this returns. Nothing else runs meanwhile. */
  #switchOver(): void {
    const { backend, outputs } = this.#parts;
    const { config, lines, moved, chipsClosed } = this.#plan;
    for (const name of moved) outputs.remove(name);
    for (const id of chipsClosed) backend.remove(id);
    for (const chip of this.#prepared.chips.values()) backend.install(chip);
    const changed = [
      ...lines.added,
      ...lines.removed,
      ...lines.changed.flatMap(({ before, after }) => [before, after]),
    ];
    for (const [id, chip] of backend.chips) {
      if (this.#prepared.chips.has(id) || !changed.some((line) => (line.chip ?? MAIN_CHIP) === id)) continue;
      chip.update(linesOf(config, id), this.#fresh(id));
    }
    for (const { name } of lines.removed) {
      this.#parts.removeDesc(name);
      this.#parts.interrupts.forget(name);
    }
    for (const desc of this.#prepared.descs.values()) this.#parts.setDesc(desc);
    this.#parts.config = config;
    this.#parts.files.note(this.#prepared.files);
  }

  /** Lines of a chip that are used for something else than before. */
  #fresh(id: string): Set<number> {
    const { config, lines, moved } = this.#plan;
    const added = new Set(lines.added.map(({ name }) => name));
    return new Set(linesOf(config, id).flatMap(({ name, gpio }) => (added.has(name) || moved.has(name) ? gpio : [])));
  }

  async #exchangeQueues(): Promise<void> {
    const { queues, config } = this.#parts;
    for (const name of this.#plan.queuesEnded) this.#background(`workqueue ${name}`, queues.remove(name));
    for (const spec of config.workqueues) {
      if (this.#plan.queuesBegun.has(spec.name)) {
        await this.#attempt(`workqueue ${spec.name}`, () => this.#parts.addQueue(spec));
      }
    }
  }

  /** Requests interrupts in the order of the configuration; one whose old handlers do not end comes when they have. */
  async #request(freed: ReadonlyMap<string, Promise<void>>): Promise<void> {
    const { config } = this.#parts;
    for (const line of config.lines) {
      if (!this.#plan.requested.has(line.name)) continue;
      const free = freed.get(line.name);
      if (free !== undefined && this.#ending.has(`the interrupt of ${line.name}`)) {
        this.#parts.late.set(line.name, this);
        this.#background(
          `the interrupt of ${line.name}`,
          free.then(() => this.#requestLate(line)),
        );
      } else {
        await this.#attempt(`the interrupt of ${line.name}`, () => this.#requestOne(line));
      }
    }
  }

  async #requestLate(line: LineSpec): Promise<void> {
    const { late } = this.#parts;
    if (late.get(line.name) !== this) return;
    late.delete(line.name);
    await this.#requestOne(line);
  }

  async #requestOne(line: LineSpec): Promise<void> {
    const countsOn = this.#plan.freed.has(line.name) && !this.#plan.moved.has(line.name);
    try {
      await this.#parts.request(line, this.#prepared.modules.get(line.name), countsOn);
    } finally {
      this.#parts.backend.chipOf(line).resume(line.gpio);
    }
  }

  async #attempt(what: string, action: () => void | Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#problem(what, error);
    }
  }

  #problem(what: string, error: unknown): void {
    this.problems.push(`${what}: ${refusalOf(error)}`);
  }
}
