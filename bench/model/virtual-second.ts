// A second of virtual time on 4 CPUs with 10,000 timer interrupts in it, against the time that it takes.
import {
  HRTIMER_MODE_REL,
  HRTIMER_RESTART,
  Hrtimer,
  hrtimerForwardNow,
  hrtimerStart,
  type Machine,
  schedule,
  setCurrentState,
  TASK_INTERRUPTIBLE,
  udelay,
  wakeUpProcess,
} from '../../kernel/index.js';
import { benchMachine } from './machines.js';

const CPUS = 4;
const INTERRUPTS = 10_000;
const SECOND_NS = 1_000_000_000;
const INTERVAL_NS = (CPUS * SECOND_NS) / INTERRUPTS;

/** What happens in the second: interrupts only, or each also wakes a task of its CPU that is busy for 20 µs. */
export type Load = 'interrupts' | 'interrupts and tasks';

/** Starts one CPU's timer, from a task on that CPU. */
function startTimer(machine: Machine, cpuId: number, load: Load, called: () => void): void {
  const onCpu = { cpusAllowed: 1 << cpuId };
  const woken = machine.spawn(
    `busy/${cpuId}`,
    function* () {
      for (;;) {
        setCurrentState(TASK_INTERRUPTIBLE);
        yield* schedule();
        yield* udelay(20);
      }
    },
    onCpu,
  );
  const timer = new Hrtimer(function everySoOften(self) {
    called();
    if (load === 'interrupts and tasks') wakeUpProcess(woken);
    hrtimerForwardNow(self, INTERVAL_NS);
    return HRTIMER_RESTART;
  });
  machine.spawn(`start/${cpuId}`, () => hrtimerStart(timer, INTERVAL_NS, HRTIMER_MODE_REL), onCpu);
}

/** What a virtual second has to be faster than a real one, at least. */
export const GOAL = 10;

/** How many times faster than real time each of `rounds` seconds was; the first second is not among them. */
export function virtualSeconds(load: Load, rounds: number): number[] {
  const machine = benchMachine({ cpus: CPUS });
  let calls = 0;
  for (const cpu of machine.cpus) {
    startTimer(machine, cpu.id, load, () => {
      calls++;
    });
  }
  const factors: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const [before, taken] = [calls, machine.cpus.reduce((sum, cpu) => sum + cpu.interrupts, 0)];
    const begun = process.hrtime.bigint();
    machine.advance(SECOND_NS);
    const elapsedNs = Number(process.hrtime.bigint() - begun);
    const interrupts = machine.cpus.reduce((sum, cpu) => sum + cpu.interrupts, 0) - taken;
    if (calls - before !== INTERRUPTS || interrupts < INTERRUPTS) {
      throw new Error(`${calls - before} timers and ${interrupts} interrupts in a second, not ${INTERRUPTS}`);
    }
    if (round >= 0) factors.push(SECOND_NS / elapsedNs);
  }
  return factors;
}
