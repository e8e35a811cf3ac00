// The interrupts of all lines: requested, exchanged while edges wait, freed.
import { isDeepStrictEqual } from 'node:util';
import {
  cancelDelayedWorkSync,
  flushWork,
  freeIrq,
  IRQF_NO_AUTOEN,
  IRQF_ONESHOT,
  IRQF_SHARED,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_RISING,
  irqCanSetAffinity,
  irqSetAffinity,
  irqSetStormGuard,
  type Machine,
  requestThreadedIrq,
  type StormLimits,
  type StormListener,
  schedSetscheduler,
  synchronizeIrq,
  taskletKill,
  type Work,
} from '../../kernel/index.js';
import type { InterruptSpec, LineSpec } from '../config/config.js';
import type { HandlerModule } from './handler-module.js';
import type { InterruptHost } from './host.js';
import { LineInterrupt } from './line-interrupt.js';

/** One line's interrupt, and what it is on. */
export interface InterruptRequest {
  readonly irq: number;
  readonly host: InterruptHost;
  readonly line: LineSpec;
  /** Undefined for a line whose edges are only counted. */
  readonly spec: InterruptSpec | undefined;
  /** Loaded from {@link InterruptSpec.handler}. */
  readonly module: HandlerModule | undefined;
  /** Told of storms of a line that has a guard. */
  readonly storms: StormListener;
  /** Whether its counts go on from those that the line has had. */
  readonly countsOn: boolean;
}

/** One action to be freed. */
interface Requested {
  readonly line: string;
  readonly irq: number;
  readonly devId: unknown;
  readonly name: string;
}

/** Handlers of a line, as they are requested together. */
interface Handlers {
  readonly interrupt: LineInterrupt;
  readonly module: HandlerModule | undefined;
}

/** What is left undone by a stop, and what it waits for. */
export interface StopReports {
  waitingFor(what: string): void;
  leftUndone(line: string, edges: number): void;
}

/** Lines with edges have one of these each: their edges are counted, and a handler module is a second action on it. */
export class Interrupts {
  readonly #machine: Machine;
  /** By line, as they were requested last. */
  readonly #handlers = new Map<string, Handlers>();
  /** Freed, with work that still runs. */
  readonly #retired = new Set<Handlers>();
  /** What to free, in the order of requesting. */
  #requested: Requested[] = [];
  /** By line, until its handlers have ended. */
  readonly #freeing = new Map<string, Promise<void>>();
  /** By irq: what its guard was given, and the line that its listener tells of. */
  readonly #guards = new Map<number, readonly [StormLimits | undefined, string]>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Of a line; undefined for one without edges. */
  get(line: string): LineInterrupt | undefined {
    return this.#handlers.get(line)?.interrupt;
  }

  /** Requests a line's interrupt. Errors as request_threaded_irq, and as {@link LineInterrupt}. */
  async request({ irq, host, line, spec, module, storms, countsOn }: InterruptRequest): Promise<void> {
    const machine = this.#machine;
    const interrupt = new LineInterrupt(host, line, spec);
    const before = this.get(line.name);
    if (countsOn && before !== undefined) interrupt.countOn(before);
    this.#handlers.set(line.name, { interrupt, module });
    const flags = triggerOf(line) | flagsOf(spec);
    await this.#guard(irq, line, storms);
    const add = async (
      devId: unknown,
      name: string,
      of: Pick<HandlerModule, 'topHalf' | 'threadFn'>,
    ): Promise<void> => {
      await machine.call(() => requestThreadedIrq(irq, of.topHalf, of.threadFn, flags, name, devId));
      this.#requested.push({ line: line.name, irq, devId, name });
    };
    await add(interrupt, interrupt.name, interrupt);
    if (spec === undefined) return;
    if (module !== undefined) await add(module.device, spec.name, module);
    if (spec.affinity === undefined && spec.priority === undefined) return;
    await machine.call(() => schedule(machine, irq, spec));
  }

