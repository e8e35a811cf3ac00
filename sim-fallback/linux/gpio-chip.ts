// GpioChip over the simulated BCM2835: what gpiolib and its character device make of the pin controller.

import {
  checkLines,
  checkOffset,
  cutConsumer,
  EVENT_BUFFER_MAX,
  eventBufferEntries,
} from '../../kernel/gpio/line-config.js';
import {
  type ChipInfo,
  type GoneListener,
  type GpioCapabilities,
  type GpioChip,
  KernelError,
  type LineInfo,
  type LineInfoChange,
  type LineRequest,
  type LineRequestOptions,
} from '../../kernel/index.js';
import { type LineWatcher, type SimGpioChipOptions, SimGpioLines } from './gpio-lines.js';
import { checkCaller, SimLineRequest } from './line-request.js';
import { GoneNotice } from './notices.js';

export type { SimGpioChipOptions } from './gpio-lines.js';

/** No wall clock in virtual time; and several outputs are set one after the other, as Linux does on this chip. */
const CAPABILITIES: GpioCapabilities = {
  bias: true,
  debounce: true,
  activeLow: true,
  openDrain: true,
  openSource: true,
  kernelTimestamps: true,
  realtimeClock: false,
  seqno: true,
  eventBufferSize: true,
  edgeQueue: 'drop-oldest',
  reconfigure: true,
  keepLevel: true,
  lineInfoWatch: true,
  lineNames: true,
  lineHolders: true,
  lineEdges: true,
  goneNotice: true,
  atomicSetMany: false,
};

/**
 * One opener of the simulated chip; {@link open} gives more.
 *
 * Requests go through the registers and interrupts of the chip itself: an edge line is a requested interrupt with a thread
 * `irq/N-consumer`, as in /proc/interrupts of a Pi. Differences from the character device of a real one:
 *
 * - Pulls take the 2 µs of the GPPUD sequence each (none on a BCM2711), in the time of the machine's clock. A request or reconfiguration with
 *   a `bias` returns before that; its edges count from when all its pulls are set. Without, all is in effect at once.
 * - For the same reason requests with edges or bias cannot be made by code that runs in the model: `EPERM`.
 * - Debounce is the board's ({@link Board.setDebounce}): `getValue` gives the debounced level as on Linux, but levels that
 *   only a pull resistor gives are not filtered.
 * - Sinks and listeners are called from alarms of the clock. What they throw is reported as an oops in the machine's log.
 */
export class SimGpioChip implements GpioChip {
  readonly driver = 'sim';
  readonly simulated = true;
  readonly capabilities = CAPABILITIES;
  readonly #lines: SimGpioLines;
  readonly #requests = new Set<SimLineRequest>();
  readonly #watchers = new Set<LineWatcher>();
  readonly #gone: GoneNotice;
  readonly #unplugged = (error: KernelError): void => this.#gone.tell(error);
  #closed = false;

  constructor(options: SimGpioChipOptions | SimGpioLines) {
    this.#lines = options instanceof SimGpioLines ? options : new SimGpioLines(options);
    this.#gone = new GoneNotice(this.#lines.notices);
    this.#lines.onUnplug.add(this.#unplugged);
  }

  get info(): ChipInfo {
    return this.#lines.info;
  }

  /** Opens the same chip once more, as another program would. `ENODEV` when it was unplugged. */
  open(): SimGpioChip {
    this.#lines.checkPlugged('open');
    return new SimGpioChip(this.#lines);
  }

  /** Takes the chip away from all who have opened it, as unbinding its driver would. Idempotent. */
  unplug(): void {
    this.#lines.unplug();
  }

  lineInfo(offset: number): LineInfo {
    this.#alive('lineInfo');
    checkOffset(offset, this.info.lines);
    return this.#lines.lineInfo(offset);
  }

  /** Errors as {@link GpioChip.requestLines}, and `EPERM` from inside the model (see {@link SimGpioChip}). */
  requestLines(options: LineRequestOptions): LineRequest {
    this.#alive('requestLines');
    const { lines, eventBufferSize = EVENT_BUFFER_MAX, eventClock = 'monotonic' } = options;
    checkLines(lines, this.info.lines);
    const entries = eventBufferEntries(eventBufferSize);
    if (eventClock !== 'monotonic') {
      const why = eventClock === 'realtime' ? 'simulated time has no wall clock' : 'the chip stamps the edges';
      throw new KernelError('ENOTSUP', `sim: no eventClock ${eventClock}: ${why}`, { hint: "use 'monotonic'" });
    }
    checkCaller('requestLines', lines);
    this.#lines.checkFree(lines);
    const consumer = cutConsumer(options.consumer);
    const request = new SimLineRequest(this.#lines, { lines, consumer }, entries, (released) => {
      this.#requests.delete(released);
    });
    this.#requests.add(request);
    return request;
  }

  watchLineInfo(offset: number, listener: (change: LineInfoChange) => void): () => void {
    this.#alive('watchLineInfo');
    checkOffset(offset, this.info.lines);
    const { watchers, notices } = this.#lines;
    // An own function for each call: the same listener may watch a line twice.
    const watcher: LineWatcher = (change) => {
      if (change.info.offset !== offset) return;
      notices.post('watchLineInfo listener', () => {
        if (this.#watchers.has(watcher)) listener(change);
      });
    };
    const end = (): void => {
      this.#watchers.delete(watcher);
      watchers.delete(watcher);
    };
    this.#watchers.add(watcher);
    watchers.add(watcher);
    return end;
  }

  onGone(listener: GoneListener): void {
    this.#open('onGone');
    this.#gone.add(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const request of [...this.#requests]) request.release();
    for (const watcher of this.#watchers) this.#lines.watchers.delete(watcher);
    this.#watchers.clear();
    this.#lines.onUnplug.delete(this.#unplugged);
  }

  #open(operation: string): void {
    if (!this.#closed) return;
    throw new KernelError('EBADF', `${operation}: EBADF: Bad file descriptor`, {
      hint: 'the chip was closed before; open it again',
    });
  }

  #alive(operation: string): void {
    this.#open(operation);
    this.#lines.checkPlugged(operation);
  }
}
