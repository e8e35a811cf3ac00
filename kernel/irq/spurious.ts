// Interrupts that no handler wants, and answers of handlers that are none (kernel/irq/spurious.c).
import type { Machine } from '../machine.js';
import type { MachineOptions } from '../machine-options.js';
import { finishOutcome } from '../sched/atomic.js';
import { type Coroutine, DONE, type Frame, type Outcome, Request } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { thisCpu } from '../sched/current.js';
import { jiffiesLately, jiffiesOf } from '../time/jiffies.js';
import { modTimer, TimerList } from '../time/timer.js';
import {
  __IRQF_TIMER,
  IRQ_HANDLED,
  IRQ_IS_POLLED,
  IRQ_NESTED_THREAD,
  IRQ_NO_DEBUG,
  IRQ_NONE,
  IRQ_PER_CPU,
  IRQ_WAKE_THREAD,
  IRQF_IRQPOLL,
  IRQF_SHARED,
} from './flags.js';
import { handleIrqEvent } from './handle.js';
import type { FlowHandler, IrqAction, IrqDesc } from './irqdesc.js';
import { __disableIrq } from './manage.js';
import { stormBudgetExhausted } from './storm.js';

const IRQ_RETURN_MASK = IRQ_HANDLED | IRQ_WAKE_THREAD;
/** Interrupts after which a line is looked at, and how many of them may be unhandled. */
const COUNTED = 100_000;
const UNHANDLED_LIMIT = 99_900;
/** Unhandled interrupts further apart than this, and polls, in parts of a second. */
const APART = 10;
/** Reports of answers that are none, over all lines. */
const BAD_RETURN_REPORTS = 100;
/** Nobody is polling. */
const NO_CPU = -1;

/** What a machine knows of spurious interrupts as a whole, and the poll of lines that were disabled for them. */
export class SpuriousPoll {
  /**
   * 1: an interrupt that nobody wanted may have been another line's (`irqfixup`); 2: also those of IRQF_IRQPOLL lines are
   * looked for with each interrupt that was handled (`irqpoll`).
   */
  readonly irqfixup: 0 | 1 | 2;
  /** Unhandled interrupts are not looked for on lines that are requested (`noirqdebug`). */
  readonly noirqdebug: boolean;
  /** The CPU that polls or polled last (irq_poll_cpu). */
  pollCpu = NO_CPU;
  reportsLeft = BAD_RETURN_REPORTS;
  readonly #machine: Machine;
  readonly #timer = new TimerList(() => this.#pollSpuriousIrqs());
  #active = false;

  constructor(machine: Machine, options: MachineOptions) {
    this.#machine = machine;
    this.irqfixup = options.irqfixup ?? 0;
    this.noirqdebug = options.noirqdebug ?? false;
    this.#announce();
  }

  #announce(): void {
    const { printk } = this.#machine;
    if (this.noirqdebug) printk('info', 'IRQ lockup detection disabled');
    if (this.irqfixup === 0) return;
    const [what, impact] = this.irqfixup === 1 ? ['support', 'may'] : ['and polling support', 'may significantly'];
    printk('warning', `Misrouted IRQ fixup ${what} enabled${this.irqfixup === 1 ? '.' : ''}`);
    printk('warning', `This ${impact} impact system performance${this.irqfixup === 1 ? '.' : ''}`);
  }

  /** The next poll is a tenth of a second from now. */
  armTimer(): void {
    modTimer(this.#timer, jiffiesOf(this.#machine) + this.#machine.hz / APART);
  }

  /** TIMER softirq: looks whether the lines that were disabled have something for their handlers. */
  *#pollSpuriousIrqs(): Coroutine<void> {
    const cpu = thisCpu();
    if (this.#enter()) {
      for (const desc of this.#machine.irqs) {
        if (!desc.spuriousDisabled) continue;
        cpu.irqsEnabled = false;
        yield* tryOneIrq(desc, true);
        cpu.irqsEnabled = true;
        yield Request.point;
      }
      this.#active = false;
    }
    this.armTimer();
  }

  /** Looks through the handlers of all other lines for one that wants an interrupt; 1 when there was one. */
  *misroutedIrq(irq: number): Coroutine<0 | 1> {
    if (!this.#enter()) return 0;
    let found: 0 | 1 = 0;
    for (const desc of this.#machine.irqs) {
      if (desc.irq !== irq && (yield* tryOneIrq(desc, false))) found = 1;
    }
    this.#active = false;
    return found;
  }

  /** One at a time. */
  #enter(): boolean {
    if (this.#active) return false;
    this.#active = true;
    this.pollCpu = thisCpu().id;
    return true;
  }
}