  /**
   * Frees a line's interrupt: waits for its handlers as free_irq does, and for the tasklet and the work of its module. Its other
   * work goes on; {@link settle} waits for that. Its counts stay until it is requested again, or {@link forget}.
   */
  free(line: string): Promise<void> {
    const handlers = this.#handlers.get(line);
    if (handlers !== undefined) this.#retired.add(handlers);
    const mine = this.#requested.filter((one) => one.line === line).reverse();
    this.#requested = this.#requested.filter((one) => one.line !== line);
    const freed = this.#freeAfter(this.#freeing.get(line), mine, handlers).finally(() => {
      if (this.#freeing.get(line) === freed) this.#freeing.delete(line);
    });
    this.#freeing.set(line, freed);
    return freed;
  }

  /** @param earlier handlers of the same line whose end somebody waits for already, and who may still run */
  async #freeAfter(
    earlier: Promise<void> | undefined,
    mine: readonly Requested[],
    handlers: Handlers | undefined,
  ): Promise<void> {
    for (const { irq, devId } of mine) await this.#machine.call(() => freeIrq(irq, devId), 'reload');
    await earlier?.catch(() => undefined);
    if (handlers === undefined) return;
    const { interrupt, module } = handlers;
    await this.#killTasklet(interrupt);
    interrupt.retire();
    if (module !== undefined) await this.#cancelModule(module);
  }

  /** Waits until the work of all interrupts of a line that were freed is done. */
  async settle(line: string): Promise<void> {
    for (const handlers of [...this.#retired]) {
      if (handlers.interrupt.line.name !== line) continue;
      await this.#flush(handlers.interrupt.works);
      this.#retired.delete(handlers);
    }
  }

  /** Counts of a line are no longer of use. */
  forget(line: string): void {
    this.#handlers.delete(line);
  }

  /** Waits for the handlers, threads and work items of a line. */
  async synchronize(line: string, irq: number): Promise<void> {
    const handlers = this.#handlers.get(line);
    if (handlers === undefined) return;
    const works = worksOf(handlers);
    await this.#machine.call(function* () {
      yield* synchronizeIrq(irq);
      for (const work of works) yield* flushWork(work);
    }, 'settle');
  }

  /** Frees every interrupt, the newest first, and waits for the work items that run; others are left undone. */
  async stop(reports: StopReports): Promise<void> {
    for (let last = this.#requested.at(-1); last !== undefined; last = this.#requested.at(-1)) {
      const { irq, devId, name } = last;
      reports.waitingFor(`the interrupt ${name}`);
      await this.#machine.call(() => freeIrq(irq, devId), 'stop');
      this.#requested.pop();
    }
    for (const [line, freed] of this.#freeing) {
      reports.waitingFor(`the interrupt of ${line}, which a reload has freed,`);
      await freed.catch(() => undefined);
    }
    const all = new Set([...this.#handlers.values(), ...this.#retired]);
    for (const handlers of all) {
      const { interrupt } = handlers;
      reports.waitingFor(`the work of ${interrupt.line.name}`);
      await this.#killTasklet(interrupt);
      const count = interrupt.cancel();
      if (count > 0) reports.leftUndone(interrupt.line.name, count);
      await this.#flush(worksOf(handlers));
    }
    // What waits for its time has not begun, and lines are held no more when it comes.
    for (const { module } of all) if (module !== undefined) await this.#cancelModule(module);
  }

  /** A guard that stays as it was keeps its counts. */
  async #guard(irq: number, { name, stormGuard: limits }: LineSpec, storms: StormListener): Promise<void> {
    const guard = [limits, name] as const;
    const before = this.#guards.get(irq);
    if (isDeepStrictEqual(before, guard) || (limits === undefined && before?.[0] === undefined)) return;
    this.#guards.set(irq, guard);
    await this.#machine.call(() => irqSetStormGuard(irq, limits ?? null, storms));
  }

  async #killTasklet({ tasklet }: LineInterrupt): Promise<void> {
    if (tasklet !== undefined) await this.#machine.call(() => taskletKill(tasklet), 'stop');
  }

  async #flush(works: readonly Work[]): Promise<void> {
    for (const work of works) await this.#machine.call(() => flushWork(work), 'stop');
  }

  async #cancelModule({ device }: HandlerModule): Promise<void> {
    await this.#machine.call(() => cancelDelayedWorkSync(device.work), 'stop');
  }
}

function worksOf({ interrupt, module }: Handlers): readonly Work[] {
  return module === undefined ? interrupt.works : [...interrupt.works, module.device.work];
}

const FLAGS = { oneshot: IRQF_ONESHOT, no_autoen: IRQF_NO_AUTOEN } as const;

/** What an interrupt is requested with besides its trigger. */
function flagsOf(spec: InterruptSpec | undefined): number {
  const shared = spec?.handler === undefined ? 0 : IRQF_SHARED;
  return (spec?.flags ?? []).reduce((sum, flag) => sum | FLAGS[flag], shared);
}

/** Gives an interrupt its CPUs, which lines behind the simulated Pi's own controller have not, and its threads their priority. A context of the model. */
function schedule(machine: Machine, irq: number, { affinity, priority }: InterruptSpec): void {
  if (affinity !== undefined && irqCanSetAffinity(irq)) {
    const mask = affinity.reduce((sum, cpu) => sum | (1 << cpu), 0);
    irqSetAffinity(irq, mask);
  }
  if (priority === undefined) return;
  for (const { thread } of machine.irqs.get(irq).actions) {
    if (thread !== undefined) schedSetscheduler(thread, 'SCHED_FIFO', priority);
  }
}

/** Trigger of a line as the hardware sees it: the edges of an active-low line are the wire's the other way round. */
function triggerOf({ edge, activeLow }: LineSpec): number {
  if (edge === 'both') return IRQF_TRIGGER_RISING | IRQF_TRIGGER_FALLING;
  return (edge === 'rising') !== activeLow ? IRQF_TRIGGER_RISING : IRQF_TRIGGER_FALLING;
}
