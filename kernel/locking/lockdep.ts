// lockdep: learns in which contexts and orders locks are taken, and reports what could deadlock before it does.
import { HARDIRQ_MASK, SOFTIRQ_MASK, SOFTIRQ_OFFSET } from '../sched/preempt.js';
import type { Task } from '../sched/task.js';
import type { LockContext } from './context.js';
import { connect, search } from './graph.js';
import { type HeldLock, LD_WAIT_INV, LockChain, LockClass, type LockMap, type ReadMode } from './held.js';
import { herePlace, type Place, placeName } from './place.js';
import * as report from './report.js';
import {
  conflicting,
  conflictingMask,
  effectiveUsage,
  enabledMask,
  firstUse,
  flag,
  HARDIRQ,
  isEnabledBit,
  isReadBit,
  LOCK_USED,
  SOFTIRQ,
  takenWith,
  USAGE_BITS,
  usedIn,
  usedInMask,
} from './usage.js';

/** First of the pseudo-addresses that tell locks of one class apart in reports. */
const FIRST_ADDRESS = 0x0100_0000;
const LOCK_SIZE = 0x40;
/**
 * Of each way to take a lock so many places are kept exactly. Later ones are taken for the last of them, which saves the
 * most expensive part of a taking where it is taken often; what is new is always kept exactly.
 */
const EXACT_PLACES = 64;

/** How a lock is being taken. */
export interface Taking {
  readonly read?: ReadMode;
  readonly trylock?: boolean;
  /** Tells apart locks of one class that are rightly taken inside each other; 0 to 7. */
  readonly subclass?: number;
  /** Where; default: here. */
  readonly place?: Place;
}

/**
 * The validator of one machine, there unless the machine was made with `lockdep: false`. What it reports need not have
 * happened: it is enough that each half was seen once. As the kernel's, it is silent after its first report, since what
 * comes after a broken rule proves nothing.
 *
 * ```ts
 * const machine = new Machine({ printk: (level, text) => console.log(text) });
 * machine.runTask(function* () {
 *   yield* mutexLock(a);
 *   yield* mutexLock(b);
 *   mutexUnlock(b);
 *   mutexUnlock(a);
 *   yield* mutexLock(b);
 *   yield* mutexLock(a);                            // WARNING: possible circular locking dependency detected
 * });
 * ```
 */
export class Lockdep {
  /** No report yet (debug_locks). */
  on = true;
  readonly #classes = new Map<string, LockClass>();
  readonly #names = new Map<string, number>();
  readonly #root = new LockChain();
  #locks = 0;

