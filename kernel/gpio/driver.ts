// GpioChip: the hardware abstraction. Every driver and the simulator implement it, and pass one contract suite.

/** Which edges a line reports. Seen after `activeLow` was applied, as in the kernel. */
export type Edge = 'none' | 'rising' | 'falling' | 'both';

/** The resistor on a line. `as-is` leaves it as it was found. */
export type Bias = 'as-is' | 'disabled' | 'pull-up' | 'pull-down';

/** How an output drives: both levels, only low, or only high. */
export type Drive = 'push-pull' | 'open-drain' | 'open-source';

/** Clock of the edge stamps: CLOCK_MONOTONIC, CLOCK_REALTIME, or no kernel stamp at all (taken in userspace). */
export type EventClock = 'monotonic' | 'realtime' | 'userspace';

/** A logical level: 1 is active, which with `activeLow` is a low voltage. */
export type Level = 0 | 1;

/** What an output starts with: a level, or `keep`, the one that the line has, so that nothing changes on the wire. */
export type InitialLevel = Level | 'keep';

/**
 * What becomes of edges that are not read at once. `drop-oldest`: they wait in one FIFO, in order; a full one drops the
 * oldest. `drop-newest`: they wait in a FIFO for each line; a full one drops what comes. `merge`: nothing waits; all edges
 * of a line since it was last read are one, which shows the level that the line has now.
 */
export type EdgeQueue = 'drop-oldest' | 'drop-newest' | 'merge';

/** What a driver can do. Asking for what is `false` is an `ENOTSUP` error that names driver and capability, never ignored. */
export interface GpioCapabilities {
  readonly bias: boolean;
  readonly debounce: boolean;
  readonly activeLow: boolean;
  readonly openDrain: boolean;
  readonly openSource: boolean;
  /** Edge stamps are made by the kernel (or the simulated chip) in the hard interrupt. */
  readonly kernelTimestamps: boolean;
  readonly realtimeClock: boolean;
  /** Edges carry `seqno` and `lineSeqno`, so that loss can be counted. */
  readonly seqno: boolean;
  /** The FIFO between interrupt and reader can be sized. */
  readonly eventBufferSize: boolean;
  readonly edgeQueue: EdgeQueue;
  /** {@link LineRequest.reconfigure} works without letting go of the lines. */
  readonly reconfigure: boolean;
  /** Outputs may have `initial: 'keep'`. */
  readonly keepLevel: boolean;
  /** {@link GpioChip.watchLineInfo} works. */
  readonly lineInfoWatch: boolean;
  /** {@link LineInfo.name} is known; else it is always empty. */
  readonly lineNames: boolean;
  /**
   * {@link GpioChip.lineInfo} tells of every held line that it is, and who holds it, and `EBUSY` names the holder. Else it
   * tells only of lines that were taken through this driver that they are held, and who holds them only to the holder.
   */
  readonly lineHolders: boolean;
  /** {@link GpioChip.lineInfo} tells the edge and debounce of a line that somebody else holds; else only its holder knows. */
  readonly lineEdges: boolean;
  /** {@link GpioChip.onGone} comes by itself; else with the first call that finds the chip gone. */
  readonly goneNotice: boolean;
  /** {@link LineRequest.setValues} changes all its lines in one hardware access. */
  readonly atomicSetMany: boolean;
}

/** A chip as it presents itself (struct gpiochip_info). */
export interface ChipInfo {
  /** Kernel name, e.g. `gpiochip0`. */
  readonly name: string;
  /** Label by which a header is recognised, e.g. `pinctrl-bcm2835`. */
  readonly label: string;
  /** Number of lines; offsets are 0 to `lines - 1`. */
  readonly lines: number;
}

/** Configuration of one line in a request (one `gpio_v2_line_config` seen from one line). */
export interface LineConfig {
  /** Line offset on the chip. */
  readonly offset: number;
  readonly direction: 'in' | 'out';
  /** Default `none`. Only with direction `in`, else `EINVAL`. */
  readonly edge?: Edge;
  /** Default `as-is`. */
  readonly bias?: Bias;
  /** Default `push-pull`. Only with direction `out`, else `EINVAL`. */
  readonly drive?: Drive;
  /** Default false. */
  readonly activeLow?: boolean;
  /** Debounce period in microseconds, 0 to 4,294,967,295; default 0, none. Only with direction `in`. */
  readonly debounceUs?: number;
  /** Logical level that an output takes when it is requested, or becomes an output; default 0. */
  readonly initial?: InitialLevel;
}

