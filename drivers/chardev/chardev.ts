// The chardev driver: a GPIO chip through the kernel's character device, uAPI v2 (Linux 5.10 and newer).
import { release } from 'node:os';
import { ERRNO, KernelError } from '../../kernel/errno.js';
import type {
  ChipInfo,
  EventClock,
  GoneListener,
  GpioCapabilities,
  Level,
  LineConfig,
  LineInfo,
  LineInfoChange,
  LineRequest,
  LineRequestOptions,
} from '../../kernel/gpio/driver.js';
import { type ChardevAddon, type ChipHandle, loadAddon, type RequestHandle } from './addon.js';
import { type AdoptingChip, checkKept, type KeptRequest } from './adopt.js';
import {
  checkLines,
  checkOffset,
  cutConsumer,
  EVENT_BUFFER_MAX,
  eventBufferEntries,
  keepsLevel,
  packLineConfig,
  unpackLineInfo,
} from './config.js';
import { notAChip, openError, systemError } from './errors.js';
import { callEach, GoneNotice } from './listeners.js';
import { wakesOnUnplug } from './release.js';
import { ChardevRequest, initialLevels } from './request.js';

export const CHARDEV_CAPABILITIES: GpioCapabilities = {
  bias: true,
  debounce: true,
  activeLow: true,
  openDrain: true,
  openSource: true,
  kernelTimestamps: true,
  realtimeClock: true,
  seqno: true,
  eventBufferSize: true,
  edgeQueue: 'drop-oldest',
  reconfigure: true,
  keepLevel: true,
  lineInfoWatch: true,
  lineNames: true,
  lineHolders: true,
  lineEdges: true,
  goneNotice: wakesOnUnplug(release()),
  atomicSetMany: true,
};

/** Line info changes per read; the kernel keeps 32 for each opener and drops what comes on top. */
const INFO_BATCH = 8;
/** sizeof(struct gpio_v2_line_info_changed). */
const INFO_CHANGE_BYTES = 288;
/** enum gpio_v2_line_changed_type. */
const CHANGES: Readonly<Record<number, LineInfoChange['kind']>> = { 1: 'requested', 2: 'released', 3: 'reconfigured' };

type InfoListener = (change: LineInfoChange) => void;

/**
 * Opens a GPIO character device.
 *
 * @param path e.g. `/dev/gpiochip0`.
 * @throws {KernelError} `ENOENT` (no such chip), `EACCES` (not in the group that owns it), `ENOTTY` (not a GPIO chip),
 * `ENODEV` (gone), `ENOTSUP` (not Linux), `ENOSYS` (the native addon is not built).
 */
export function openChardev(path: string): AdoptingChip {
  const addon = loadAddon();
  const handle = addon.openChip(path);
  if (typeof handle === 'number') {
    if (errnoIs(handle, EISDIR)) throw notAChip(path);
    throw openError(path, handle);
  }
  const info = addon.chipInfo(handle);
  if (typeof info === 'number') {
    addon.close(handle);
    if (errnoIs(info, ERRNO.ENODEV)) throw openError(path, info);
    throw notAChip(path, systemError('GPIO_GET_CHIPINFO_IOCTL', info));
  }
  return new ChardevChip(addon, handle, info);
}

/** Opening a directory for writing; of no other use here. */
const EISDIR = 21;

function errnoIs(status: number, errno: number): boolean {
  return status === -errno;
}

class ChardevChip implements AdoptingChip {
  readonly driver = 'chardev';
  readonly simulated = false;
  readonly info: ChipInfo;
  readonly capabilities = CHARDEV_CAPABILITIES;
  readonly #addon: ChardevAddon;
  readonly #handle: ChipHandle;
  readonly #requests = new Set<ChardevRequest>();
  readonly #watches = new Map<number, Set<InfoListener>>();
  readonly #changes = new ArrayBuffer(INFO_CHANGE_BYTES * INFO_BATCH);
  readonly #gone = new GoneNotice();
  #listening = false;
  #closed = false;