  /** The current context is about to take a lock, and may wait for it (lock_acquire). */
  acquire(cpu: LockContext, map: LockMap, taking: Taking = {}): void {
    if (!this.on) return;
    const { read = 0, trylock = false, subclass = 0 } = taking;
    const task = cpu.current;
    const cls = this.#classOf(map, subclass);
    const held: HeldLock = {
      map,
      cls,
      place: taking.place ?? this.#placeOf(cpu, this.#chainOf(cpu, cls, read), cls, read),
      read,
      trylock,
      irqContext: irqContextOf(cpu),
      hardirqsOff: !cpu.irqsEnabled,
      chain: this.#root,
    };
    if (this.#push(cpu, task, held)) task.heldLocks.push(held);
  }

  /** The place to hand to {@link acquire}, from a caller that calls it only later, when its stack is gone. */
  placeOf(cpu: LockContext, map: LockMap, subclass: number): Place {
    const cls = this.#classOf(map, subclass);
    return this.#placeOf(cpu, this.#chainOf(cpu, cls, 0), cls, 0);
  }

  /** The current context gives a lock back (lock_release). */
  release(cpu: LockContext, map: LockMap): void {
    if (!this.on) return;
    const { heldLocks } = cpu.current;
    const top = heldLocks.at(-1);
    if (top !== undefined && top.map === map) {
      heldLocks.pop();
      return;
    }
    const at = heldLocks.findLastIndex((held) => held.map === map);
    if (at < 0) {
      this.on = false;
      this.#classOf(map, 0);
      report.badUnlockBalance(cpu, map, herePlace());
      return;
    }
    // What was taken inside is now taken without this one around it, which is an order of its own.
    const above = heldLocks.splice(at);
    for (const held of above.slice(1)) {
      if (!this.on || !this.#push(cpu, cpu.current, held)) return;
      heldLocks.push(held);
    }
  }

  /** Interrupts are being enabled: held locks are now held with interrupts on (lockdep_hardirqs_on). */
  hardirqsOn(cpu: LockContext): void {
    if (!this.on) return;
    if ((cpu.preemptCount & HARDIRQ_MASK) !== 0) {
      this.warn(cpu, 'lockdep_hardirq_context()', 'lockdep_hardirqs_on_prepare');
      return;
    }
    this.#markAll(cpu, HARDIRQ);
    if ((cpu.preemptCount & SOFTIRQ_MASK) === 0) this.#markAll(cpu, SOFTIRQ);
  }

  /** Softirqs are being enabled where interrupts are to be on: held locks are now held with softirqs on (lockdep_softirqs_on). */
  softirqsOn(cpu: LockContext): void {
    if (this.on) this.#markAll(cpu, SOFTIRQ);
  }

  /** A task ends (debug_check_no_locks_held). */
  checkExit(cpu: LockContext, task: Task): void {
    if (!this.on || task.heldLocks.length === 0) return;
    this.on = false;
    report.stillHeldAtExit(cpu, task);
  }

  /** A lock's own check failed, in the kernel function `where` (DEBUG_LOCKS_WARN_ON). */
  warn(cpu: LockContext, condition: string, where: string): void {
    if (!this.on) return;
    this.on = false;
    cpu.machine.warn(`DEBUG_LOCKS_WARN_ON(${condition})`, where);
  }

  /** The current context holds the lock (lockdep_is_held). */
  holds(cpu: LockContext, map: LockMap): boolean {
    return cpu.current.heldLocks.some((held) => held.map === map);
  }

  /** Held locks of a task, as the kernel adds them to other reports (debug_show_held_locks). */
  heldLines(task: Task): string[] {
    return this.on ? report.heldLines(task) : ['INFO: lockdep is turned off.'];
  }

  #classOf(map: LockMap, subclass: number): LockClass {
    if (map.lockdep !== this) {
      map.lockdep = this;
      map.address = `ffff8880${(FIRST_ADDRESS + this.#locks++ * LOCK_SIZE).toString(16).padStart(8, '0')}`;
      map.classes.length = 0;
    }
    let cls = map.classes[subclass];
    if (cls === undefined) {
      cls = this.#lookUpClass(map, subclass);
      map.classes[subclass] = cls;
    }
    return cls;
  }

  /** Costs a look at the place where the lock was made, so it is done once for each lock. */
  #lookUpClass(map: LockMap, subclass: number): LockClass {
    const shown = subclass === 0 ? map.name : `${map.name}/${subclass}`;
    const key = `${shown} ${placeName(map.definedAt)}`;
    let cls = this.#classes.get(key);
    if (cls === undefined) {
      const version = (this.#names.get(shown) ?? 0) + 1;
      this.#names.set(shown, version);
      const name = version === 1 ? shown : `${map.name}#${version}${shown.slice(map.name.length)}`;
      cls = new LockClass(this.#classes.size, name, map.waitType, map.definedAt);
      this.#classes.set(key, cls);
    }
    return cls;
  }

  #chainOf(cpu: LockContext, cls: LockClass, read: ReadMode): LockChain {
    const { heldLocks } = cpu.current;
    const top = heldLocks.at(-1);
    const around = top !== undefined && top.irqContext === irqContextOf(cpu) ? top.chain : this.#root;
    return around.next(cls, read);
  }

  #placeOf(cpu: LockContext, chain: LockChain, cls: LockClass, read: ReadMode): Place {
    const usage = usageMask(cpu, read);
    if (chain.place !== undefined && chain.places >= EXACT_PLACES && (cls.usage & usage) === usage) return chain.place;
    chain.places++;
    chain.place = herePlace();
    return chain.place;
  }

