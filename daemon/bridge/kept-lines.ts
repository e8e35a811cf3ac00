// Lines that outlive the process: their requests are kept by the service manager, and taken over by the process after this one.
import { closeSync } from 'node:fs';
import { adoptingChip, createSharedMemory, mapSharedMemory } from '../../drivers/index.js';
import { EVENT_BUFFER_MAX } from '../../kernel/gpio/line-config.js';
import { type EdgeMark, type GpioChip, KernelError, type LineConfig, type LineRequest } from '../../kernel/index.js';
import { type KeptDescription, KeptRecord, markedLevel, RECORD_BYTES } from './kept-record.js';
import type { HeldRequest } from './lasting-lines.js';
import type { RequestOptions } from './line-requests.js';

/** Keeps descriptors for the next process; a notifier of the service manager is one. */
export interface FdStore {
  /** Resolves to whether they were taken. */
  storeFds(name: string, fds: readonly number[]): Promise<boolean>;
  /** Resolves when they are closed. */
  removeFds(name: string): Promise<boolean>;
}

/** Where it is told what becomes of kept lines; a pino logger is one. */
export interface KeptLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** What {@link KeptLines} are made from. */
export interface KeptLinesOptions {
  readonly store: FdStore;
  /** What the process before has left: descriptors, and the names that they were stored under. They are owned from now on. */
  readonly inherited: readonly { readonly fd: number; readonly name: string }[];
  readonly log: KeptLog;
}

/** What is asked of a request besides its lines, with nothing left out. */
interface RequestWish {
  readonly consumer: string;
  readonly eventBufferSize: number;
  readonly eventClock: 'monotonic' | 'realtime';
}

/** What is stored of one request: its descriptor, and the memory of its record. */
interface Found {
  readonly fds: readonly number[];
  readonly record: KeptRecord;
  readonly fd: number;
}

interface Held {
  readonly name: string;
  readonly record: KeptRecord;
}

/** Names of what is stored; a number follows. */
const PREFIX = 'gpio-irqd.lines.';

/**
 * The requests that the service manager keeps.
 *
 * Each is stored with a record of its own, which is written as edges come and outputs are set: it says what the process had
 * got to, however it ended. Nothing of it is believed that the kernel does not confirm.
 */
export class KeptLines {
  readonly #store: FdStore;
  readonly #log: KeptLog;
  /** Left by the process before, and not taken over yet; by name. */
  readonly #found = new Map<string, Found>();
  readonly #held = new Map<LineRequest, Held>();
  readonly #names = new Set<string>();
  #refused = false;

  constructor({ store, inherited, log }: KeptLinesOptions) {
    this.#store = store;
    this.#log = log;
    const byName = new Map<string, number[]>();
    for (const { fd, name } of inherited) {
      if (!name.startsWith(PREFIX)) continue;
      byName.set(name, [...(byName.get(name) ?? []), fd]);
    }
    for (const [name, fds] of byName) this.#find(name, fds);
  }