/** A request for one or more lines of a chip (struct gpio_v2_line_request). */
export interface LineRequestOptions {
  /** 1 to 64 lines, each offset once. */
  readonly lines: readonly LineConfig[];
  /** Who holds the lines, as other programs see it; cut to 31 bytes, as in the kernel. */
  readonly consumer: string;
  /** Entries of the edge FIFO, 1 to 1024 as far as the kernel grants; default: the driver's largest. */
  readonly eventBufferSize?: number;
  /** Default `monotonic` (or `userspace` where the driver has no kernel stamps). */
  readonly eventClock?: EventClock;
}

/** A line as anyone may see it (struct gpio_v2_line_info). */
export interface LineInfo {
  readonly offset: number;
  /** Name from the device tree; empty when it has none. */
  readonly name: string;
  /** Who holds it; empty when free or unknown. */
  readonly consumer: string;
  readonly used: boolean;
  readonly direction: 'in' | 'out';
  readonly activeLow: boolean;
  readonly edge: Edge;
  readonly bias: Bias;
  readonly drive: Drive;
  readonly debounceUs: number;
}

/** A change of a line's info (struct gpio_v2_line_info_changed). */
export interface LineInfoChange {
  readonly kind: 'requested' | 'released' | 'reconfigured';
  readonly info: LineInfo;
  /** When, in ns of CLOCK_MONOTONIC. */
  readonly timestampNs: bigint;
}

/** Size of one edge record in bytes: struct gpio_v2_line_event. */
export const EDGE_RECORD_BYTES = 48;
/** Edge records per batch: one `read` takes no more. */
export const EDGE_BATCH_MAX = 64;
const WORDS = EDGE_RECORD_BYTES / 4;
const RISING = 1;

/**
 * A batch of edges as the kernel lays them out: `struct gpio_v2_line_event` records, oldest first.
 *
 * One batch is made per request and used again for every delivery; a receiver that keeps anything copies it. Reading
 * allocates nothing, except in {@link timestampNs}.
 */
export class EdgeBatch {
  /** The records; a driver writes here. Words are in the byte order of the machine. */
  readonly words: Uint32Array;
  /** Records in this delivery, 1 to {@link EDGE_BATCH_MAX}. */
  count = 0;

  constructor(buffer: ArrayBuffer = new ArrayBuffer(EDGE_RECORD_BYTES * EDGE_BATCH_MAX)) {
    this.words = new Uint32Array(buffer);
  }

  /** Line offset of record `i`. */
  offset(i: number): number {
    return this.words[i * WORDS + 3] ?? 0;
  }

  /** True for a rising edge (after `activeLow`), false for a falling one. */
  rising(i: number): boolean {
    return this.words[i * WORDS + 2] === RISING;
  }

  /** Number of the edge over the whole request, from 1, wrapping at 2^32; 0 when the driver does not know. */
  seqno(i: number): number {
    return this.words[i * WORDS + 4] ?? 0;
  }

  /** Number of the edge on its line, from 1, wrapping at 2^32; a gap is the number of lost edges; 0 when unknown. */
  lineSeqno(i: number): number {
    return this.words[i * WORDS + 5] ?? 0;
  }

  /**
   * The stamp in ns since `originNs` (split as `originHigh * 2^32 + originLow`): exact while the difference is under
   * 2^53 ns, which is 104 days.
   */
  timestampSince(i: number, originHigh: number, originLow: number): number {
    const low = this.words[i * WORDS] ?? 0;
    const high = this.words[i * WORDS + 1] ?? 0;
    return (high - originHigh) * 0x1_0000_0000 + (low - originLow);
  }

