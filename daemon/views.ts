// What the service shows of itself: the daemon, its lines and its interrupts, as they are now.
import { type GpioDesc, KernelError, showInterrupts, type TraceRecord } from '../kernel/index.js';
import type { Backend } from './bridge/backend.js';
import { type HeldChip, MAIN_CHIP } from './bridge/held-chip.js';
import type { Interrupts } from './bridge/interrupts.js';
import { type LineInterrupt, NO_STAMP } from './bridge/line-interrupt.js';
import type { Config, LineSpec } from './config/config.js';
import type {
  ChipStatus,
  DaemonStatus,
  InterruptsStatus,
  Known,
  LineStatus,
  ParkedStatus,
  StormStatus,
} from './control/target.js';
import type { Reports } from './reports.js';
import { packageVersion } from './version.js';

const version = packageVersion();

/** Of the running service, what the views are made of. */
export interface Viewed {
  readonly config: Config;
  readonly configPath: string;
  readonly backend: Backend;
  readonly startedNs: number;
  readonly interrupts: Interrupts;
  readonly reports: Pick<Reports, 'handlerErrors' | 'limitedActions' | 'reloads'>;
  /** `ENOENT` for a line that is not in the configuration. */
  desc(name: string): GpioDesc;
}

export function viewStatus(of: Viewed): DaemonStatus {
  const { backend } = of;
  const { chip } = backend.main;
  let received = 0;
  let dropped = 0;
  let leftOut = 0;
  let lost: Known<number> = 0;
  for (const line of of.config.lines) {
    const interrupt = of.interrupts.get(line.name);
    received += (interrupt?.rising ?? 0) + (interrupt?.falling ?? 0);
    dropped += interrupt?.dropped ?? 0;
    leftOut += stormOf(of, line, interrupt)?.leftOut ?? 0;
    const lostHere = backend.chipOf(line).lostOn(line.gpio);
    lost = lost === 'unknown' || lostHere === 'unknown' ? 'unknown' : lost + lostHere;
  }
  return {
    version,
    pid: process.pid,
    config: of.configPath,
    uptimeNs: Math.round(backend.machine.clock.now() - of.startedNs),
    driver: chip.driver,
    simulated: chip.simulated,
    chip: chip.info,
    chips: [...backend.chips.values()].map(chipStatus),
    ...(backend.problem === undefined ? {} : { problem: backend.problem }),
    ...viewParked(of),
    edges: { received, lost },
    dropped,
    leftOut,
    handlerErrors: of.reports.handlerErrors,
    limited: of.reports.limitedActions,
    reloads: { ...of.reports.reloads },
  };
}

function chipStatus({ id, chip, problem }: HeldChip): ChipStatus {
  return { id, driver: chip.driver, ...chip.info, ...(problem === undefined ? {} : { problem }) };
}

/** Lines that are held, and none of the configuration's. */
function viewParked({ backend, config }: Viewed): { parked?: ParkedStatus[] } {
  const parked = [...backend.chips.values()].flatMap((held) =>
    held.parked.map(({ offset, name, until }) => ({
      ...(held.id === MAIN_CHIP ? {} : { chip: held.id }),
      ...(name === undefined ? {} : { name }),
      gpio: offset,
      until: config.lines
        .filter((line) => backend.chipOf(line) === held && until.includes(line.gpio))
        .map((line) => line.name),
    })),
  );
  return parked.length === 0 ? {} : { parked };
}

/** In the order of the configuration. */
export function viewLines(of: Viewed): LineStatus[] {
  return of.config.lines.map((line) => lineStatus(of, line));
}

/** `ENOENT` for a line that is not in the configuration. */
export function viewLine(of: Viewed, name: string): LineStatus {
  const line = of.config.lines.find((candidate) => candidate.name === name);
  if (line === undefined) throw noSuchLine(name);
  return lineStatus(of, line);
}

/** Of a line that has edges, and a guard. */
function stormOf({ backend }: Viewed, line: LineSpec, interrupt: LineInterrupt | undefined): StormStatus | undefined {
  if (interrupt === undefined) return undefined;
  const state = backend.machine.irqs.get(backend.chipOf(line).toIrq(line.gpio)).storm?.state;
  if (state === undefined) return undefined;
  const { throttled, storms, throttles, throttledNs, merged } = state;
  return { throttled, storms, throttles, throttledNs: Math.round(throttledNs), leftOut: merged };
}

function lineStatus(of: Viewed, line: LineSpec): LineStatus {
  const { name, gpio, direction, activeLow, edge, bias, drive, debounceNs } = line;
  const interrupt = of.interrupts.get(name);
  const lastEdgeNs = Math.round(of.backend.originNs + (interrupt?.lastStampNs ?? 0));
  const storm = stormOf(of, line, interrupt);
  const held = of.backend.chipOf(line);
  const waitingFor = held.waitingFor(gpio);
  const seen = interrupt !== undefined && interrupt.lastStampNs !== NO_STAMP;
  return {
    ...(held.id === MAIN_CHIP ? {} : { chip: held.id }),
    ...{ name, gpio, direction, value: levelOf(of.desc(name)), activeLow, edge, bias, drive, debounceNs },
    rising: interrupt?.rising ?? 0,
    falling: interrupt?.falling ?? 0,
    lost: held.lostOn(gpio),
    dropped: interrupt?.dropped ?? 0,
    ...(storm === undefined ? {} : { storm }),
    ...(waitingFor === undefined ? {} : { waitingFor }),
    ...(seen ? { lastEdgeNs } : {}),
    ...(seen && interrupt.lineSeqno > 0 ? { lineSeqno: interrupt.lineSeqno } : {}),
  };
}

/** Of a line that is not held nobody knows the level. */
function levelOf(desc: GpioDesc): LineStatus['value'] {
  try {
    return desc.get();
  } catch (error) {
    if (error instanceof KernelError && (error.code === 'ENODEV' || error.code === 'EBUSY')) return 'unknown';
    throw error;
  }
}

export function viewInterrupts({ backend: { machine } }: Viewed): InterruptsStatus {
  const interrupts = [...machine.irqs]
    .filter((desc) => !desc.chained && desc.actions.length > 0)
    .map((desc) => ({
      irq: desc.irq,
      hwirq: desc.hwirq,
      chip: desc.chip?.name ?? '',
      actions: desc.actions.map((action) => action.name),
      counts: [...desc.counts],
    }));
  return { text: showInterrupts(machine), interrupts };
}

/** The trace with stamps of CLOCK_MONOTONIC, as other traces of this computer have them. */
export function* viewRecords({ machine, originNs }: Backend, from: number): Generator<TraceRecord> {
  for (const record of machine.trace.read(from)) yield { ...record, timeNs: originNs + record.timeNs };
}

/** The error for a name that is none of a line. */
export function noSuchLine(name: string): KernelError {
  return new KernelError('ENOENT', `no line ${name} in the configuration`, {
    hint: '`gpio-irqctl lines` lists them',
    subject: name,
  });
}
