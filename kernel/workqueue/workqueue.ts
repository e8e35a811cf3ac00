// Workqueues: made, changed and known by name; what they are made of is here, what is done with them in the other files (alloc_workqueue).
import { KernelError } from '../errno.js';
import { ListHead, listDelInit } from '../lib/list.js';
import type { LockMap } from '../locking/held.js';
import { herePlace, type Place } from '../locking/place.js';
import type { Machine } from '../machine.js';
import { runningCpu, thisCpu } from '../sched/current.js';
import type { WorkqueueAttrs } from './attrs.js';
import {
  __WQ_BH_ALLOWS,
  __WQ_LEGACY,
  __WQ_ORDERED,
  WQ_BH,
  WQ_DFL_ACTIVE,
  WQ_DFL_MIN_ACTIVE,
  WQ_FREEZABLE,
  WQ_HIGHPRI,
  WQ_MAX_ACTIVE,
  WQ_MEM_RECLAIM,
  WQ_POWER_EFFICIENT,
  WQ_SYSFS,
  WQ_UNBOUND,
} from './flags.js';
import type { Flusher } from './flush-workqueue.js';
import { NodeNrActive, PoolWorkqueue } from './pwq.js';
import { Rescuer } from './rescuer.js';
import { workqueueSysfsRegister } from './sysfs.js';
import { applyAttrs } from './unbound.js';

/** Length of a queue's name, with the end mark. */
const WQ_NAME_LEN = 32;
/** max_active of a WQ_BH queue: there is nothing to limit. */
const INT_MAX = 0x7fff_ffff;

/**
 * A workqueue (struct workqueue_struct). Made by {@link allocWorkqueue} and its like.
 *
 * It belongs to the machine in whose context it was made; one that was made outside of any, to the machine where it is used
 * first.
 */
export class Workqueue {
  readonly name: string;
  flags: number;
  /** Items that may be active at once: on each CPU, or of an unbound queue in all. 0 while it is frozen. */
  maxActive: number;
  minActive: number;
  /** What they are when it is not frozen. */
  savedMaxActive: number;
  savedMinActive: number;
  /** Of an unbound queue: what was asked for. */
  unboundAttrs: WorkqueueAttrs | undefined;
  machine: Machine | undefined;
  /** `name` in the machine's trace. */
  nameId = 0;
  /** Its parts: all of them, oldest first; that for items queued on a CPU; and of an unbound queue the one for all its CPUs. */
  readonly pwqs = new Set<PoolWorkqueue>();
  readonly cpuPwqs: PoolWorkqueue[] = [];
  dflPwq: PoolWorkqueue | undefined;
  readonly nodeNrActive = new NodeNrActive();
  /** What new items get, and what is waited for now: see flushWorkqueue(). */
  workColor = 0;
  flushColor = 0;
  nrPwqsToFlush = 0;
  firstFlusher: Flusher | undefined;
  flusherQueue: Flusher[] = [];
  flusherOverflow: Flusher[] = [];
  nrDrainers = 0;
  /** Of a WQ_MEM_RECLAIM queue; and the parts of the queue that call for it. */
  rescuer: Rescuer | undefined;
  readonly maydays = new ListHead<PoolWorkqueue>();
  inSysfs = false;
  /** For lockdep: see lock-maps.ts. */
  lockMap: LockMap | undefined;
  readonly madeAt: Place = herePlace();
  /** What was wrong with the calls that made or changed it, until there is a log. */
  readonly #warnings: string[] = [];
  /** Its name was cut, which is told once for all. */
  readonly #cut: boolean;

  constructor(name: string, flags: number, maxActive: number) {
    this.name = name.slice(0, WQ_NAME_LEN - 1);
    this.#cut = name.length >= WQ_NAME_LEN;
    this.flags = flags;
    const max = (flags & WQ_BH) === 0 ? this.#clamp(maxActive === 0 ? WQ_DFL_ACTIVE : maxActive) : INT_MAX;
    this.maxActive = max;
    this.minActive = Math.min(max, WQ_DFL_MIN_ACTIVE);
    this.savedMaxActive = max;
    this.savedMinActive = this.minActive;
  }

