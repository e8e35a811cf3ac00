// What spinlocks and rwlocks share: who holds them, who spins for them and in which order, and when that can never end.
import { KernelError } from '../errno.js';
import { type Frame, Request, type Unstarted } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { inInterrupt, runningCpu } from '../sched/current.js';
import type { Task } from '../sched/task.js';
import type { Alarm } from '../time/clock.js';
import { LD_WAIT_SPIN, LockMap } from './held.js';
import { herePlace, placeFrames } from './place.js';

/** After this long a CPU that spins is reported (watchdog_thresh × 2, and the time until the watchdog looks). */
const SOFT_LOCKUP_S = 22;
const NS_PER_S = 1_000_000_000;

/**
 * What a locking call returns: taken already, unless another CPU has the lock; then `yield*` spins until it is ours.
 * A plain function, which cannot wait, may leave it alone: the call throws when it would have to.
 */
export interface Acquiring<R> {
  [Symbol.iterator](): Iterator<number, R, unknown>;
}

/** Taken at once; made once for each result, so that an uncontended lock allocates nothing. */
export class Taken<R> implements Acquiring<R>, Iterator<number, R, unknown> {
  readonly value: R;
  readonly #result: { readonly done: true; readonly value: R };

  constructor(value: R) {
    this.value = value;
    this.#result = { done: true, value };
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): { readonly done: true; readonly value: R } {
    return this.#result;
  }
}

/** The running CPU. An async function has none after an `await`: what it does then is not atomic, so it holds no spinlock. */
export function spinningCpu(lock: SpinCore): Cpu {
  const cpu = runningCpu();
  if (cpu !== undefined) {
    if (cpu.unstarted !== undefined) throw cpu.unstarted.abandon();
    return cpu;
  }
  throw new KernelError('EPERM', `${lock.kind} ${lock.map.name} used outside of the model or behind an await`, {
    hint: 'take spinlocks in plain or generator functions; an async function takes a mutex',
  });
}

interface Holder {
  readonly cpu: Cpu;
  readonly task: Task;
}

/** What each spinning activation waits for. */
const waiting = new WeakMap<Frame, SpinWaiter<unknown>>();

/** One activation that spins, from the call until the lock is its own. */
export class SpinWaiter<R> implements Acquiring<R>, Iterator<number, R, unknown>, Unstarted {
  readonly awaitable = false;
  readonly value: R;
  readonly lock: SpinCore;
  readonly cpu: Cpu;
  readonly task: Task;
  readonly read: boolean;
  readonly frame: Frame;
  readonly #undo: () => void;
  readonly #watchdog: Alarm;
  #granted = false;

  constructor(lock: SpinCore, cpu: Cpu, frame: Frame, read: boolean, value: R, undo: () => void) {
    this.lock = lock;
    this.cpu = cpu;
    this.task = cpu.current;
    this.frame = frame;
    this.read = read;
    this.value = value;
    this.#undo = undo;
    this.#watchdog = cpu.machine.clock.createAlarm(() => this.#lockup());
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<number, R> {
    this.cpu.unstarted = undefined;
    if (this.#granted) return { done: true, value: this.value };
    waiting.set(this.frame, this);
    const { lock, task } = this;
    if (this.frame === task.frame) {
      task.blockedOn = { describe: `${lock.kind} ${lock.map.name}`, map: lock.map, owner: lock.owner };
    }
    this.#watchdog.schedule(this.cpu.machine.clock.now() + SOFT_LOCKUP_S * NS_PER_S);
    return { done: false, value: Request.spin };
  }

  grant(): void {
    this.#granted = true;
    this.#watchdog.cancel();
    waiting.delete(this.frame);
    this.frame.spinning = false;
    if (this.frame === this.task.frame) this.task.blockedOn = undefined;
    this.cpu.kick();
  }

  abandon(): KernelError {
    this.cpu.unstarted = undefined;
    this.lock.leave(this);
    this.#undo();
    return contended(this.lock);
  }

  #lockup(): void {
    const { cpu, task } = this;
    cpu.machine.tainted = true;
    cpu.machine.printk(
      'emerg',
      [
        `watchdog: BUG: soft lockup - CPU#${cpu.id} stuck for ${SOFT_LOCKUP_S}s! [${task.comm}:${task.pid}]`,
        waitText(this),
      ].join('\n'),
    );
  }
}

function contended(lock: SpinCore): KernelError {
  return new KernelError('EAGAIN', `${lock.kind} ${lock.map.name} is held by ${lock.holdersText()}`, {
    hint: 'a plain function cannot spin: make it a generator function and write yield* before the call',
  });
}

function waitText(waiter: SpinWaiter<unknown>): string {
  const { cpu, task, lock } = waiter;
  return ` CPU#${cpu.id} (${task.comm}/${task.pid}) spins for ${lock.kind} ${lock.map.name}, held by ${lock.holdersText()}`;
}

/** State of a lock that is waited for by spinning. */
export class SpinCore {
  readonly map: LockMap;
  readonly kind: string;
  /** The one that has it exclusively. */
  ownerCpu: Cpu | undefined;
  owner: Task | undefined;
  /** Those that share it. */
  readonly readers: Holder[] = [];
  readonly #queue: SpinWaiter<unknown>[] = [];

  constructor(kind: string, name: string) {
    this.kind = kind;
    this.map = new LockMap(name, LD_WAIT_SPIN, herePlace());
  }

  get locked(): boolean {
    return this.ownerCpu !== undefined || this.readers.length > 0;
  }

  get contended(): boolean {
    return this.#queue.length > 0;
  }