/** True when a line's handlers may be called without an interrupt: shared ones, not the timer's. */
function mayBePolled(desc: IrqDesc, force: boolean): boolean {
  if ((desc.settings & (IRQ_PER_CPU | IRQ_NESTED_THREAD | IRQ_IS_POLLED)) !== 0) return false;
  if (desc.disabled && !force) return false;
  const [first] = desc.actions;
  return first !== undefined && (first.flags & (IRQF_SHARED | __IRQF_TIMER)) === IRQF_SHARED;
}

/** Calls the handlers of a line; true when one of them had something to do. Interrupts off. */
function* tryOneIrq(desc: IrqDesc, force: boolean): Coroutine<boolean> {
  if (!mayBePolled(desc, force)) return false;
  if (desc.inProgress) {
    // The CPU that is at it looks once more.
    desc.pending = true;
    return false;
  }
  let handled = false;
  const poll = new LinePoll(desc);
  do {
    yield* finishOutcome(handleIrqEvent(desc));
    if (desc.lastReturn === IRQ_HANDLED) handled = true;
  } while (desc.pending && desc.actions.length > 0);
  poll.end();
  return handled;
}

/** A poll of one line. While it lasts, interrupts of the line that come on other CPUs wait there, busy (irq_wait_for_poll). */
class LinePoll {
  readonly #desc: IrqDesc;
  readonly #cpu: Cpu = thisCpu();
  readonly #flow: FlowHandler;
  readonly #waiting: Frame[] = [];
  readonly #wait: FlowHandler = (desc) => this.#take(desc);

  constructor(desc: IrqDesc) {
    this.#desc = desc;
    this.#flow = desc.handleIrq;
    desc.handleIrq = this.#wait;
    desc.polling = true;
  }

