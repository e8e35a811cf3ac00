// The service: lines held, interrupts requested, edges turned into actions, and answers about all of it.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import type { Logger } from 'pino';
import {
  allocWorkqueue,
  flushWork,
  freeIrq,
  GpioDesc,
  IRQF_SHARED,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_RISING,
  KernelError,
  type Level,
  nsleep,
  provideAsyncContext,
  renderTimeline,
  requestThreadedIrq,
  showInterrupts,
  synchronizeIrq,
  type Task,
  type Workqueue,
  WQ_HIGHPRI,
  WQ_UNBOUND,
} from '../kernel/index.js';
import { type Backend, openBackend } from './bridge/backend.js';
import { loadHandlerModule } from './bridge/handler-module.js';
import { type InterruptHost, LineInterrupt } from './bridge/line-interrupt.js';
import type { Config, LineSpec } from './config/config.js';
import type {
  ControlEvent,
  ControlListener,
  DaemonStatus,
  InterruptsStatus,
  Known,
  LineStatus,
  PressOptions,
  Service,
} from './control/target.js';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

/** What {@link startService} needs. */
export interface ServiceOptions {
  readonly config: Config;
  /** Absolute path of the configuration, for `status`. */
  readonly configPath: string;
  readonly log: Logger;
}

/** Starts the service; it is ready when this resolves. Errors as the driver's, with what to do. Nothing is held after an error. */
export async function startService(options: ServiceOptions): Promise<Service> {
  provideAsyncContext(new AsyncLocalStorage<Task>());
  const service = new RunningService(options);
  try {
    await service.start();
  } catch (error) {
    await service.stop('start failed');
    throw error;
  }
  return service;
}

/** Bounce of a simulated button settles within this; a press is over no sooner. */
const PRESS_SETTLE_NS = 20_000_000;
const QUEUE_FLAGS = { unbound: WQ_UNBOUND, highpri: WQ_HIGHPRI } as const;

class RunningService implements Service {
  readonly closed: Promise<number>;
  readonly #config: Config;
  readonly #configPath: string;
  readonly #log: Logger;
  readonly #backend: Backend;
  readonly #descs = new Map<string, GpioDesc>();
  readonly #specs = new Map<string, LineSpec>();
  readonly #queues = new Map<string, Workqueue>();
  readonly #interrupts = new Map<string, LineInterrupt>();
  /** What to free, in the order of requesting. */
  readonly #requested: { readonly irq: number; readonly devId: unknown }[] = [];
  readonly #listeners = new Set<ControlListener>();
  readonly #startedNs: number;
  #close: (code: number) => void = () => {};
  #stopping: Promise<void> | undefined;
  #problem: string | undefined;
  #handlerErrors = 0;

