// The sysfs driver: a GPIO chip through /sys/class/gpio and the package onoff, for systems without the character device.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ERRNO, KernelError } from '../../kernel/errno.js';
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
import { systemError } from '../chardev/errors.js';
import { GoneNotice } from '../chardev/listeners.js';
import { HeldLines, type HeldLinesOwner } from '../held-lines.js';
import { checkOptions, refuse } from '../refusals.js';
import { findSysfsChips, type SysfsChipInfo, type SysfsFolders, sysfsChipNamed } from './chips.js';
import { exportLine, type SysfsLine } from './line.js';
import { loadOnoff, type Onoff } from './onoff.js';

export const SYSFS_CAPABILITIES: GpioCapabilities = {
  bias: false,
  debounce: false,
  activeLow: true,
  openDrain: false,
  openSource: false,
  kernelTimestamps: false,
  realtimeClock: false,
  seqno: false,
  eventBufferSize: false,
  edgeQueue: 'merge',
  reconfigure: true,
  keepLevel: false,
  lineInfoWatch: false,
  lineNames: false,
  lineHolders: false,
  lineEdges: true,
  goneNotice: false,
  atomicSetMany: false,
};

/** Edges of a line that can wait: they are one. */
const FIFO_ENTRIES = 1;

/** Lines of a request, in its order. */
interface Holding {
  readonly consumer: string;
  readonly offsets: readonly number[];
  readonly lines: readonly SysfsLine[];
}

/** What {@link openSysfs} works with. */
export interface SysfsSources extends SysfsFolders {
  /** Default {@link loadOnoff}. */
  readonly load: () => Onoff;
}

/**
 * Opens a chip that sysfs shows.
 *
 * @param path its device file or kernel name, e.g. `/dev/gpiochip0`; the device file need not be there.
 * @throws {KernelError} `ENOENT` (no such chip, or no GPIO in this kernel's sysfs), `ENOTSUP` (not Linux), `ENOSYS` (onoff is
 * not installed).
 */
export function openSysfs(path: string, sources: Partial<SysfsSources> = {}): GpioChip {
  return openSysfsChip(sysfsChipNamed(basename(path), sources), sources);
}

/** Opens a chip of `findSysfsChips`. Errors as {@link openSysfs}. */
export function openSysfsChip(chip: SysfsChipInfo, sources: Partial<SysfsSources> = {}): GpioChip {
  return new SysfsChip(chip, (sources.load ?? loadOnoff)());
}

/** Throws the reason why {@link openSysfs} cannot work on this machine. */
export function probeSysfs(sources: Partial<SysfsSources> = {}): void {
  (sources.load ?? loadOnoff)();
  if (findSysfsChips(sources).length === 0) {
    throw new KernelError('ENOENT', 'sysfs has no GPIO chip', {
      hint: 'on a Pi: check that the kernel has its pinctrl driver; in a container: pass /sys in',
    });
  }
}

class SysfsChip implements GpioChip {
  readonly driver = 'sysfs';
  readonly simulated = false;
  readonly info: ChipInfo;
  readonly capabilities = SYSFS_CAPABILITIES;
  readonly #chip: SysfsChipInfo;
  readonly #onoff: Onoff;
  readonly #requests = new Map<HeldLines, Holding>();
  readonly #gone = new GoneNotice();
  #goneError: KernelError | undefined;
  readonly #owner: HeldLinesOwner;
  #closed = false;

  constructor(chip: SysfsChipInfo, onoff: Onoff) {
    const { name, label, lines } = chip;
    this.#chip = chip;
    this.#onoff = onoff;
    this.info = Object.freeze({ name, label, lines });
    this.#owner = {
      driver: this.driver,
      name,
      lines,
      capabilities: SYSFS_CAPABILITIES,
      released: (request) => {
        this.#requests.delete(request);
      },
      found: (gone) => this.#found(gone),
    };
  }

  /** Of lines that are not exported sysfs tells nothing: they look like free inputs. */
  lineInfo(offset: number): LineInfo {
    this.#open('lineInfo');
    checkOffset(offset, this.info.lines);
    this.#present('lineInfo');
    const holding = this.#holdingOf(offset);
    const line = holding?.lines[holding.offsets.indexOf(offset)];
    // Anybody may unexport a line, and nobody is told.
    if (line?.present === false) throw this.#lost(line.lost('lineInfo'));
    const dir = this.#lineDir(offset);
    const used = existsSync(dir);
    const edge = readOr(join(dir, 'edge'), 'none');
    return {
      offset,
      name: '',
      consumer: holding?.consumer ?? '',
      used,
      direction: readOr(join(dir, 'direction'), 'in') === 'out' ? 'out' : 'in',
      activeLow: readOr(join(dir, 'active_low'), '0') === '1',
      edge: isEdge(edge) ? edge : 'none',
      bias: 'as-is',
      drive: 'push-pull',
      debounceUs: 0,
    };
  }

  requestLines(options: LineRequestOptions): LineRequest {
    this.#open('requestLines');
    const { lines, consumer } = options;
    checkLines(lines, this.info.lines);
    checkOptions(this.driver, SYSFS_CAPABILITIES, options);
    this.#present('requestLines');
    const held: SysfsLine[] = [];
    try {
      for (const line of lines) {
        const number = this.#chip.base + line.offset;
        const what = `line ${line.offset} of ${this.info.name}`;
        held.push(exportLine(this.#onoff, { classDir: dirname(this.#chip.dir), number, what }, line));
      }
    } catch (error) {
      for (const line of held) line.release();
      throw error;
    }
    const request = new HeldLines(this.#owner, lines, held, FIFO_ENTRIES);
    this.#requests.set(request, { consumer: cutConsumer(consumer), offsets: request.offsets, lines: held });
    return request;
  }

  watchLineInfo(): never {
    this.#open('watchLineInfo');
    return refuse(this.driver, 'lineInfoWatch', 'sysfs tells of no change');
  }

  onGone(listener: GoneListener): void {
    this.#open('onGone');
    this.#gone.add(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const request of [...this.#requests.keys()]) request.release();
  }

  #lineDir(offset: number): string {
    return join(dirname(this.#chip.dir), `gpio${this.#chip.base + offset}`);
  }

  #holdingOf(offset: number): Holding | undefined {
    for (const holding of this.#requests.values()) if (holding.offsets.includes(offset)) return holding;
    return undefined;
  }

  #open(operation: string): void {
    if (this.#closed) throw systemError(operation, ERRNO.EBADF);
  }

  /** A chip that came back is another one, even where it got the same numbers. */
  #present(operation: string): void {
    if (this.#goneError !== undefined) throw this.#goneError;
    const inode = statSync(this.#chip.dir, { throwIfNoEntry: false })?.ino;
    if (inode === this.#chip.inode) return;
    throw this.#lost(systemError(`${operation} on ${this.info.name}`, ERRNO.ENODEV, undefined, this.info.name));
  }

  #lost(error: KernelError): KernelError {
    this.#found(error);
    return error;
  }

  #found(gone: KernelError): void {
    if (this.#goneError !== undefined) return;
    this.#goneError = gone;
    this.#gone.tell(gone);
    for (const request of [...this.#requests.keys()]) request.tellGone(gone);
  }
}

function readOr(file: string, missing: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return missing;
  }
}

function isEdge(text: string): text is Edge {
  return text === 'none' || text === 'rising' || text === 'falling' || text === 'both';
}