  /** Takes it if nobody is in the way; interrupts pass by others that wait to share it, not by those that have it. */
  tryTake(cpu: Cpu, read: boolean): boolean {
    if (this.ownerCpu !== undefined) return false;
    if (read) {
      if (this.#queue.length > 0 && !inInterrupt()) return false;
      this.readers.push({ cpu, task: cpu.current });
      return true;
    }
    if (this.readers.length > 0 || this.#queue.length > 0) return false;
    this.#own(cpu, cpu.current);
    return true;
  }

  /** Joins the queue of a lock that {@link tryTake} could not take. `undo` restores what the call had changed. */
  wait<R>(cpu: Cpu, read: boolean, value: R, undo: () => void): SpinWaiter<R> {
    const frame = cpu.executing;
    const holder = this.#heldOn(cpu);
    if (holder !== undefined) {
      undo();
      throw this.#recursion(cpu, holder);
    }
    if (frame === undefined) {
      undo();
      throw contended(this);
    }
    const waiter = new SpinWaiter(this, cpu, frame, read, value, undo);
    const circle = this.#circle(cpu, new Set());
    if (circle !== undefined) {
      undo();
      throw lockup(waiter, circle);
    }
    this.#queue.push(waiter);
    cpu.unstarted = waiter;
    return waiter;
  }

  leave(waiter: SpinWaiter<unknown>): void {
    const at = this.#queue.indexOf(waiter);
    if (at >= 0) this.#queue.splice(at, 1);
  }

  /** Gives an exclusively held lock back; the first in the queue has it from now on. */
  release(): void {
    this.ownerCpu = undefined;
    this.owner = undefined;
    if (this.#queue.length > 0) this.#grant();
  }

  releaseRead(cpu: Cpu): void {
    const at = this.readers.findLastIndex((holder) => holder.cpu === cpu);
    this.readers.splice(Math.max(at, 0), 1);
    if (this.#queue.length > 0) this.#grant();
  }

  holdersText(): string {
    const holders = [...this.readers];
    if (this.ownerCpu !== undefined && this.owner !== undefined) holders.push({ cpu: this.ownerCpu, task: this.owner });
    return holders.map(({ cpu, task }) => `CPU#${cpu.id} (${task.comm}/${task.pid})`).join(' and ') || 'nobody';
  }

  #own(cpu: Cpu, task: Task): void {
    this.ownerCpu = cpu;
    this.owner = task;
  }

  #grant(): void {
    for (let first = this.#queue[0]; first !== undefined && this.ownerCpu === undefined; first = this.#queue[0]) {
      if (!first.read) {
        if (this.readers.length > 0) return;
        this.#own(first.cpu, first.task);
      } else {
        this.readers.push({ cpu: first.cpu, task: first.task });
      }
      this.#queue.shift();
      first.grant();
    }
  }

  /** Who on this CPU has it, and cannot give it back while the CPU spins. */
  #heldOn(cpu: Cpu): Task | undefined {
    if (this.ownerCpu === cpu) return this.owner;
    return this.ownerCpu === undefined && this.#queue.length === 0
      ? this.readers.find((holder) => holder.cpu === cpu)?.task
      : undefined;
  }

  /** The text of debug_spin_lock_before: the CPU would spin for what it has itself. */
  #recursion(cpu: Cpu, owner: Task): KernelError {
    const { current, machine } = cpu;
    const what = owner === current ? 'recursion' : 'cpu recursion';
    const message = `BUG: ${this.kind} ${what} on CPU#${cpu.id}, ${current.comm}/${current.pid}`;
    machine.tainted = true;
    machine.printk(
      'emerg',
      [
        message,
        ` lock: ${this.map.name}, .magic: dead4ead, .owner: ${owner.comm}/${owner.pid}, .owner_cpu: ${cpu.id}`,
        ...placeFrames(herePlace()).map((frame) => ` ${frame}`),
      ].join('\n'),
    );
    return new KernelError(
      'EDEADLK',
      `${message}: it would spin for ever for ${this.map.name}, which it holds itself`,
      {
        hint: 'if a handler takes the lock too, take it with spinLockIrqsave() everywhere else',
      },
    );
  }

  /** The waiters that lead from this lock back to `cpu`, each on a CPU that does nothing but spin. */
  #circle(cpu: Cpu, seen: Set<SpinCore>): SpinWaiter<unknown>[] | undefined {
    if (seen.has(this)) return undefined;
    seen.add(this);
    const inTheWay = new Set([...this.readers, ...this.#queue].map((holder) => holder.cpu));
    if (this.ownerCpu !== undefined) inTheWay.add(this.ownerCpu);
    for (const other of inTheWay) {
      if (other === cpu) return [];
      const waiter = waiting.get(other.activation);
      if (waiter === undefined) continue;
      const rest = waiter.lock.#circle(cpu, seen);
      if (rest !== undefined) return [waiter, ...rest];
    }
    return undefined;
  }
}

/** CPUs that spin for each other's locks: the one that closes the circle is told, and does not join it. */
function lockup(last: SpinWaiter<unknown>, circle: SpinWaiter<unknown>[]): KernelError {
  const { cpu, task } = last;
  const lines = [last, ...circle].map(waitText);
  const message = `BUG: spinlock lockup on CPU#${cpu.id}, ${task.comm}/${task.pid}`;
  cpu.machine.tainted = true;
  cpu.machine.printk('emerg', [message, ...lines, ...placeFrames(herePlace()).map((frame) => ` ${frame}`)].join('\n'));
  return new KernelError('EDEADLK', [`${message}: CPUs spin for each other's locks`, ...lines].join('\n'), {
    hint: 'take the locks in the same order everywhere',
  });
}