  /** Takes over the requests of a chip that have lines which are wanted, and other lines perhaps. Nothing on a line changes. */
  adopt(chip: GpioChip, wanted: ReadonlySet<number>, options: RequestOptions): readonly HeldRequest[] {
    const taken: HeldRequest[] = [];
    for (const [name, found] of [...this.#found]) {
      const { description } = found.record;
      if (!isOf(description, chip) || !description.lines.some(({ offset }) => wanted.has(offset))) continue;
      this.#found.delete(name);
      try {
        taken.push(this.#takeOver(chip, name, found, wishOf(options)));
      } catch (error) {
        if (!(error instanceof KernelError)) throw error;
        void this.#refuse(name, found.fds, error.message);
        continue;
      }
      for (const fd of found.fds) closeSync(fd);
    }
    const offsets = taken.flatMap(({ lines }) => lines.map(({ offset }) => offset));
    if (offsets.length > 0) {
      const { name, label } = chip.info;
      const lines = offsets.length === 1 ? 'one line' : `${offsets.length} lines`;
      this.#log.info({ lines: offsets }, `took over ${lines} of ${name} [${label}] as the process before held them`);
    }
    return taken;
  }

  /** Has a new request kept from now on, where its driver and the service manager can do that. Does not throw. */
  keep(chip: GpioChip, request: LineRequest, lines: readonly LineConfig[], options: RequestOptions): void {
    const from = adoptingChip(chip);
    if (from === undefined || this.#refused) return;
    const name = this.#newName();
    let memory: number | undefined;
    try {
      const { fd, buffer } = createSharedMemory(name, RECORD_BYTES);
      memory = fd;
      const record = KeptRecord.begin(buffer, { ...wishOf(options), ...describe(chip, lines) });
      const descriptor = from.descriptorOf(request);
      this.#held.set(request, { name, record });
      void this.#give(name, request, descriptor, memory);
    } catch (error) {
      if (memory !== undefined) closeSync(memory);
      if (!(error instanceof KernelError)) throw error;
      this.#cannot(error.message);
    }
  }

  /** The lines of a request that is kept have another configuration. */
  reconfigured(request: LineRequest, lines: readonly LineConfig[]): void {
    const record = this.#held.get(request)?.record;
    record?.describe({ ...record.description, lines: copyOf(lines) });
  }

  /** Where the progress of a line is written down; undefined for a request that is not kept. */
  markOf(request: LineRequest, offset: number): EdgeMark | undefined {
    return this.#held.get(request)?.record.markOf(offset);
  }

  /** Stops reading the edges of a request, if it is kept: the next process finds them. */
  pause(chip: GpioChip, request: LineRequest): void {
    if (this.#held.has(request)) adoptingChip(chip)?.pauseEdges(request);
  }

  /** A request is about to be let go of, for good. */
  drop(request: LineRequest): void {
    const held = this.#held.get(request);
    if (held === undefined) return;
    this.#held.delete(request);
    void this.#remove(held.name);
  }

  /** Lets go of all that was found and not taken over. It is, when this resolves. */
  async letGo(): Promise<void> {
    const left = [...this.#found];
    this.#found.clear();
    await Promise.all(left.map(([name, { fds }]) => this.#refuse(name, fds, 'no line of it is in the configuration')));
  }

  #find(name: string, fds: readonly number[]): void {
    this.#names.add(name);
    try {
      const memory = fds.find((fd) => isMemory(fd));
      const fd = fds.find((other) => other !== memory);
      if (memory === undefined || fd === undefined || fds.length !== 2) {
        throw new KernelError('EINVAL', 'it is not a request with its record');
      }
      this.#found.set(name, { fds, fd, record: KeptRecord.resume(mapSharedMemory(memory)) });
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      void this.#refuse(name, fds, error.message);
    }
  }

  #takeOver(chip: GpioChip, name: string, { fd, record }: Found, wish: RequestWish): HeldRequest {
    const from = adoptingChip(chip);
    if (from === undefined) throw new KernelError('ENOTSUP', `the driver ${chip.driver} cannot take lines over`);
    const { description } = record;
    const { lines } = description;
    checkWish(description, wish);
    const levels = lines.map(({ offset }) => {
      const mark = record.markOf(offset);
      return mark === undefined ? undefined : markedLevel(mark);
    });
    const request = from.adoptLines(fd, { ...description, levels });
    this.#held.set(request, { name, record });
    return { request, lines };
  }

  async #give(name: string, request: LineRequest, fd: number, memory: number): Promise<void> {
    const taken = await this.#store.storeFds(name, [fd, memory]);
    closeSync(memory);
    if (taken) return;
    this.#held.delete(request);
    this.#cannot('the service manager does not take them');
  }

  async #refuse(name: string, fds: readonly number[], why: string): Promise<void> {
    this.#log.info({ kept: name }, `lines that the process before held are let go of: ${why}`);
    for (const fd of fds) closeSync(fd);
    await this.#remove(name);
  }

  async #remove(name: string): Promise<void> {
    if (await this.#store.removeFds(name)) this.#names.delete(name);
  }

  #cannot(why: string): void {
    if (this.#refused) return;
    this.#refused = true;
    this.#log.warn({}, `lines are requested anew at a restart: ${why}`);
  }

  #newName(): string {
    let number = 1;
    while (this.#names.has(PREFIX + number)) number++;
    this.#names.add(PREFIX + number);
    return PREFIX + number;
  }
}

function isMemory(fd: number): boolean {
  try {
    mapSharedMemory(fd);
    return true;
  } catch (error) {
    if (error instanceof KernelError) return false;
    throw error;
  }
}

function isOf({ chip }: KeptDescription, { info }: GpioChip): boolean {
  return chip.name === info.name && chip.label === info.label && chip.lines === info.lines;
}

/** What only a new request can change. */
function checkWish(description: KeptDescription, wish: RequestWish): void {
  const edges = description.lines.some(({ edge = 'none' }) => edge !== 'none');
  if (description.consumer !== wish.consumer)
    throw new KernelError('EINVAL', `they are held by '${description.consumer}'`);
  if (!edges) return;
  for (const key of ['eventBufferSize', 'eventClock'] as const) {
    if (description[key] === wish[key]) continue;
    throw new KernelError('EINVAL', `their ${key} is ${description[key]}, and is to be ${wish[key]}`);
  }
}

function describe({ info }: GpioChip, lines: readonly LineConfig[]): Pick<KeptDescription, 'chip' | 'lines'> {
  const { name, label, lines: count } = info;
  return { chip: { name, label, lines: count }, lines: copyOf(lines) };
}

function copyOf(lines: readonly LineConfig[]): LineConfig[] {
  return lines.map((line) => ({ ...line }));
}

/** What the driver makes of options that leave something out. */
function wishOf({ consumer, eventBufferSize = EVENT_BUFFER_MAX, eventClock }: RequestOptions): RequestWish {
  return { consumer, eventBufferSize, eventClock: eventClock === 'realtime' ? 'realtime' : 'monotonic' };
}
