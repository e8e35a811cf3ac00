// What a flood of packets does to a machine with one CPU: interrupts, packets handled, and what is left for a task.
import { type Coroutine, ndelay } from '../../kernel/index.js';
import { InterruptNicDriver, NapiNicDriver, nicMachine, PacketFlood, RX_MISSED } from '../../sim-fallback/index.js';

const NS_PER_S = 1_000_000_000;
/** Until the ring has filled and ksoftirqd and the task have come to their shares; and what is measured then. */
const WARM_UP_NS = 100_000_000;
const MEASURED_NS = 300_000_000;
const TASK_STEP_NS = 1_000_000;
/** Of the gaps between packets. */
const SEED = 1;

export const DRIVERS = { napi: NapiNicDriver, interrupt: InterruptNicDriver } as const;
export type DriverName = keyof typeof DRIVERS;

/** One driver at one load. All rates are per second of the model's time. */
export interface Point {
  readonly offered: number;
  readonly interrupts: number;
  readonly handled: number;
  readonly missed: number;
  /** Share of the CPU that the task got. */
  readonly task: number;
  /** Mean time from arrival to handling, in ns. */
  readonly waitNs: number;
}

/** What is counted, at one time. */
interface Counts {
  readonly packets: number;
  readonly interrupts: number;
  readonly waitedNs: number;
  readonly sent: number;
  readonly missed: number;
  readonly taskNs: number;
}

/** Runs a driver at a load, beside a SCHED_NORMAL task that always has something to do. */
export function measure(name: DriverName, packetsPerSecond: number): Point {
  const { machine, nic, irq } = nicMachine({ lockdep: false });
  const driver = new DRIVERS[name](nic, irq);
  machine.runTask(() => driver.open());
  const task = machine.spawn('task', function* (): Coroutine<void> {
    for (;;) yield* ndelay(TASK_STEP_NS);
  });
  const flood = new PacketFlood(machine.clock, nic, { packetsPerSecond, seed: SEED });
  flood.start();
  machine.advance(WARM_UP_NS);
  const counts = (): Counts => {
    machine.bootCpu.charge();
    const { packets, interrupts, waitedNs } = driver;
    return { packets, interrupts, waitedNs, sent: flood.sent, missed: nic.read32(RX_MISSED), taskNs: task.sumExecNs };
  };
  const before = counts();
  machine.advance(MEASURED_NS);
  const after = counts();
  const perSecond = (what: keyof Counts): number => ((after[what] - before[what]) * NS_PER_S) / MEASURED_NS;
  return {
    offered: perSecond('sent'),
    interrupts: perSecond('interrupts'),
    handled: perSecond('packets'),
    missed: perSecond('missed'),
    task: perSecond('taskNs') / NS_PER_S,
    waitNs: perSecond('waitedNs') / Math.max(1, perSecond('packets')),
  };
}

/** A driver at several loads. */
export interface Series {
  readonly name: DriverName;
  readonly points: readonly Point[];
}

export function sweep(name: DriverName, loads: readonly number[]): Series {
  return { name, points: loads.map((load) => measure(name, load)) };
}
