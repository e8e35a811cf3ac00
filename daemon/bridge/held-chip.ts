// One GPIO chip of the service on hardware: its lines are held, and their edges come into the model.
import {
  type ChipInfo,
  EdgeDomain,
  type EdgeInfo,
  type GpioChip,
  KernelError,
  type Level,
  type LineConfig,
  type LineValues,
  type Machine,
} from '../../kernel/index.js';
import type { Board } from '../../sim-fallback/index.js';
import type { LineSpec } from '../config/config.js';
import type { Known } from '../control/target.js';
import type { KeptLines } from './kept-lines.js';
import { type Comeback, LastingLines, type LastingLinesOptions } from './lasting-lines.js';
import type { ParkedLine } from './line-requests.js';

const NS_PER_US = 1_000;
/** Who holds the lines, as other programs see it. */
export const CONSUMER = 'gpio-irqd';
/** What the file's own chip is called; lines that name no chip are on it. */
export const MAIN_CHIP = 'chip';

/** What becomes of the lines of all chips. `chip` is what the configuration calls it, or {@link MAIN_CHIP}. */
export interface ChipEvents {
  /** Edges of a line were lost before they were read. */
  onLost(chip: string, offset: number, count: number): void;
  /** As those of LineNotices. */
  onGone(chip: string, error: Error): void;
  onBack(chip: string, info: ChipInfo): void;
  onWaiting(chip: string, offset: number, why: string): void;
  onHeld(chip: string, offset: number): void;
}

/** A chip whose lines are held, with their interrupts. */
export interface HeldChip {
  /** What the configuration calls it, or {@link MAIN_CHIP}. */
  readonly id: string;
  /** The chip that holds the lines, or the one that did so last. */
  readonly chip: GpioChip;
  readonly lines: LineValues;
  /** The edge that is being handled; for top halves of its lines. */
  readonly edge: EdgeInfo;
  /** What is around a simulated chip; undefined on hardware. */
  readonly board: Board | undefined;
  toIrq(offset: number): number;
  lostOn(offset: number): Known<number>;
  /** What keeps lines from being held as they are to be, in one sentence; undefined when all are. */
  readonly problem: string | undefined;
  /** Why a line is not held, in words after "is"; undefined when it is. */
  waitingFor(offset: number): string | undefined;
  /** Lines that are held only until the others of their request are let go, with the names that they had in this process. */
  readonly parked: readonly (ParkedLine & { readonly name?: string })[];
  /** Has the edges of a line wait, in order, while its handlers are exchanged; until {@link resume}. */
  hold(offset: number): void;
  resume(offset: number): void;
  /** `EINVAL` for a line that the chip has not, with what it has. */
  check(lines: readonly LineSpec[]): void;
  /** Has these lines from now on; see LastingLines.update. Those in `fresh` are used for something else than before. */
  update(lines: readonly LineSpec[], fresh: ReadonlySet<number>): void;
  /** As {@link LastingLines.noteRest}. */
  noteRest(offset: number, rest: Level | undefined): void;
  /** Edges start to come in. */
  start(): void;
  /** Reads no more edges of lines that the next process takes over: it finds them. */
  pause(): void;
  /**
   * Lets the lines and the chip go; for the next process too if it is `forGood`. Its interrupts have been freed, or nobody looks at
   * them any more.
   */
  close(forGood?: boolean): void;
}

/** A line as its driver is to have it. */
export function lineConfig(line: LineSpec): LineConfig {
  const common = { offset: line.gpio, bias: line.bias, activeLow: line.activeLow };
  if (line.direction === 'out') return { ...common, direction: 'out', drive: line.drive, initial: line.initial };
  return { ...common, direction: 'in', edge: line.edge, debounceUs: line.debounceNs / NS_PER_US };
}

/** As {@link HeldChip.check}. */
export function checkOffsets(lines: readonly LineSpec[], { name, lines: count }: ChipInfo, simulated: boolean): void {
  for (const line of lines) {
    if (line.gpio < count) continue;
    const what = simulated ? 'the simulated chip' : `the chip ${name}`;
    throw new KernelError('EINVAL', `line ${line.name}: ${what} has no GPIO${line.gpio}`, {
      hint: `it has GPIO0 to GPIO${count - 1}`,
      subject: line.name,
    });
  }
}

