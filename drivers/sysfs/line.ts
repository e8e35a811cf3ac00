// One line that onoff has exported: its level, its edges, and how it is changed and given back.
import { closeSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERRNO, KernelError } from '../../kernel/errno.js';
import type { EdgeBatch, Level, LineConfig } from '../../kernel/gpio/driver.js';
import { systemError } from '../chardev/errors.js';
import type { HeldLine } from '../held-lines.js';
import { thrownError } from '../refusals.js';
import type { Onoff, OnoffGpio } from './onoff.js';

/** Where a line is in sysfs. */
export interface SysfsPlace {
  /** e.g. `/sys/class/gpio`. */
  readonly classDir: string;
  /** Its number there: base of the chip + offset. */
  readonly number: number;
  /** How errors call it, e.g. `line 17 of gpiochip0`. */
  readonly what: string;
}

const WORD = 0x1_0000_0000n;
const NO_LEVEL = -1;

/**
 * Exports a line and configures it.
 *
 * @throws {KernelError} `EBUSY` (exported already, or held by whomever), `ENODEV` (the chip is gone), `EACCES`, `ENOTSUP`
 * (the line has no interrupt). The line is not exported then.
 */
export function exportLine(onoff: Onoff, place: SysfsPlace, line: LineConfig): SysfsLine {
  const dir = join(place.classDir, `gpio${place.number}`);
  // onoff takes over a line that is exported: it would change one that somebody else uses.
  if (existsSync(dir)) throw exportedAlready(place, dir);
  try {
    const gpio = new onoff.Gpio(place.number, directionOf(line), line.direction === 'in' ? edgeOf(line) : undefined, {
      activeLow: line.activeLow ?? false,
    });
    return new SysfsLine(gpio, place, dir, line);
  } catch (error) {
    // It was exported, but could not be configured: nobody else would give it back. One whose export was refused is
    // somebody else's, who was quicker.
    if (pathOf(error) !== join(place.classDir, 'export') && existsSync(dir)) unexport(place);
    throw exportError(place, dir, error);
  }
}

/** The file that a system call failed on. */
function pathOf(error: unknown): unknown {
  return error instanceof Error && 'path' in error ? error.path : undefined;
}

function unexport({ classDir, number }: SysfsPlace): void {
  try {
    writeFileSync(join(classDir, 'unexport'), String(number));
  } catch {
    // The error of the export says what is wrong; this one would hide it.
  }
}

function exportedAlready({ classDir, number, what }: SysfsPlace, dir: string): KernelError {
  return new KernelError('EBUSY', `${what}: EBUSY: it is exported already, as ${dir}`, {
    hint: `an export outlives its program; if nobody uses it, free it with: echo ${number} > ${join(classDir, 'unexport')}`,
    subject: dir,
  });
}

function exportError({ classDir, number, what }: SysfsPlace, dir: string, error: unknown): KernelError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' && pathOf(error) === join(dir, 'edge')) return noEdges(what, error);
  const hints: Readonly<Record<string, string>> = {
    EBUSY: 'a program or a driver holds it, and sysfs does not tell which; "gpioinfo" does',
    EACCES: `add the user to the group that owns ${classDir}/export (usually gpio), or install the udev rule`,
    EROFS: "the service's unit makes /sys read-only: set ProtectKernelTunables=no (systemctl edit gpio-irqd)",
    ENOENT: `the export did not become ${dir}; use driver: chardev`,
    EINVAL: `sysfs has no line ${number}`,
  };
  return thrownError(`sysfs: ${what}`, error, typeof code === 'string' ? hints[code] : undefined, what);
}

function noEdges(what: string, cause?: unknown): KernelError {
  return new KernelError('ENOTSUP', `sysfs: ${what} reports no edges`, {
    hint: "the line has no interrupt; use edge 'none'",
    cause,
  });
}

/** What is written to `direction` is a physical level: active low does not count there. */
function directionOf(line: LineConfig): 'in' | 'high' | 'low' {
  if (line.direction === 'in') return 'in';
  return (line.initial === 1) !== (line.activeLow ?? false) ? 'high' : 'low';
}

/** A line without edges needs no file `edge`, which lines without an interrupt do not have. */
function edgeOf(line: LineConfig): 'rising' | 'falling' | 'both' | undefined {
  const { edge = 'none' } = line;
  return line.direction === 'in' && edge !== 'none' ? edge : undefined;
}