  /** max_active as it may be: 1 to 512. Any other is told when there is a log. `EINVAL` for what is no integer. */
  #clamp(maxActive: number): number {
    checkInteger(this, 'max_active', maxActive);
    const clamped = Math.min(Math.max(maxActive, 1), WQ_MAX_ACTIVE);
    if (clamped !== maxActive) {
      this.#warnings.push(
        `workqueue: max_active ${maxActive} requested for ${this.name} is out of range, clamping between 1 and ${WQ_MAX_ACTIVE}`,
      );
    }
    return clamped;
  }

  get unbound(): boolean {
    return (this.flags & WQ_UNBOUND) !== 0;
  }

  /** The machine that it belongs to, from now on if it had none. */
  get owner(): Machine {
    return this.machine ?? this.attach(thisCpu().machine);
  }

  /** The part of it for items that are queued on a CPU. */
  pwqOn(cpuId: number): PoolWorkqueue {
    const pwq = this.cpuPwqs[cpuId] ?? (this.machine === undefined ? this.#attached(cpuId) : undefined);
    if (pwq !== undefined) return pwq;
    throw new KernelError('EINVAL', `workqueue ${this.name}: no CPU ${cpuId}`);
  }

  #attached(cpuId: number): PoolWorkqueue | undefined {
    this.attach(thisCpu().machine);
    return this.cpuPwqs[cpuId];
  }

  /** Makes it belong to a machine: gives it its part in each pool, its rescuer and its files. */
  attach(machine: Machine): Machine {
    const { workqueues } = machine;
    this.machine = machine;
    this.nameId = machine.trace.intern(this.name);
    this.#tell();
    if ((this.flags & WQ_POWER_EFFICIENT) !== 0 && workqueues.powerEfficient) this.flags |= WQ_UNBOUND;
    if ((this.flags & WQ_SYSFS) !== 0) workqueueSysfsRegister(this);
    const highpri = (this.flags & WQ_HIGHPRI) !== 0;
    if (this.unbound) {
      applyAttrs(this, workqueues.defaultAttrs(highpri, (this.flags & __WQ_ORDERED) !== 0));
    } else {
      const bh = (this.flags & WQ_BH) !== 0;
      for (const { id } of machine.cpus)
        this.cpuPwqs[id] = this.link(new PoolWorkqueue(this, workqueues.cpuPool(id, highpri, bh)));
    }
    this.adjustMaxActive();
    workqueues.all.add(this);
    if ((this.flags & WQ_MEM_RECLAIM) !== 0) this.#addRescuer(machine);
    return machine;
  }

  #addRescuer(machine: Machine): void {
    this.rescuer = new Rescuer(this, machine.workqueues.cpuPool(0, false, false));
    this.rescuer.start();
  }

  /** Says what was wrong with the call that made it, or changed it. */
  #tell(): void {
    if (this.machine === undefined) return;
    if (this.#cut && this.machine.workqueues.tellsCutName()) {
      this.machine.printk('warning', `workqueue: name exceeds WQ_NAME_LEN. Truncating to: ${this.name}`);
    }
    for (const warning of this.#warnings.splice(0)) this.machine.printk('warning', warning);
  }

  /** Makes a part of it known: flushes look at it from now on (link_pwq). */
  link(pwq: PoolWorkqueue): PoolWorkqueue {
    if (this.pwqs.has(pwq)) return pwq;
    pwq.workColor = this.workColor;
    this.pwqs.add(pwq);
    return pwq;
  }

  /** CPUs on which its workers may run. */
  effectiveCpumask(machine: Machine): number {
    return this.dflPwq?.pool.attrs.podCpumask ?? machine.cpuMask;
  }

  /** Applies max_active as it was asked for, or 0 while the queue is frozen, and lets items start (wq_adjust_max_active). */
  adjustMaxActive(): void {
    const frozen = (this.flags & WQ_FREEZABLE) !== 0 && this.machine?.workqueues.freezing === true;
    const max = frozen ? 0 : this.savedMaxActive;
    const min = frozen ? 0 : this.savedMinActive;
    this.nodeNrActive.max = max;
    if (this.maxActive === max && this.minActive === min) return;
    this.maxActive = max;
    this.minActive = min;
    if (max === 0) return;
    // Linux 6.12 forgets this: what was queued while frozen, and cancelled, left its part waiting, and nobody would wake that.
    for (const pwq of this.pwqs) if (pwq.inactiveWorks.empty) listDelInit(pwq.pendingNode);
    let activated = true;
    while (activated) {
      activated = false;
      for (const pwq of this.pwqs) {
        if (!pwq.activateFirstInactive(true)) continue;
        activated = true;
        pwq.pool.kick();
      }
    }
  }

  setMaxActive(maxActive: number): void {
    const max = this.#clamp(maxActive);
    this.#tell();
    this.savedMaxActive = max;
    if (this.unbound) this.savedMinActive = Math.min(this.savedMinActive, max);
    this.adjustMaxActive();
  }
}

function checkInteger(wq: Workqueue, what: string, value: number): void {
  if (!Number.isInteger(value)) throw new KernelError('EINVAL', `workqueue ${wq.name}: ${what} ${value} is no integer`);
}

