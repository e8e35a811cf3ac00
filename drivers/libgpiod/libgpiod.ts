// The libgpiod driver: a GPIO chip through libgpiod 1.x and the package node-libgpiod, which is uAPI v1 (Linux 4.8).
import { release } from 'node:os';
import { ERRNO, type KernelError } from '../../kernel/errno.js';
import type {
  ChipInfo,
  Edge,
  GoneListener,
  GpioCapabilities,
  GpioChip,
  LineInfo,
  LineRequest,
  LineRequestOptions,
} from '../../kernel/gpio/driver.js';
import { checkLines, checkOffset, cutConsumer } from '../../kernel/gpio/line-config.js';
import { type ChardevAddon, loadAddon } from '../chardev/addon.js';
import { openChardev } from '../chardev/chardev.js';
import { systemError } from '../chardev/errors.js';
import { GoneNotice } from '../chardev/listeners.js';
import { wakesOnUnplug } from '../chardev/release.js';
import { HeldLines, type HeldLinesOwner } from '../held-lines.js';
import { checkOptions, refuse, thrownError } from '../refusals.js';
import { type OpenedChip, openPooled, pooledLine } from './chip-pool.js';
import { EVENT_FIFO, type LibgpiodLine, takeLine } from './line.js';
import { ACTIVE_STATE, BIAS, DIRECTION, loadLibgpiod, type NativeLine } from './node-libgpiod.js';

export const LIBGPIOD_CAPABILITIES: GpioCapabilities = {
  bias: true,
  debounce: false,
  activeLow: true,
  openDrain: true,
  openSource: true,
  kernelTimestamps: true,
  realtimeClock: false,
  seqno: false,
  eventBufferSize: false,
  edgeQueue: 'drop-newest',
  reconfigure: false,
  keepLevel: false,
  lineInfoWatch: false,
  lineNames: true,
  lineHolders: true,
  lineEdges: false,
  goneNotice: wakesOnUnplug(release()),
  atomicSetMany: false,
};

/**
 * Opens a GPIO character device with libgpiod.
 *
 * The package requests edges and cannot read them; the addon of the chardev driver does, from the descriptor of libgpiod,
 * and watches whether the chip is there.
 *
 * @param path e.g. `/dev/gpiochip0`.
 * @throws {KernelError} `ENOSYS` (node-libgpiod or the addon is not built), and what `openChardev` throws.
 */
export function openLibgpiod(path: string): GpioChip {
  const libgpiod = loadLibgpiod();
  const plug = openChardev(path);
  try {
    return new LibgpiodChip(plug, openPooled(libgpiod, path), loadAddon());
  } catch (error) {
    plug.close();
    throw error;
  }
}

class LibgpiodChip implements GpioChip {
  readonly driver = 'libgpiod';
  readonly simulated = false;
  readonly info: ChipInfo;
  readonly capabilities = LIBGPIOD_CAPABILITIES;
  /** The same chip once more: what libgpiod opened cannot be watched. */
  readonly #plug: GpioChip;
  readonly #opened: OpenedChip;
  readonly #addon: ChardevAddon;
  readonly #requests = new Set<HeldLines>();
  readonly #gone = new GoneNotice();
  readonly #owner: HeldLinesOwner;
  #closed = false;

  constructor(plug: GpioChip, opened: OpenedChip, addon: ChardevAddon) {
    this.#plug = plug;
    this.#opened = opened;
    this.#addon = addon;
    this.info = plug.info;
    this.#owner = {
      driver: this.driver,
      name: this.info.name,
      lines: this.info.lines,
      capabilities: LIBGPIOD_CAPABILITIES,
      released: (request) => {
        this.#requests.delete(request);
      },
      found: (gone) => this.#found(gone),
    };
    plug.onGone((gone) => this.#found(gone));
  }

  /** uAPI v1 tells neither edge nor debounce: the edge is known of lines that were requested here. */
  lineInfo(offset: number): LineInfo {
    this.#open('lineInfo');
    checkOffset(offset, this.info.lines);
    const line = this.#updated('lineInfo', offset);
    return {
      offset,
      name: line.name ?? '',
      consumer: line.consumer ?? '',
      used: line.used,
      direction: line.direction === DIRECTION.OUTPUT ? 'out' : 'in',
      activeLow: line.activeState === ACTIVE_STATE.LOW,
      edge: this.#edgeOf(offset),
      bias: biasOf(line.bias),
      drive: line.openDrain ? 'open-drain' : line.openSource ? 'open-source' : 'push-pull',
      debounceUs: 0,
    };
  }

  requestLines(options: LineRequestOptions): LineRequest {
    this.#open('requestLines');
    const { lines } = options;
    checkLines(lines, this.info.lines);
    checkOptions(this.driver, LIBGPIOD_CAPABILITIES, options);
    const consumer = cutConsumer(options.consumer);
    const held: LibgpiodLine[] = [];
    try {
      for (const line of lines) {
        const what = `line ${line.offset} of ${this.info.name}`;
        const native = this.#updated('requestLines', line.offset);
        if (native.used) throw this.#busy(what, native);
        held.push(takeLine({ addon: this.#addon, native, consumer, what }, line));
      }
    } catch (error) {
      for (const line of held) line.release();
      throw error;
    }
    const request = new HeldLines(this.#owner, lines, held, EVENT_FIFO);
    this.#requests.add(request);
    return request;
  }

  watchLineInfo(): never {
    this.#open('watchLineInfo');
    return refuse(this.driver, 'lineInfoWatch', 'libgpiod 1.x tells of no change');
  }

  onGone(listener: GoneListener): void {
    this.#open('onGone');
    this.#gone.add(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const request of [...this.#requests]) request.release();
    this.#plug.close();
  }

  #updated(operation: string, offset: number): NativeLine {
    const line = pooledLine(this.#opened, offset);
    try {
      line.update();
    } catch (thrown) {
      const error = thrownError(`${operation} on ${this.info.name}`, thrown, undefined, this.info.name);
      if (error.code === 'ENODEV') this.#found(error);
      throw error;
    }
    return line;
  }

  #found(gone: Error): void {
    if (this.#gone.told) return;
    this.#gone.tell(gone);
    for (const request of [...this.#requests]) request.tellGone(gone);
  }

  #busy(what: string, { name, consumer = '' }: NativeLine): KernelError {
    const called = name === undefined ? what : name;
    const hint = `${called} is held by '${consumer}'; free it or pick another line`;
    return systemError(`requestLines on ${this.info.name}`, ERRNO.EBUSY, hint, consumer);
  }

  #edgeOf(offset: number): Edge {
    for (const request of this.#requests) {
      const line = request.lineConfig(offset);
      if (line !== undefined) return line.edge ?? 'none';
    }
    return 'none';
  }

  #open(operation: string): void {
    if (this.#closed) throw systemError(operation, ERRNO.EBADF);
  }
}

function biasOf(bias: number): LineInfo['bias'] {
  if (bias === BIAS.DISABLE) return 'disabled';
  if (bias === BIAS.PULL_UP) return 'pull-up';
  return bias === BIAS.PULL_DOWN ? 'pull-down' : 'as-is';
}