  /**
   * Writes {@link timestampSince} to `into[at]`, with the origin as `[low, high]`. A number this large is an object on the heap
   * wherever it goes in or out of a function that the compiler has not inlined; so the hot path hands none over.
   */
  timestampInto(into: Float64Array, at: number, i: number, origin: Uint32Array): void {
    const low = this.words[i * WORDS] ?? 0;
    const high = this.words[i * WORDS + 1] ?? 0;
    into[at] = (high - (origin[1] ?? 0)) * 0x1_0000_0000 + (low - (origin[0] ?? 0));
  }

  /** The stamp in ns of the request's clock, exact. Allocates. */
  timestampNs(i: number): bigint {
    return (BigInt(this.words[i * WORDS + 1] ?? 0) << 32n) | BigInt(this.words[i * WORDS] ?? 0);
  }

  /** Writes record `i`; for drivers that do not get the kernel's layout from the kernel. Does not change `count`. */
  write(
    i: number,
    stampHigh: number,
    stampLow: number,
    rising: boolean,
    offset: number,
    seqno: number,
    lineSeqno: number,
  ): void {
    const at = i * WORDS;
    this.words[at] = stampLow;
    this.words[at + 1] = stampHigh;
    this.words[at + 2] = rising ? RISING : 2;
    this.words[at + 3] = offset;
    this.words[at + 4] = seqno;
    this.words[at + 5] = lineSeqno;
  }
}

/** Receives edges. Called once a batch, on the event loop; must not throw. */
export type EdgeSink = (batch: EdgeBatch) => void;

/** Told once when a chip went away under a request or a watch; the error's code is `ENODEV`. */
export type GoneListener = (error: Error) => void;

/** Lines that are held. All calls after {@link release} fail with `EBADF`, after the chip was unplugged with `ENODEV`. */
export interface LineRequest {
  /** Offsets in the order in which they were asked for. */
  readonly offsets: readonly number[];
  /** Entries that the edge FIFO has, as far as the driver knows. */
  readonly eventBufferSize: number;
  /** Logical level of one line of the request. `EINVAL` for an offset that is not part of it. */
  getValue(offset: number): Level;
  /** Sets one output. `EPERM` for an input, `EINVAL` for an offset that is not part of it. */
  setValue(offset: number, value: Level): void;
  /** Logical levels of all lines, in the order of {@link offsets}. */
  getValues(): Level[];
  /** Sets outputs, all at once where {@link GpioCapabilities.atomicSetMany}. Same errors as {@link setValue}, before any is changed. */
  setValues(values: ReadonlyMap<number, Level>): void;
  /** New configuration for all lines of the request (the same offsets, else `EINVAL`); no line is let go of, no output glitches. */
  reconfigure(lines: readonly LineConfig[]): void;
  /** Starts delivery to `sink`; edges that came since the request are waiting in the FIFO. One sink per request (`EBUSY`). */
  onEdges(sink: EdgeSink): void;
  onGone(listener: GoneListener): void;
  /** Lets the lines go. Idempotent. */
  release(): void;
}

/** A GPIO chip of any driver. Calls are synchronous and short: each is one or two ioctls or register accesses. */
export interface GpioChip {
  /** Name of the driver: `chardev`, `libgpiod`, `sysfs` or `sim`. */
  readonly driver: string;
  /** True only for the simulated chip: what it shows never passes for real. */
  readonly simulated: boolean;
  readonly info: ChipInfo;
  readonly capabilities: GpioCapabilities;
  /** `EINVAL` for an offset outside the chip, `ENODEV` when unplugged. */
  lineInfo(offset: number): LineInfo;
  /**
   * Takes lines. Errors: `EBUSY` (the hint names the holder), `EINVAL` (no such line, bad combination), `ENOTSUP` (the
   * driver cannot), `EACCES`/`EPERM`, `ENODEV` (unplugged). On error no line is held.
   */
  requestLines(options: LineRequestOptions): LineRequest;
  /** Reports changes of a line by anyone until the returned function is called. `ENOTSUP` without the capability. */
  watchLineInfo(offset: number, listener: (change: LineInfoChange) => void): () => void;
  onGone(listener: GoneListener): void;
  /** Releases everything that was requested through this object. Idempotent. */
  close(): void;
}
