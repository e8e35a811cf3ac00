// Interrupt descriptors: one per Linux interrupt number, and the table of them (kernel/irq/irqdesc.c).
import { KernelError } from '../errno.js';
import { cpulistParse, cpumaskAll } from '../lib/cpumask.js';
import type { PerCpu } from '../lib/percpu.js';
import { Mutex } from '../locking/mutex.js';
import type { Machine } from '../machine.js';
import type { Arch, MachineOptions } from '../machine-options.js';
import type { Atomic, Coroutine, Frame, Outcome, Process } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import type { Task } from '../sched/task.js';
import { WaitQueueHead } from '../sched/wait.js';
import { IRQ_LEVEL, IRQ_NOAUTOEN, IRQ_TYPE_NONE, type IrqReturn } from './flags.js';
import { handleBadIrq } from './handle-bad.js';
import { irqSysfsAdd, irqSysfsDel } from './irq-sysfs.js';
import type { IrqDomain } from './irqdomain.js';
import { unregisterIrqProc } from './proc.js';
import { SpuriousPoll } from './spurious.js';
import { checkStormLimits, type StormGuard, type StormLimits, setStormGuard, UNGUARDED } from './storm.js';

/** Top half: hard interrupt context, interrupts off. `devId` is what was handed to the request. */
export type IrqHandler = (irq: number, devId: unknown) => Atomic<IrqReturn>;
/** Thread function: process context, in the task `irq/NN-name`. */
export type IrqThreadFn = (irq: number, devId: unknown) => Process<IrqReturn>;
/** What a line does when its interrupt arrives: a flow handler, or a chained handler. Hard interrupt context. */
export type FlowHandler = (desc: IrqDesc) => Outcome;

/**
 * Hardware side of an interrupt line (struct irq_chip). Callbacks are called with the line's interrupt serialised, as under
 * the line's lock; none may sleep but {@link busLock}, {@link busSyncUnlock} and the two for resources.
 */
export interface IrqChip {
  /** As /proc/interrupts shows it. */
  readonly name: string;
  /** IRQCHIP_ flags. */
  readonly flags?: number;
  /** Starts a line that gets its first action, unmasked; {@link enable} when left out. */
  startup?(desc: IrqDesc): void;
  /** Shuts a line down that lost its last action, masked; {@link disable} when left out. */
  shutdown?(desc: IrqDesc): void;
  /** Enables a line; {@link unmask} when left out. */
  enable?(desc: IrqDesc): void;
  /** Disables a line at once; when left out, disabling is lazy: the line is masked when its next interrupt comes. */
  disable?(desc: IrqDesc): void;
  ack?(desc: IrqDesc): void;
  mask(desc: IrqDesc): void;
  unmask(desc: IrqDesc): void;
  maskAck?(desc: IrqDesc): void;
  /** End of interrupt, for controllers that hold a priority until then. */
  eoi?(desc: IrqDesc): void;
  /**
   * Configures the trigger type; throws `EINVAL` for one that the hardware has not got. The line takes the type, unless
   * the result is IRQ_SET_MASK_OK_NOCOPY: then the chip has set {@link IrqDesc.type} itself.
   */
  setType?(desc: IrqDesc, type: number): unknown;
  /** Makes the hardware deliver once more; false when it cannot. */
  retrigger?(desc: IrqDesc): boolean;
  /** Sends the line's interrupts to CPUs of `mask`; returns those that it will really send them to. Throws what it cannot do. */
  setAffinity?(desc: IrqDesc, mask: number, force: boolean): number;
  /** Arms (true) or disarms the line as a source of wake-up. Throws what it cannot do. */
  setWake?(desc: IrqDesc, on: boolean): void;
  /**
   * Before and after each change to a line of a chip behind a bus that sleeps, such as I2C. They may not throw: what fails on
   * the bus, the driver reports.
   */
  busLock?(desc: IrqDesc): Process<void>;
  busSyncUnlock?(desc: IrqDesc): Process<void>;
  /** Before the first action comes and after the last has gone; throws to refuse. */
  requestResources?(desc: IrqDesc): Process<void>;
  releaseResources?(desc: IrqDesc): Process<void>;
  /** One of the hardware's states of a line, an IRQCHIP_STATE_ number, and setting it. Throw what they cannot do. */
  getIrqchipState?(desc: IrqDesc, which: number): boolean;
  setIrqchipState?(desc: IrqDesc, which: number, value: boolean): void;
  /** Interrupts CPUs of `mask`, on a line that one CPU interrupts another by. */
  ipiSendMask?(desc: IrqDesc, mask: number): void;
  /** What /proc/interrupts shows in place of the name. */
  printChip?(desc: IrqDesc): string;
}