  end(): void {
    const desc = this.#desc;
    desc.polling = false;
    if (desc.handleIrq === this.#wait) desc.handleIrq = this.#flow;
    if (this.#waiting.length === 0) return;
    for (const frame of this.#waiting) frame.spinning = false;
    for (const cpu of desc.machine.cpus) cpu.kick();
  }

  #take(desc: IrqDesc): Outcome {
    const cpu = thisCpu();
    if (cpu === this.#cpu) return this.#flow(desc);
    return cpu.suspend(this.#spin(cpu), () => desc.handleIrq(desc));
  }

  *#spin(cpu: Cpu): Coroutine<void> {
    if (!this.#desc.polling) return;
    this.#waiting.push(cpu.activation);
    yield Request.spin;
  }
}

/**
 * Told by the walk over a line's actions what they have answered, or-ed; the line is in progress still. Hard interrupt
 * context. When the result is SUSPENDED the caller defers the rest of its own.
 */
export function noteInterrupt(desc: IrqDesc, actionRet: number): Outcome {
  if (--desc.stormBudget === 0) stormBudgetExhausted(desc);
  if (desc.polling || (desc.settings & (IRQ_NO_DEBUG | IRQ_IS_POLLED)) !== 0) return DONE;
  // Nearly all interrupts are handled, on lines where nearly all are.
  if (actionRet === IRQ_HANDLED && desc.irqsUnhandled === 0 && desc.machine.irqs.spurious.irqfixup === 0) return DONE;
  return judge(desc, actionRet);
}

function judge(desc: IrqDesc, actionRet: number): Outcome {
  const { spurious } = desc.machine.irqs;
  if ((actionRet & ~IRQ_RETURN_MASK) !== 0) {
    reportBadReturn(desc, (actionRet >>> 0).toString(16), desc.actions);
    return DONE;
  }
  const result = compound(desc, actionRet);
  if (result === undefined) return DONE;
  if (result === IRQ_NONE) countUnhandled(desc);
  if (!tryMisrouted(spurious.irqfixup, desc, result)) return detect(desc);
  return thisCpu().suspend(spurious.misroutedIrq(desc.irq), (found) => {
    if (result === IRQ_NONE && found === 1) desc.irqsUnhandled--;
    return detect(desc);
  });
}

/**
 * What the handlers and the threads of a line have answered together. Where all handlers only woke threads, their answers
 * to this interrupt come later: it is judged with the next one. `undefined` when there is nothing to judge yet.
 */
function compound(desc: IrqDesc, actionRet: number): number | undefined {
  if ((actionRet & IRQ_WAKE_THREAD) === 0) return actionRet;
  if (actionRet !== IRQ_WAKE_THREAD) {
    desc.spuriousDeferred = false;
    return actionRet;
  }
  if (!desc.spuriousDeferred) {
    desc.spuriousDeferred = true;
    return undefined;
  }
  if (desc.threadsHandled === desc.threadsHandledLast) return IRQ_NONE;
  desc.threadsHandledLast = desc.threadsHandled;
  return IRQ_HANDLED;
}

/** The odd unhandled interrupt, long after the last one, begins the count anew. */
function countUnhandled(desc: IrqDesc): void {
  const { machine } = desc;
  const now = jiffiesLately(machine);
  if (now > desc.lastUnhandled + machine.hz / APART) desc.irqsUnhandled = 1;
  else desc.irqsUnhandled++;
  desc.lastUnhandled = now;
}

function tryMisrouted(irqfixup: 0 | 1 | 2, desc: IrqDesc, result: number): boolean {
  if (irqfixup === 0) return false;
  if (result === IRQ_NONE) return true;
  return irqfixup === 2 && ((desc.actions[0]?.flags ?? 0) & IRQF_IRQPOLL) !== 0;
}

/** Disables a line of whose last 100,000 interrupts more than 99,900 were unhandled. */
function detect(desc: IrqDesc): Outcome {
  if (desc.irqsUnhandled === 0 || ++desc.irqCount < COUNTED) return DONE;
  desc.irqCount = 0;
  if (desc.irqsUnhandled > UNHANDLED_LIMIT) {
    const { machine, irq } = desc;
    report(desc, `irq ${irq}: nobody cared (try booting with the "irqpoll" option)`, desc.actions);
    machine.printk('emerg', `Disabling IRQ #${irq}`);
    desc.spuriousDisabled = true;
    __disableIrq(desc);
    machine.irqs.spurious.armTimer();
  }
  desc.irqsUnhandled = 0;
  return DONE;
}

/**
 * Prints a finding and the handlers. A number stands where the kernel shows a handler's address. Its stack is left out: the
 * handlers have returned, and are not in it.
 */
function report(desc: IrqDesc, what: string, actions: readonly IrqAction[]): void {
  const handlers = actions.map((action) => {
    const place = action.nameId.toString(16).padStart(8, '0');
    const thread = action.threadFn === undefined ? '' : ` threaded [<${place}>] ${action.threadFn.name || action.name}`;
    return `[<${place}>] ${action.handler.name || action.name}${thread}`;
  });
  desc.machine.printk('err', [what, 'handlers:', ...handlers].join('\n'));
}

/**
 * Reports an answer that is no combination of IRQ_NONE, IRQ_HANDLED and IRQ_WAKE_THREAD, with the handlers that may have
 * given it; the first hundred of a machine.
 */
export function reportBadReturn(desc: IrqDesc, shown: string, actions: readonly IrqAction[]): void {
  const { spurious } = desc.machine.irqs;
  if (spurious.reportsLeft === 0) return;
  spurious.reportsLeft--;
  report(desc, `irq event ${desc.irq}: bogus return value ${shown}`, actions);
}

/**
 * Asked by the flow handlers of a line that is in progress, whose interrupt cannot be handled then: if that is a poll on this
 * CPU, the handler that is polled has raised it, and nobody can wait for the end.
 */
export function irqCheckPoll(desc: IrqDesc): boolean {
  if (!desc.polling) return false;
  const { machine, irq } = desc;
  const { id } = thisCpu();
  machine.warnOnce('irq poll', `irq poll in progress on cpu ${id} for irq ${irq}`, 'irq_wait_for_poll');
  return false;
}