  constructor(addon: ChardevAddon, handle: ChipHandle, info: ChipInfo) {
    this.#addon = addon;
    this.#handle = handle;
    this.info = Object.freeze({ ...info });
  }

  lineInfo(offset: number): LineInfo {
    this.#open('lineInfo');
    checkOffset(offset, this.info.lines);
    const raw = this.#addon.lineInfo(this.#handle, offset, false);
    if (typeof raw === 'number') throw this.#error('lineInfo', raw);
    return unpackLineInfo(raw);
  }

  requestLines(options: LineRequestOptions): LineRequest {
    this.#open('requestLines');
    const { lines, consumer } = options;
    const { entries, eventClock } = this.#check(options);
    const levels = initialLevels(lines);
    const config = packLineConfig(lines, levels, eventClock, keepsLevel);
    const offsets = Uint32Array.from(lines, (line) => line.offset);
    const handle = this.#addon.requestLines(this.#handle, offsets, cutConsumer(consumer), config, entries);
    if (typeof handle === 'number') throw this.#requestError(handle, offsets);
    const request = this.#hold(handle, lines, levels, entries, eventClock);
    if (lines.some(keepsLevel)) this.#takeOver(request);
    return request;
  }

  descriptorOf(request: LineRequest): number {
    return this.#own(request).descriptor;
  }

  pauseEdges(request: LineRequest): void {
    this.#own(request).pause();
  }

  #own(request: LineRequest): ChardevRequest {
    this.#open('requests');
    if (request instanceof ChardevRequest && this.#requests.has(request)) return request;
    throw new KernelError('EINVAL', `no request of ${this.info.name} that is held`);
  }

  adoptLines(fd: number, kept: KeptRequest): LineRequest {
    this.#open('adoptLines');
    const { entries, eventClock } = this.#check(kept);
    const handle = this.#addon.adoptRequest(fd, kept.lines.length);
    // The chip of the descriptor, which need not be this one: it may have gone, and come back as this.
    if (typeof handle === 'number') throw systemError(`adoptLines on ${this.info.name}`, handle, 'request them anew');
    try {
      checkKept(kept, (offset) => this.lineInfo(offset));
    } catch (error) {
      this.#addon.close(handle);
      throw error;
    }
    const initial = initialLevels(kept.lines);
    const request = this.#hold(handle, kept.lines, initial, entries, eventClock);
    try {
      request.restore(kept.levels);
    } catch (error) {
      request.release();
      throw error;
    }
    return request;
  }