/** One requested handler on a line (struct irqaction). */
export interface IrqAction {
  readonly irq: number;
  readonly name: string;
  readonly nameId: number;
  /** IRQF_ flags as they hold on the line: with its trigger type, where the request gave none. */
  flags: number;
  readonly devId: unknown;
  /** In place of {@link devId}, on a line that each CPU has for itself. */
  readonly percpuDevId: PerCpu<unknown> | undefined;
  handler: IrqHandler;
  threadFn: IrqThreadFn | undefined;
  thread: Task | undefined;
  /** With forced threading: the action whose thread runs the thread function of the request (its handler runs in this one's). */
  secondary: IrqAction | undefined;
  /** Keeps the line masked until its thread is done (thread_mask is not 0). */
  oneshot: boolean;
  /** Its bit in threads_oneshot: woken under ONESHOT, and not finished. */
  oneshotPending: boolean;
  /** Woken and not yet run (IRQTF_RUNTHREAD). */
  runThread: boolean;
  /** WAKE_THREAD without a thread function was reported once (IRQTF_WARNED). */
  warned: boolean;
  /** The thread runs a handler that was made for hard interrupt context (IRQTF_FORCED_THREAD). */
  forcedThread: boolean;
  /** The line's affinity has changed, the thread's has not yet (IRQTF_AFFINITY). */
  threadAffinityDue: boolean;
  /** The thread has begun, so that it will see a wake-up (IRQTF_READY). */
  ready: boolean;
  /** Its thread function is running. */
  inThread: boolean;
  /** Taken off its line; a walk that is under way leaves it out. */
  removed: boolean;
}

/** Told of each change of a line's affinity. */
export interface AffinityListener {
  changed(): void;
  /** It is told nothing any more when this is over. Process context. */
  end(): Coroutine<void>;
}

/** State of one interrupt line (struct irq_desc with its irq_data). */
export class IrqDesc {
  readonly irq: number;
  readonly machine: Machine;
  readonly hwirq: number;
  readonly domain: IrqDomain | undefined;
  chip: IrqChip | undefined;
  /** Data of the chip, and of the flow handler, for this line. */
  chipData: unknown;
  handlerData: unknown;
  handleIrq: FlowHandler = handleBadIrq;
  /** Name of the flow, shown behind the type in /proc/interrupts. */
  flowName: string | undefined;
  /** In order of registration. Replaced, never changed, so that a walk under way keeps its place. */
  actions: readonly IrqAction[] = [];

  // How the line is set up.
  /** IRQ_ status flags, with the trigger type that was configured (irq_settings). */
  settings = 0;
  /** The trigger type (IRQD_TRIGGER_MASK); it can be known before it is configured, or without a chip that has types. */
  type = IRQ_TYPE_NONE;
  /** The type was fixed by firmware or by a second sharer, so that all who come must agree (IRQD_DEFAULT_TRIGGER_SET). */
  typeFixed = false;
  /** A chained handler owns the line: no action can be requested. */
  chained = false;
  /** Its interrupts are handled in hard interrupt context only (IRQD_HANDLE_ENFORCE_IRQCTX). */
  enforceIrqctx = false;
  /** One that comes while another CPU handles the last is to come again (IRQD_RESEND_WHEN_IN_PROGRESS). */
  resendWhenInProgress = false;
  /** The interrupt whose thread handles this line's, to be resent in its place (irq_set_parent); 0 for none. */
  parentIrq = 0;
  /** CPUs that take a per-CPU line's interrupt, as a bit mask; undefined before irqSetPercpuDevid(). */
  percpuEnabled: number | undefined;