  /** The checks of one taking; false when it was reported. */
  #push(cpu: LockContext, task: Task, held: HeldLock): boolean {
    held.chain = this.#chainOf(cpu, held.cls, held.read);
    if (!this.#checkWaitContext(cpu, task, held)) return false;
    const usage = usageMask(cpu, held.read);
    if ((held.cls.usage & usage) !== usage && !this.#markTaking(cpu, held)) return false;
    if (held.trylock || held.chain.checked) return true;
    held.chain.checked = true;
    return this.#checkOrder(cpu, task, held);
  }

  #checkWaitContext(cpu: LockContext, task: Task, held: HeldLock): boolean {
    if (held.trylock || held.cls.waitType === LD_WAIT_INV) return true;
    const taskContext = report.taskWaitContext((cpu.preemptCount & (HARDIRQ_MASK | SOFTIRQ_OFFSET)) !== 0);
    let inner = taskContext;
    for (const other of task.heldLocks) {
      const { waitType } = other.cls;
      if (other.irqContext === held.irqContext && waitType !== LD_WAIT_INV) inner = Math.min(inner, waitType);
    }
    if (held.cls.waitType <= inner) return true;
    this.on = false;
    report.invalidWaitContext(cpu, held, taskContext);
    return false;
  }

  #markTaking(cpu: LockContext, held: HeldLock): boolean {
    const { read, irqContext } = held;
    if (!held.trylock) {
      if ((irqContext & 2) !== 0 && !this.#mark(cpu, held, usedIn(HARDIRQ, read))) return false;
      if ((irqContext & 1) !== 0 && !this.#mark(cpu, held, usedIn(SOFTIRQ, read))) return false;
    }
    if (!held.hardirqsOff) {
      if (!this.#mark(cpu, held, takenWith(HARDIRQ, read))) return false;
      const softirqsOn = (cpu.preemptCount & SOFTIRQ_MASK) === 0;
      if (softirqsOn && !this.#mark(cpu, held, takenWith(SOFTIRQ, read))) return false;
    }
    return this.#mark(cpu, held, firstUse(read));
  }

  #markAll(cpu: LockContext, state: number): void {
    for (const held of cpu.current.heldLocks) {
      if (!this.#mark(cpu, held, takenWith(state, held.read))) return;
    }
  }

  #mark(cpu: LockContext, held: HeldLock, bit: number): boolean {
    const { cls } = held;
    if ((cls.usage & flag(bit)) !== 0) return true;
    cls.usage |= flag(bit);
    cls.usagePlaces[bit] = held.place;
    return bit >= LOCK_USED || this.#checkUsage(cpu, held, bit);
  }

  /** A new usage must not conflict with the class's others, nor with those of the classes that it is connected with. */
  #checkUsage(cpu: LockContext, held: HeldLock, bit: number): boolean {
    const { cls } = held;
    const bad = conflicting(bit);
    const badRead = bad | 1;
    for (const old of isReadBit(bit) ? [bad] : [bad, badRead]) {
      if ((cls.usage & flag(old)) === 0) continue;
      this.on = false;
      report.inconsistentState(cpu, held, old, bit);
      return false;
    }
    const mask = flag(bad) | flag(badRead);
    const forwards = !isEnabledBit(bit);
    const onlyRecursive = forwards ? held.read === 2 : held.read !== 0;
    const other = search(cls, onlyRecursive, forwards ? 'after' : 'before', (node) => {
      return node.cls !== cls && (effectiveUsage(node.cls, node.onlyRecursive) & mask) !== 0;
    });
    if (other === undefined) return true;
    this.on = false;
    report.irqInversion(cpu, held, other, (other.cls.usage & flag(bad)) !== 0 ? bad : badRead, forwards);
    return false;
  }

  /** A sequence of held locks that was not seen before. */
  #checkOrder(cpu: LockContext, task: Task, next: HeldLock): boolean {
    let recursiveReader = false;
    for (const held of task.heldLocks) {
      if (held.cls !== next.cls) continue;
      if (next.read === 2 && held.read !== 0) {
        recursiveReader = true;
        continue;
      }
      this.on = false;
      report.recursiveLocking(cpu, next, held);
      return false;
    }
    if (recursiveReader) return true;
    for (let i = task.heldLocks.length - 1; i >= 0; i--) {
      const previous = task.heldLocks[i];
      if (previous === undefined || previous.irqContext !== next.irqContext) return true;
      if (!this.#checkDependency(cpu, previous, next)) return false;
      // One that waits for nobody added no order of its own: go on to the one around it.
      if (!previous.trylock) return true;
    }
    return true;
  }

  #checkDependency(cpu: LockContext, previous: HeldLock, next: HeldLock): boolean {
    const back = search(next.cls, next.read === 2, 'after', (node) => {
      return node.cls === previous.cls && (previous.read === 0 || !node.onlyRecursive);
    });
    if (back !== undefined) {
      this.on = false;
      report.circularDependency(cpu, next, previous, back);
      return false;
    }
    if (!this.#checkIrqOrder(cpu, previous, next)) return false;
    connect(previous.cls, next.cls, previous.read, next.read, next.place);
    return true;
  }

  #checkIrqOrder(cpu: LockContext, previous: HeldLock, next: HeldLock): boolean {
    let around = 0;
    search(previous.cls, previous.read !== 0, 'before', (node) => {
      around |= usedInMask(effectiveUsage(node.cls, node.onlyRecursive));
      return false;
    });
    if (around === 0) return true;
    const bad = conflictingMask(around);
    const unsafe = search(next.cls, next.read === 2, 'after', (node) => {
      return (effectiveUsage(node.cls, node.onlyRecursive) & bad) !== 0;
    });
    if (unsafe === undefined) return true;
    const wanted = conflictingMask(enabledMask(unsafe.cls.usage));
    const safe = search(previous.cls, previous.read !== 0, 'before', (node) => {
      return (effectiveUsage(node.cls, node.onlyRecursive) & wanted) !== 0;
    });
    const bits = safe === undefined ? undefined : exclusivePair(safe.cls.usage, unsafe.cls.usage);
    if (safe === undefined || bits === undefined) return true;
    this.on = false;
    report.badIrqOrder(cpu, { previous, next, safe, safeBit: bits[0], unsafe, unsafeBit: bits[1] });
    return false;
  }
}