  /** Checks what is asked of a request; the FIFO that the kernel makes, and the clock. */
  #check(options: LineRequestOptions): { entries: number; eventClock: EventClock } {
    const { lines, eventBufferSize = EVENT_BUFFER_MAX, eventClock = 'monotonic' } = options;
    checkLines(lines, this.info.lines);
    const entries = eventBufferEntries(eventBufferSize);
    if (eventClock === 'userspace') {
      throw new KernelError('ENOTSUP', 'chardev: no eventClock userspace: the kernel stamps the edges', {
        hint: "use 'monotonic' or 'realtime'",
      });
    }
    return { entries, eventClock };
  }

  #hold(
    handle: RequestHandle,
    lines: readonly LineConfig[],
    levels: readonly Level[],
    entries: number,
    clock: EventClock,
  ): ChardevRequest {
    const owner = {
      name: this.info.name,
      lines: this.info.lines,
      released: (request: ChardevRequest) => {
        this.#requests.delete(request);
      },
      found: (gone: KernelError) => this.#found(gone),
    };
    const request = new ChardevRequest(this.#addon, handle, owner, lines, levels, entries, clock);
    this.#requests.add(request);
    return request;
  }

  /** Outputs that keep their level are held by now, so nobody changes it between the reading and the driving. */
  #takeOver(request: ChardevRequest): void {
    try {
      request.takeOver();
    } catch (error) {
      request.release();
      throw error;
    }
  }

  watchLineInfo(offset: number, listener: InfoListener): () => void {
    this.#open('watchLineInfo');
    checkOffset(offset, this.info.lines);
    let listeners = this.#watches.get(offset);
    if (listeners === undefined) {
      this.#listen();
      const raw = this.#addon.lineInfo(this.#handle, offset, true);
      if (typeof raw === 'number') throw this.#error('watchLineInfo', raw);
      listeners = new Set();
      this.#watches.set(offset, listeners);
      const status = this.#addon.setReading(this.#handle, true);
      if (status < 0) throw this.#error('watchLineInfo', status);
    }
    // An own function for each call: the same listener may watch a line twice.
    const entry: InfoListener = (change) => listener(change);
    listeners.add(entry);
    return () => this.#unwatch(offset, entry);
  }

  onGone(listener: GoneListener): void {
    this.#open('onGone');
    this.#gone.add(listener);
    this.#listen();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const request of [...this.#requests]) request.release();
    this.#watches.clear();
    this.#addon.close(this.#handle);
  }

  #unwatch(offset: number, entry: InfoListener): void {
    const listeners = this.#watches.get(offset);
    if (listeners === undefined || !listeners.delete(entry) || listeners.size > 0) return;
    this.#watches.delete(offset);
    if (this.#gone.told) return;
    const status = this.#addon.unwatch(this.#handle, offset);
    // A chip that is gone watches nothing any more; the poll is about to say so.
    if (status < 0 && !errnoIs(status, ERRNO.ENODEV)) throw this.#error('unwatch', status);
    if (this.#watches.size === 0) this.#addon.setReading(this.#handle, false);
  }

  #listen(): void {
    if (this.#listening) return;
    const status = this.#addon.listen(this.#handle, this.#changes, this.#deliver);
    if (status < 0) throw this.#error('listen', status);
    this.#listening = true;
  }

  /** Called by the addon: `count` line info changes are in the buffer, or the descriptor failed with `errno`. */
  readonly #deliver = (count: number, errno: number): void => {
    if (errno !== 0) {
      this.#found(this.#error('chip', errno));
      return;
    }
    for (let i = 0; i < count; i++) {
      const { type, timestampNs, info } = this.#addon.infoChange(this.#changes, i);
      const kind = CHANGES[type];
      const listeners = this.#watches.get(info.offset);
      if (kind === undefined || listeners === undefined) continue;
      callEach([...listeners], { kind, info: unpackLineInfo(info), timestampNs });
    }
  };

  #open(operation: string): void {
    if (this.#closed) throw systemError(operation, ERRNO.EBADF);
  }

  /** A call that finds the chip gone tells of it: older kernels wake nobody when it goes. */
  #error(operation: string, errno: number): KernelError {
    const error = systemError(`${operation} on ${this.info.name}`, errno, undefined, this.info.name);
    if (error.code === 'ENODEV') this.#found(error);
    return error;
  }

  #found(gone: KernelError): void {
    if (this.#gone.told) return;
    this.#gone.tell(gone);
    for (const request of [...this.#requests]) request.tellGone(gone);
  }

  /** GPIO_V2_GET_LINE_IOCTL says only that a line is busy: line info tells which, and who holds it. */
  #requestError(errno: number, offsets: Uint32Array): KernelError {
    const operation = `requestLines on ${this.info.name}`;
    if (errnoIs(errno, ERRNO.EBUSY)) {
      for (const offset of offsets) {
        const line = this.#addon.lineInfo(this.#handle, offset, false);
        if (typeof line === 'number' || !unpackLineInfo(line).used) continue;
        const name = line.name === '' ? `line ${offset} of ${this.info.name}` : line.name;
        const hint = `${name} is held by '${line.consumer}'; free it or pick another line`;
        return systemError(operation, errno, hint, line.consumer);
      }
      return systemError(operation, errno, 'a line was held a moment ago; try again');
    }
    return this.#error('requestLines', errno);
  }
}