  // Whether it can be delivered.
  /** Disabled as often as this; 0 is enabled. */
  depth = 1;
  /** IRQD_ACTIVATED, IRQD_IRQ_STARTED, _MASKED, _DISABLED, _INPROGRESS. */
  activated = false;
  started = false;
  masked = true;
  disabled = true;
  inProgress = false;
  /** The CPU that was the last to run its handlers. */
  inProgressOn: Cpu | undefined;
  /** An interrupt came while it could not be handled; kept one deep (IRQS_PENDING). */
  pending = false;
  /** A kept interrupt is on its way again (IRQS_REPLAY). */
  replay = false;
  /** The resend tasklet is going to handle it. */
  resendQueued = false;
  /** What the actions have answered to the last interrupt, or-ed. */
  lastReturn = 0;
  /** The first action asked for ONESHOT (IRQS_ONESHOT). */
  oneshot = false;

  // Threads.
  /** Thread functions that were woken and have not finished. */
  threadsActive = 0;
  /** Actions with {@link IrqAction.oneshotPending}: the line stays masked until there is none (threads_oneshot). */
  threadsOneshot = 0;
  /** Tasks that wait for threads to finish, or to be ready (wait_for_threads). */
  readonly waiters = new WaitQueueHead();
  /** Activations that spin until its handlers have finished (synchronize_hardirq). */
  readonly spinners: Frame[] = [];
  /** Whoever requests or frees holds it. */
  readonly requestMutex = new Mutex('request_mutex');

  // Affinity, as bit masks of CPUs.
  /** /proc/irq/N/smp_affinity. */
  affinity: number;
  /** CPUs that interrupts really go to, by what the chip said. */
  effectiveAffinity = 0;
  /** Affinity was chosen for this line, so a start-up keeps it (IRQD_AFFINITY_SET). */
  affinitySet = false;
  /** /proc/irq/N/affinity_hint; 0 for none. */
  affinityHint = 0;
  /** A move to {@link pendingMask} waits for the line's next interrupt (IRQD_SETAFFINITY_PENDING). */
  movePending = false;
  pendingMask = 0;
  /** Wants to know of changes (irq_set_affinity_notifier). */
  affinityNotify: AffinityListener | undefined;

  // Suspend and wake-up.
  /** IRQS_SUSPENDED, IRQD_WAKEUP_STATE, IRQD_WAKEUP_ARMED. */
  suspended = false;
  wakeup = false;
  wakeupArmed = false;
  /** Armed while its owner had it disabled, so it was enabled for the suspend (IRQD_IRQ_ENABLED_ON_SUSPEND). */
  enabledOnSuspend = false;
  wakeDepth = 0;
  /** Actions, by what they ask of suspend; also those of a per-CPU line that are gone, which the kernel goes on to count. */
  nrActions = 0;
  noSuspendDepth = 0;
  condSuspendDepth = 0;
  forceResumeDepth = 0;

  // Unhandled interrupts (spurious.c).
  irqCount = 0;
  irqsUnhandled = 0;
  /** In jiffies. */
  lastUnhandled = 0;
  threadsHandled = 0;
  threadsHandledLast = 0;
  /** The last interrupt only woke threads, and is judged with the next one (SPURIOUS_DEFERRED). */
  spuriousDeferred = false;
  /** Disabled since nobody cared (IRQS_SPURIOUS_DISABLED). */
  spuriousDisabled = false;
  /** Its handlers are being polled (IRQS_POLL_INPROGRESS). */
  polling = false;

  // The storm guard (storm.ts).
  /** Interrupts until the guard looks at the clock. */
  stormBudget = UNGUARDED;
  storm: StormGuard | undefined;

  // Counters.
  /** Interrupts handled, per CPU. */
  readonly counts: Uint32Array;
  /** Edges merged into an already pending one. */
  coalesced = 0;

  constructor(machine: Machine, irq: number, domain: IrqDomain | undefined, hwirq: number) {
    this.machine = machine;
    this.irq = irq;
    this.domain = domain;
    this.hwirq = hwirq;
    this.affinity = machine.irqs.defaultAffinity;
    this.counts = new Uint32Array(machine.cpus.length);
  }

