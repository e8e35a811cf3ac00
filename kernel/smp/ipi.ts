// Interrupts from one CPU to another: what they are for, who sends them, and what /proc/interrupts shows (arch/arm64/kernel/smp.c).
import { IRQ_HANDLED, IRQ_HIDDEN, type IrqReturn } from '../irq/flags.js';
import type { IrqDesc } from '../irq/irqdesc.js';
import { enablePercpuIrq, requestPercpuIrq } from '../irq/percpu.js';
import { PerCpu } from '../lib/percpu.js';
import type { Machine } from '../machine.js';
import { finishOutcome } from '../sched/atomic.js';
import { type Coroutine, DONE, type Outcome, SUSPENDED } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { runningCpu, thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';

/** What an interrupt to another CPU asks of it. */
export const IPI_RESCHEDULE = 0;
export const IPI_CALL_FUNC = 1;
export const IPI_CPU_STOP = 2;
export const IPI_CPU_STOP_NMI = 3;
export const IPI_TIMER = 4;
export const IPI_IRQ_WORK = 5;
export const IPI_CPU_BACKTRACE = 6;
export const IPI_KGDB_ROUNDUP = 7;
export const MAX_IPI = 8;

const IPI_TYPES = [
  'Rescheduling interrupts',
  'Function call interrupts',
  'CPU stop interrupts',
  'CPU stop NMIs',
  'Timer broadcast interrupts',
  'IRQ work interrupts',
  'CPU backtrace interrupts',
  'KGDB roundup interrupts',
] as const;

/** Data of the handlers, which need none. */
const irqStat = new PerCpu(() => undefined);

/** The lines of a machine whose interrupt controller can interrupt one CPU for another. */
export class Ipis {
  readonly #machine: Machine;
  readonly #descs: readonly IrqDesc[];
  /** Functions that are to be called on each CPU. */
  readonly #calls: readonly (() => Outcome)[][];

  constructor(machine: Machine, descs: readonly IrqDesc[]) {
    this.#machine = machine;
    this.#descs = descs;
    this.#calls = machine.cpus.map(() => []);
  }

  /** Interrupts the CPUs of a mask (smp_cross_call). */
  send(mask: number, ipi: number): void {
    const desc = this.#descs[ipi];
    desc?.chip?.ipiSendMask?.(desc, mask);
  }

  /** Tells a CPU that another task should run there, if it is not the one that says so (smp_send_reschedule). */
  reschedule(cpu: Cpu): void {
    const running = runningCpu();
    if (running !== undefined && running !== cpu) this.send(1 << cpu.id, IPI_RESCHEDULE);
  }

  /** Has a function called in a hard interrupt of `cpu`; one interrupt does for all that wait (__smp_call_single_queue). */
  callFunction(cpu: Cpu, fn: () => Outcome): void {
    const calls = this.#callsOf(cpu);
    if (calls.push(fn) === 1) this.send(1 << cpu.id, IPI_CALL_FUNC);
  }

  /** What an interrupt of the running CPU asks for (do_handle_IPI). */
  handle(irq: number): IrqReturn | Coroutine<IrqReturn> {
    if (this.#descs[IPI_CALL_FUNC]?.irq !== irq) return IRQ_HANDLED;
    const outcome = this.#flush(thisCpu(), 0);
    return outcome === SUSPENDED ? finish(outcome) : IRQ_HANDLED;
  }

  /** Lines of /proc/interrupts (arch_show_interrupts); `width` is that of the number column. */
  show(width: number): string {
    const space = width >= 4 ? ' ' : '';
    let text = '';
    for (const [ipi, desc] of this.#descs.entries()) {
      text += `${'IPI'.padStart(width - 1)}${ipi}:${space}`;
      for (const count of desc.counts) text += `${String(count).padStart(10)} `;
      text += `      ${IPI_TYPES[ipi]}\n`;
    }
    return text;
  }

  #callsOf(cpu: Cpu): (() => Outcome)[] {
    return this.#calls[cpu.id] ?? [];
  }

  /** Calls the functions that wait, from the `next` on; those that come meanwhile have an interrupt of their own. */
  #flush(cpu: Cpu, next: number, calls: readonly (() => Outcome)[] = this.#callsOf(cpu).splice(0)): Outcome {
    for (let i = next; i < calls.length; i++) {
      let outcome: Outcome = DONE;
      try {
        outcome = calls[i]?.() ?? DONE;
      } catch (error) {
        this.#machine.oops('smp_call_function', error);
      }
      if (outcome === SUSPENDED) return cpu.defer(() => this.#flush(cpu, i + 1, calls));
    }
    return DONE;
  }
}

/** The interrupt goes on behind a function that is a generator. */
function* finish(outcome: Outcome): Coroutine<IrqReturn> {
  yield* finishOutcome(outcome);
  return IRQ_HANDLED;
}

/**
 * Makes {@link MAX_IPI} lines, which each CPU has for itself, those that interrupt one CPU for another: from now on functions
 * that are called on other CPUs, and tasks that are woken there, go by them (set_smp_ipi_range). Each CPU then calls
 * {@link ipiSetup}. For the driver of the interrupt controller. Process context.
 *
 * @param irqs in the order of the IPI_ numbers; their chip has `ipiSendMask`
 * @throws KernelError as requestPercpuIrq
 */
export const setSmpIpiRange = effect(function* setSmpIpiRange(irqs: readonly number[]): Coroutine<void> {
  const { machine } = thisCpu();
  const descs = irqs.slice(0, MAX_IPI).map((irq) => machine.irqs.get(irq));
  const ipis = new Ipis(machine, descs);
  for (const desc of descs) {
    yield* requestPercpuIrq(desc.irq, (irq) => ipis.handle(irq), 'IPI', irqStat);
    desc.settings |= IRQ_HIDDEN;
  }
  machine.ipis = ipis;
});

/** Lets the running CPU be interrupted by others (ipi_setup). As enablePercpuIrq. */
export function ipiSetup(irqs: readonly number[]): void {
  for (const irq of irqs.slice(0, MAX_IPI)) enablePercpuIrq(irq);
}