  constructor({ config, configPath, log }: ServiceOptions) {
    this.#config = config;
    this.#configPath = configPath;
    this.#log = log;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    this.#backend = openBackend(config, log, {
      onLost: (offset, count) => this.#onLost(offset, count),
      onGone: (error) => this.#onGone(error),
      onOops: (where, error) => this.#onError(where, error),
    });
    this.#startedNs = this.#backend.machine.clock.now();
  }

  async start(): Promise<void> {
    const source = { edge: this.#backend.edge, toIrq: (offset: number) => this.#backend.toIrq(offset) };
    for (const line of this.#config.lines) {
      this.#specs.set(line.name, line);
      this.#descs.set(line.name, new GpioDesc(line.name, line.gpio, line.direction, this.#backend.request, source));
    }
    this.#addQueues();
    for (const line of this.#config.lines) {
      if (line.edge !== 'none') await this.#requestInterrupts(line);
    }
    this.#backend.start();
  }

  #addQueues(): void {
    const { workqueues } = this.#backend.machine;
    this.#queues.set('system_wq', workqueues.systemWq);
    this.#queues.set('system_highpri_wq', workqueues.systemHighpriWq);
    this.#queues.set('system_unbound_wq', workqueues.systemUnboundWq);
    for (const { name, flags, maxActive } of this.#config.workqueues) {
      const bits = flags.reduce((sum, flag) => sum | QUEUE_FLAGS[flag], 0);
      this.#queues.set(name, allocWorkqueue(name, bits, maxActive));
    }
  }

  /** Edges of every line are counted, so each line has an interrupt; a handler module is a second action on it. */
  async #requestInterrupts(line: LineSpec): Promise<void> {
    const { machine } = this.#backend;
    const spec = this.#config.interrupts.find((candidate) => candidate.line === line.name);
    const interrupt = new LineInterrupt(this.#host(), line, spec);
    this.#interrupts.set(line.name, interrupt);
    const irq = this.#backend.toIrq(line.gpio);
    const flags = triggerOf(line) | (spec?.handler === undefined ? 0 : IRQF_SHARED);
    await machine.call(() =>
      requestThreadedIrq(irq, interrupt.topHalf, interrupt.threadFn, flags, interrupt.name, interrupt),
    );
    this.#requested.push({ irq, devId: interrupt });
    if (spec?.handler === undefined) return;
    const module = await loadHandlerModule(spec.handler, {
      line: this.#desc(line.name),
      lines: Object.fromEntries(this.#descs),
      log: (text) => this.#onLog(interrupt.name, text),
    });
    await machine.call(() =>
      requestThreadedIrq(irq, module.topHalf, module.threadFn, flags, interrupt.name, module.device),
    );
    this.#requested.push({ irq, devId: module.device });
  }

  #host(): InterruptHost {
    return {
      edge: this.#backend.edge,
      originNs: this.#backend.originNs,
      line: (name) => this.#desc(name),
      queue: (name) => this.#queue(name),
      onEdge: (line, { stampNs, rising, lineSeqno }) => {
        if (this.#listeners.size === 0) return;
        const edge = rising ? 'rising' : 'falling';
        this.#emit({ type: 'edge', atNs: this.#monotonic(stampNs), line, edge, seqno: 0, lineSeqno });
      },
      onValue: (line, value) => {
        if (this.#listeners.size > 0) this.#emit({ type: 'value', atNs: this.#nowNs(), line, value });
      },
      onLog: (interrupt, text) => this.#onLog(interrupt, text),
      onError: (interrupt, error) => this.#onError(interrupt, error),
    };
  }

  status(): DaemonStatus {
    const { chip, machine } = this.#backend;
    let received = 0;
    let lost: Known<number> = 0;
    for (const line of this.#config.lines) {
      const interrupt = this.#interrupts.get(line.name);
      received += (interrupt?.rising ?? 0) + (interrupt?.falling ?? 0);
      const lostHere = this.#backend.lostOn(line.gpio);
      lost = lost === 'unknown' || lostHere === 'unknown' ? 'unknown' : lost + lostHere;
    }
    return {
      version,
      pid: process.pid,
      config: this.#configPath,
      uptimeNs: Math.round(machine.clock.now() - this.#startedNs),
      driver: chip.driver,
      simulated: chip.simulated,
      chip: chip.info,
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
      edges: { received, lost },
      handlerErrors: this.#handlerErrors,
    };
  }

  lines(): readonly LineStatus[] {
    return this.#config.lines.map((line) => this.getLine(line.name));
  }

  getLine(name: string): LineStatus {
    const desc = this.#desc(name);
    const spec = this.#specs.get(name);
    const interrupt = this.#interrupts.get(name);
    if (spec === undefined) throw noSuchLine(name);
    const { gpio, direction, activeLow, edge, bias, drive, debounceNs } = spec;
    const seen = interrupt !== undefined && interrupt.lastStampNs >= 0;
    return {
      ...{ name, gpio, direction, value: desc.get(), activeLow, edge, bias, drive, debounceNs },
      rising: interrupt?.rising ?? 0,
      falling: interrupt?.falling ?? 0,
      lost: this.#backend.lostOn(gpio),
      ...(seen ? { lastEdgeNs: this.#monotonic(interrupt.lastStampNs), lineSeqno: interrupt.lineSeqno } : {}),
    };
  }

  setLine(name: string, value: Level): void {
    this.#desc(name).set(value);
    this.#emit({ type: 'value', atNs: this.#nowNs(), line: name, value });
  }

  interrupts(): InterruptsStatus {
    const { machine } = this.#backend;
    const interrupts = [...machine.irqs]
      .filter((desc) => desc.actions.length > 0)
      .map((desc) => ({
        irq: desc.irq,
        hwirq: desc.hwirq,
        chip: desc.chip?.name ?? '',
        actions: desc.actions.map((action) => action.name),
        counts: [...desc.counts],
      }));
    return { text: showInterrupts(machine), interrupts };
  }

  async press(name: string, { forNs, bounce }: PressOptions): Promise<void> {
    const { pi, machine } = this.#backend;
    if (pi === undefined) {
      throw new KernelError('ENOTSUP', `${name} is a real button, which only a finger can press`, {
        hint: 'press works with --driver sim',
      });
    }
    pi.board.press(name, { holdNs: forNs, bounce });
    const settleNs = (this.#specs.get(name)?.debounceNs ?? 0) + PRESS_SETTLE_NS;
    await machine.call(() => nsleep(forNs + settleNs), 'press');
    await this.#settle(this.#interrupts.get(name));
  }

  /** Waits for the threads and work items of an interrupt. */
  async #settle(interrupt: LineInterrupt | undefined): Promise<void> {
    if (interrupt === undefined) return;
    const { machine } = this.#backend;
    const irq = this.#backend.toIrq(interrupt.line.gpio);
    await machine.call(() => synchronizeIrq(irq), 'settle');
    for (const work of interrupt.works) await machine.call(() => flushWork(work), 'settle');
  }

  subscribe(listener: ControlListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  trace(): string {
    return renderTimeline(this.#backend.machine.trace);
  }

  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#shutDown(reason);
    return this.#stopping;
  }

  async #shutDown(reason: string): Promise<void> {
    this.#log.info({ reason }, 'stopping: the lines are let go');
    const { machine } = this.#backend;
    for (const { irq, devId } of this.#requested.reverse()) await machine.call(() => freeIrq(irq, devId), 'stop');
    for (const interrupt of this.#interrupts.values()) {
      for (const work of interrupt.works) await machine.call(() => flushWork(work), 'stop');
    }
    this.#backend.close();
    this.#close(this.#problem === undefined ? 0 : 1);
  }

  #onGone(error: Error): void {
    this.#problem = error.message;
    this.#log.fatal({ err: error }, `the GPIO chip is gone: ${error.message}`);
    void this.stop('the chip is gone');
  }

  #onLost(offset: number, count: number): void {
    const line = this.#config.lines.find((candidate) => candidate.gpio === offset)?.name ?? `GPIO${offset}`;
    this.#log.warn({ line, count }, `${count} edges of ${line} were lost before they could be read`);
    this.#emit({ type: 'lost', atNs: this.#nowNs(), line, count });
  }

  #onLog(interrupt: string, text: string): void {
    this.#log.info({ interrupt }, text);
    this.#emit({ type: 'log', atNs: this.#nowNs(), interrupt, text });
  }

  #onError(interrupt: string, error: unknown): void {
    this.#handlerErrors++;
    const message = error instanceof Error ? error.message : String(error);
    const stack = error instanceof Error ? error.stack : undefined;
    this.#log.error({ err: error, interrupt }, `${interrupt}: ${message}`);
    this.#emit({ type: 'error', atNs: this.#nowNs(), interrupt, message, ...(stack === undefined ? {} : { stack }) });
  }

  #emit(event: ControlEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#log.error({ err: error }, 'a receiver of events failed');
      }
    }
  }

  #desc(name: string): GpioDesc {
    const desc = this.#descs.get(name);
    if (desc === undefined) throw noSuchLine(name);
    return desc;
  }

  #queue(name: string): Workqueue {
    const queue = this.#queues.get(name);
    if (queue === undefined) throw new KernelError('ENOENT', `no workqueue ${name}`);
    return queue;
  }

  #monotonic(stampNs: number): number {
    return Math.round(this.#backend.originNs + stampNs);
  }

  #nowNs(): number {
    return this.#monotonic(this.#backend.machine.clock.now());
  }
}

function noSuchLine(name: string): KernelError {
  return new KernelError('ENOENT', `no line ${name} in the configuration`, {
    hint: '`gpio-irqctl lines` lists them',
    subject: name,
  });
}

/** Trigger of a line as the hardware sees it: the edges of an active-low line are the wire's the other way round. */
function triggerOf({ edge, activeLow }: LineSpec): number {
  if (edge === 'both') return IRQF_TRIGGER_RISING | IRQF_TRIGGER_FALLING;
  return (edge === 'rising') !== activeLow ? IRQF_TRIGGER_RISING : IRQF_TRIGGER_FALLING;
}