/** What {@link holdChip} needs. */
export interface HoldOptions {
  readonly id: string;
  /** Belongs to the result from now on. */
  readonly chip: GpioChip;
  readonly lines: readonly LineSpec[];
  readonly machine: Machine;
  /** CLOCK_MONOTONIC at the origin of the machine's clock, in ns. */
  readonly originNs: bigint;
  readonly events: ChipEvents;
  /** How the chip is found again when it was gone; default: it stays gone. */
  readonly comeback?: Comeback | undefined;
  /** Why it is not there yet. */
  readonly absent?: KernelError | undefined;
  readonly board?: Board | undefined;
  /** Has the requests outlive the process, and has those of the process before. */
  readonly kept?: KeptLines | undefined;
  /** What requests have besides. */
  readonly requests?: Pick<LastingLinesOptions, 'events'>;
}

/** Takes lines of a chip. Errors as the driver's; the chip is closed then. */
export function holdChip(options: HoldOptions): HeldChip {
  const { id, chip, machine, originNs, events, comeback, absent, board, kept, requests } = options;
  const { name, lines: count } = chip.info;
  let specs = options.lines;
  /** Names by offset, those of lines that are gone too. */
  const names = new Map(specs.map((spec) => [spec.gpio, spec.name]));
  const domain = new EdgeDomain(machine, {
    name,
    lines: count,
    originNs,
    hasSeqno: chip.capabilities.seqno,
    onLost: (offset, lost) => events.onLost(id, offset, lost),
  });
  const make = (): LastingLines =>
    new LastingLines({
      ...requests,
      held:
        kept?.adopt(chip, new Set(specs.map(({ gpio }) => gpio)), { ...requests?.events, consumer: CONSUMER }) ?? [],
      kept,
      chip,
      lines: specs.map(lineConfig),
      consumer: CONSUMER,
      notices: {
        onGone: (error) => events.onGone(id, error),
        onBack: (info) => events.onBack(id, info),
        onWaiting: (offset, why) => events.onWaiting(id, offset, why),
        onHeld: (offset) => events.onHeld(id, offset),
      },
      comeback,
      absent,
      onAnew: (offset, mark) => domain.restart(offset, mark),
      nameOf: (offset) => specs.find(({ gpio }) => gpio === offset)?.name ?? `GPIO${offset}`,
    });
  let lines: LastingLines;
  try {
    lines = make();
  } catch (error) {
    domain.remove();
    throw error;
  }
  return {
    id,
    get chip() {
      return lines.chip;
    },
    lines,
    edge: domain.edge,
    board,
    toIrq: (offset) => domain.toIrq(offset),
    lostOn: (offset) => (lines.missed(offset) ? 'unknown' : (domain.countsOf(offset).lost ?? 'unknown')),
    get problem() {
      return lines.problem;
    },
    waitingFor: (offset) => lines.waitingFor(offset),
    get parked() {
      return lines.parked.map((line) => ({ ...line, ...named(names.get(line.offset)) }));
    },
    hold: (offset) => domain.hold(offset),
    resume: (offset) => domain.resume(offset),
    check: (wanted) => checkOffsets(wanted, lines.chip.info, chip.simulated),
    update: (wanted, fresh) => {
      for (const offset of fresh) domain.forget(offset);
      specs = wanted;
      for (const { gpio, name } of wanted) names.set(gpio, name);
      lines.update(wanted.map(lineConfig));
    },
    noteRest: (offset, rest) => lines.noteRest(offset, rest),
    start: () => lines.onEdges((batch) => domain.deliver(batch)),
    pause: () => lines.pause(),
    close: (forGood) => {
      lines.close(forGood);
      // A handler that never ends keeps its interrupt: then the domain stays, and nothing comes into it any more.
      if (specs.every(({ gpio }) => isFree(machine, domain, gpio))) domain.remove();
    },
  };
}

function named(name: string | undefined): { name?: string } {
  return name === undefined ? {} : { name };
}

function isFree(machine: Machine, domain: EdgeDomain, offset: number): boolean {
  const irq = domain.domain.findMapping(offset);
  return irq === 0 || (machine.irqs.find(irq)?.actions.length ?? 0) === 0;
}