  /** A level was configured at the chip, or the line was said to be one (IRQ_LEVEL). */
  get isLevel(): boolean {
    return (this.settings & IRQ_LEVEL) !== 0;
  }

  /** Requests do not enable it (IRQ_NOAUTOEN). */
  get noAutoen(): boolean {
    return (this.settings & IRQ_NOAUTOEN) !== 0;
  }

  /** Interrupts over all CPUs. */
  get total(): number {
    let sum = 0;
    for (const count of this.counts) sum += count;
    return sum;
  }

  count(cpu: Cpu): void {
    this.counts[cpu.id] = (this.counts[cpu.id] ?? 0) + 1;
  }

  /** Keeps an interrupt for later, one deep: a further one is merged into it. */
  keep(): void {
    if (this.pending) this.coalesced++;
    this.pending = true;
  }
}

/** All CPUs, or those that the command line says and the boot CPU (init_irq_default_affinity). */
function initialAffinity(asked: number | string | undefined, cpus: number): number {
  if (asked === undefined) return cpumaskAll(cpus);
  return (typeof asked === 'string' ? cpulistParse(asked, cpus) : asked & cpumaskAll(cpus)) | 1;
}

/** The first number that is handed out; 0 is never a valid interrupt. */
const FIRST_IRQ = 1;

/** All interrupt numbers of a machine, handed out at run time. */
export class IrqTable {
  /** Numbers that can be handed out, as NR_IRQS; it sets the width of columns in /proc/interrupts. */
  readonly nrIrqs = 512;
  /** What a new line's affinity is, as /proc/irq/default_smp_affinity has it (irq_default_affinity). */
  defaultAffinity: number;
  /** Interrupts that no line answers for (irq_err_count). */
  errCount = 0;
  readonly arch: Arch;
  readonly spurious: SpuriousPoll;
  readonly #stormLimits: StormLimits | undefined;
  readonly #machine: Machine;
  readonly #descs: (IrqDesc | undefined)[] = [];

  constructor(machine: Machine, options: MachineOptions = {}) {
    this.#machine = machine;
    this.defaultAffinity = initialAffinity(options.irqaffinity, machine.cpus.length);
    this.arch = options.arch ?? 'arm64';
    this.spurious = new SpuriousPoll(machine, options);
    this.#stormLimits = options.stormGuard === undefined ? undefined : checkStormLimits(options.stormGuard);
  }

  /** A new descriptor on the lowest free number. `ENOSPC` when all are taken. */
  alloc(domain: IrqDomain | undefined, hwirq: number): IrqDesc {
    let irq = FIRST_IRQ;
    while (this.#descs[irq] !== undefined) irq++;
    if (irq >= this.nrIrqs) throw new KernelError('ENOSPC', `all ${this.nrIrqs} interrupt numbers are taken`);
    const desc = new IrqDesc(this.#machine, irq, domain, hwirq);
    if (this.#stormLimits !== undefined) setStormGuard(desc, this.#stormLimits);
    this.#descs[irq] = desc;
    irqSysfsAdd(desc);
    return desc;
  }

  /** Gives a number back. `EBUSY` while an action is on it. */
  free(desc: IrqDesc): void {
    if (desc.actions.length > 0) throw new KernelError('EBUSY', `irq ${desc.irq} still has an action`);
    unregisterIrqProc(desc);
    irqSysfsDel(desc);
    this.#descs[desc.irq] = undefined;
  }

  find(irq: number): IrqDesc | undefined {
    return this.#descs[irq];
  }

  /** The descriptor of a number. `EINVAL` for one that was not handed out. */
  get(irq: number): IrqDesc {
    const desc = this.#descs[irq];
    if (desc !== undefined) return desc;
    throw new KernelError('EINVAL', `irq ${irq}: no such interrupt`, {
      hint: 'numbers are handed out at run time, by IrqDomain.createMapping() or gpiodToIrq()',
    });
  }

  *[Symbol.iterator](): Generator<IrqDesc> {
    for (const desc of this.#descs) if (desc !== undefined) yield desc;
  }
}