/** Of two usages the first pair that excludes each other. */
function exclusivePair(safe: number, unsafe: number): readonly [number, number] | undefined {
  for (let bit = 0; bit < USAGE_BITS; bit++) {
    if (bit >= LOCK_USED || (usedInMask(safe) & flag(bit)) === 0) continue;
    const other = conflicting(bit);
    if ((unsafe & flag(other)) !== 0) return [bit, other];
    if (!isReadBit(bit) && (unsafe & flag(other | 1)) !== 0) return [bit, other | 1];
  }
  return undefined;
}

function irqContextOf(cpu: LockContext): number {
  const { preemptCount } = cpu;
  return ((preemptCount & HARDIRQ_MASK) === 0 ? 0 : 2) | ((preemptCount & SOFTIRQ_OFFSET) === 0 ? 0 : 1);
}

/** The usage bits that a taking in this context sets. */
function usageMask({ preemptCount, irqsEnabled }: LockContext, read: ReadMode): number {
  let mask = flag(firstUse(read));
  if ((preemptCount & HARDIRQ_MASK) !== 0) mask |= flag(usedIn(HARDIRQ, read));
  if ((preemptCount & SOFTIRQ_OFFSET) !== 0) mask |= flag(usedIn(SOFTIRQ, read));
  if (!irqsEnabled) return mask;
  mask |= flag(takenWith(HARDIRQ, read));
  return (preemptCount & SOFTIRQ_MASK) === 0 ? mask | flag(takenWith(SOFTIRQ, read)) : mask;
}