/** A line of onoff; made by {@link exportLine}. */
export class SysfsLine implements HeldLine {
  readonly #gpio: OnoffGpio;
  readonly #place: SysfsPlace;
  readonly #dir: string;
  readonly #inode: number;
  readonly #read: () => number;
  #line: LineConfig;
  #listener: ((level: number) => void) | undefined;
  #watching = false;

  constructor(gpio: OnoffGpio, place: SysfsPlace, dir: string, line: LineConfig) {
    this.#gpio = gpio;
    this.#place = place;
    this.#dir = dir;
    this.#inode = statSync(dir).ino;
    this.#line = { ...line };
    this.#read = gpio.readSync.bind(gpio);
    // onoff reads the level itself when an edge wakes it. What that throws nobody could catch, and a line of a chip that
    // is gone would wake it again and again.
    gpio.readSync = () => {
      try {
        return this.#read();
      } catch {
        this.#unwatch();
        return NO_LEVEL;
      }
    };
  }

  /** False when the line is not exported any more, or is again, by somebody else: its chip went away, or it was unexported. */
  get present(): boolean {
    return statSync(this.#dir, { throwIfNoEntry: false })?.ino === this.#inode;
  }

  /** The error of an operation on a line that is not {@link present}. */
  lost(operation: string): KernelError {
    const hint = 'its chip was unplugged, or somebody has unexported it; open the chip again when it is back';
    const { what } = this.#place;
    return systemError(`${operation} on ${what}, which is not exported any more`, ERRNO.ENODEV, hint, what);
  }

  get(): Level {
    return this.#do('getValue', () => (this.#read() === 1 ? 1 : 0));
  }

  set(value: Level): void {
    this.#do('setValue', () => this.#gpio.writeSync(value));
  }

  listen(batch: EdgeBatch, deliver: () => void): void {
    this.#listener = (level) => {
      // All that sysfs tells is that something happened: the stamp is of the moment in which we heard of it.
      const stamp = process.hrtime.bigint();
      batch.write(0, Number(stamp / WORD), Number(stamp % WORD), level === 1, this.#line.offset, 0, 0);
      batch.count = 1;
      deliver();
    };
    this.#watch();
  }

  /** An output that stays one keeps its physical level; `initial` counts for a line that becomes an output. */
  configure(line: LineConfig): void {
    const before = this.#line;
    this.#do('reconfigure', () => {
      // onoff writes to files by their names, which may be those of somebody else's line.
      if (!this.present) throw this.lost('reconfigure');
      const edge = edgeOf(line);
      if (edge !== undefined && !existsSync(join(this.#dir, 'edge'))) throw noEdges(this.#place.what);
      this.#unwatch();
      // A line with edges cannot become an output, and an edge of the old configuration is none of the new one.
      if (edgeOf(before) !== undefined && edgeOf(before) !== edge) this.#gpio.setEdge('none');
      this.#gpio.setActiveLow(line.activeLow ?? false);
      if (line.direction !== before.direction) this.#gpio.setDirection(directionOf(line));
      this.#read();
      if (edge !== undefined && edge !== edgeOf(before)) this.#gpio.setEdge(edge);
      this.#line = { ...line };
      this.#watch();
    });
  }

  release(): void {
    this.#unwatch();
    this.#listener = undefined;
    // The number may be another line's by now: the chip came back, or somebody else freed and took it.
    const inode = statSync(this.#dir, { throwIfNoEntry: false })?.ino;
    const theirs = inode !== undefined && inode !== this.#inode;
    if (!theirs) this.#gpio.unexport();
    else if (this.#gpio._valueFd !== undefined) closeSync(this.#gpio._valueFd);
  }

  #watch(): void {
    const listener = this.#listener;
    if (listener === undefined || this.#watching || edgeOf(this.#line) === undefined) return;
    this.#watching = true;
    this.#gpio.watch((_error, level) => listener(level));
  }

  #unwatch(): void {
    if (!this.#watching) return;
    this.#watching = false;
    this.#gpio.unwatchAll();
  }

  #do<T>(operation: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (!this.present) throw this.lost(operation);
      throw thrownError(`${operation} on ${this.#place.what}`, error, undefined, this.#place.what);
    }
  }
}