/** `%s`, `%d`, `%u`, `%x` and `%%` of a format. */
function format(fmt: string, args: readonly (string | number)[]): string {
  let at = 0;
  return fmt.replace(/%([sdux%])/g, (_, kind: string) => {
    if (kind === '%') return '%';
    const value = args[at++] ?? '';
    return kind === 'x' ? Number(value).toString(16) : String(value);
  });
}

/**
 * Makes a workqueue (alloc_workqueue). Process context; or outside of any, for a queue of the machine where it is used first.
 *
 * @param fmt its name, with `%s`, `%d` and `%x` for `args`; cut to 31 characters
 * @param flags WQ_, or-ed
 * @param maxActive items of it that may be active at once, on one CPU or, with WQ_UNBOUND, in all: 1 to 512, and 0 for 256;
 *   what is out of range is clamped, with a warning
 * @throws KernelError EINVAL where the kernel warns and returns NULL: WQ_BH with anything but WQ_HIGHPRI, or with a max_active;
 *   an ordered queue with WQ_SYSFS
 */
export function allocWorkqueue(
  fmt: string,
  flags: number,
  maxActive: number,
  ...args: readonly (string | number)[]
): Workqueue {
  const name = format(fmt, args);
  const machine = runningCpu()?.machine;
  if ((flags & WQ_BH) !== 0 && ((flags & ~__WQ_BH_ALLOWS) !== 0 || maxActive !== 0)) {
    machine?.warnOnce('__alloc_workqueue', '', '__alloc_workqueue');
    throw new KernelError('EINVAL', `workqueue ${name}: WQ_BH goes with WQ_HIGHPRI only, and with max_active 0`);
  }
  const wq = new Workqueue(name, flags, maxActive);
  if (machine !== undefined) wq.attach(machine);
  return wq;
}

/**
 * Makes a queue that runs one item at a time, in the order in which they were queued (alloc_ordered_workqueue).
 *
 * @param flags WQ_FREEZABLE, WQ_MEM_RECLAIM and WQ_HIGHPRI have a meaning
 */
export function allocOrderedWorkqueue(fmt: string, flags: number, ...args: readonly (string | number)[]): Workqueue {
  return allocWorkqueue(fmt, WQ_UNBOUND | __WQ_ORDERED | flags, 1, ...args);
}

/** One item at a time on each CPU, with a rescuer (create_workqueue). Old code has it: use {@link allocWorkqueue}. */
export function createWorkqueue(name: string): Workqueue {
  return allocWorkqueue('%s', __WQ_LEGACY | WQ_MEM_RECLAIM, 1, name);
}

/** An ordered queue with a rescuer (create_singlethread_workqueue). Old code has it: use {@link allocOrderedWorkqueue}. */
export function createSinglethreadWorkqueue(name: string): Workqueue {
  return allocOrderedWorkqueue('%s', __WQ_LEGACY | WQ_MEM_RECLAIM, name);
}

/** One item at a time, on any CPU, frozen with the machine, with a rescuer (create_freezable_workqueue). */
export function createFreezableWorkqueue(name: string): Workqueue {
  return allocWorkqueue('%s', __WQ_LEGACY | WQ_FREEZABLE | WQ_UNBOUND | WQ_MEM_RECLAIM, 1, name);
}

/**
 * Changes max_active; what waits may start at once. Not for WQ_BH and ordered queues, which it warns of
 * (workqueue_set_max_active). Process context.
 *
 * @throws KernelError EINVAL for what is no integer
 */
export function workqueueSetMaxActive(wq: Workqueue, maxActive: number): void {
  if ((wq.flags & (WQ_BH | __WQ_ORDERED)) !== 0) wq.owner.warn('', 'workqueue_set_max_active');
  else wq.setMaxActive(maxActive);
}

/**
 * Changes how many items of an unbound queue can count on running at once, 0 to max_active (workqueue_set_min_active). The
 * machine has one node, so max_active of them always can. Warns of any other queue.
 *
 * @throws KernelError EINVAL for what is no integer
 */
export function workqueueSetMinActive(wq: Workqueue, minActive: number): void {
  if ((wq.flags & (WQ_BH | WQ_UNBOUND | __WQ_ORDERED)) !== WQ_UNBOUND) {
    wq.owner.warn('', 'workqueue_set_min_active');
    return;
  }
  checkInteger(wq, 'min_active', minActive);
  wq.savedMinActive = Math.min(Math.max(minActive, 0), wq.savedMaxActive);
  wq.adjustMaxActive();
}
