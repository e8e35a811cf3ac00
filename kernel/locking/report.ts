// What lockdep has to say, in the kernel's words and order, with places in the user's code.
import { HARDIRQ_MASK, SOFTIRQ_MASK, SOFTIRQ_OFFSET } from '../sched/preempt.js';
import type { Task } from '../sched/task.js';
import type { LockContext } from './context.js';
import type { PathNode } from './graph.js';
import { type HeldLock, LD_WAIT_MAX, type LockClass, type LockMap } from './held.js';
import { type Place, placeFrames, placeName } from './place.js';
import { flag, stateName, USAGE_BITS, usageChars, usageName } from './usage.js';

/** Release that the reports name: the one whose rules the model keeps. */
const RELEASE = '6.12.0-gpio-irqd';
const CPU1 = ' '.repeat(31);

/** One report: its lines, and who made it. */
export class Report {
  readonly #lines: string[] = [];
  readonly #cpu: LockContext;
  readonly #task: Task;

  constructor(cpu: LockContext) {
    this.#cpu = cpu;
    this.#task = cpu.current;
  }

  add(...lines: string[]): this {
    this.#lines.push(...lines);
    return this;
  }

  /** The title between its rules, after an empty line. */
  title(text: string, width = text.length): this {
    const { tainted } = this.#cpu.machine;
    return this.add(
      '',
      '='.repeat(width),
      text,
      `${RELEASE} ${tainted ? 'Tainted: G        W' : 'Not tainted'}`,
      '-'.repeat(width),
    );
  }

  /** `comm/pid`. */
  get who(): string {
    return `${this.#task.comm}/${this.#task.pid}`;
  }

  /** `comm/pid [HC0[0]:SC0[0]:HE1:SE1]`: the context in hard and soft interrupts, and what is enabled. */
  get whoInContext(): string {
    const { preemptCount, irqsEnabled } = this.#cpu;
    const hard = (preemptCount & HARDIRQ_MASK) >> 16;
    const soft = (preemptCount & SOFTIRQ_MASK) >> 8;
    const serving = (preemptCount & SOFTIRQ_OFFSET) === 0 ? 0 : 1;
    return `${this.who} [HC${hard > 0 ? 1 : 0}[${hard}]:SC${serving}[${soft}]:HE${irqsEnabled ? 1 : 0}:SE${soft === 0 ? 1 : 0}]`;
  }

  stack(place: Place | undefined, indent = '  '): this {
    return place === undefined ? this : this.add(...placeFrames(place).map((frame) => `${indent}${frame}`));
  }

  held(): this {
    return this.add(...heldLines(this.#task));
  }

  end(place: Place): void {
    this.add('', 'stack backtrace:').stack(place);
    this.#cpu.machine.printk('warning', this.#lines.join('\n'));
  }

  print(): void {
    this.#cpu.machine.printk('warning', this.#lines.join('\n'));
  }
}

/** ` (name){usage}-{wait:wait}`, as print_lock_name does. */
export function classText(cls: LockClass): string {
  return ` (${cls.name}){${usageChars(cls)}}-{${cls.waitType}:${cls.waitType}}`;
}

export function heldText(held: HeldLock): string {
  return `${held.map.address}${classText(held.cls)}, at: ${placeName(held.place)}`;
}

/** The locks that a task holds, in the kernel's words. */
export function heldLines(task: Task): string[] {
  const { comm, pid, heldLocks } = task;
  const { length } = heldLocks;
  if (length === 0) return [`no locks held by ${comm}/${pid}.`];
  const heading = `${length} lock${length > 1 ? 's' : ''} held by ${comm}/${pid}:`;
  return [heading, ...heldLocks.map((held, i) => ` #${i}: ${heldText(held)}`)];
}

/** One lock class, used in two ways that together deadlock. */
export function inconsistentState(cpu: LockContext, held: HeldLock, oldBit: number, newBit: number): void {
  const report = new Report(cpu);
  report
    .title('WARNING: inconsistent lock state', 32)
    .add(`inconsistent {${usageName(oldBit)}} -> {${usageName(newBit)}} usage.`)
    .add(`${report.whoInContext} takes:`, heldText(held))
    .add(`{${usageName(oldBit)}} state was registered at:`)
    .stack(held.cls.usagePlaces[oldBit])
    .add('', 'other info that might help us debug this:', ' Possible unsafe locking scenario:', '')
    .add('       CPU0', '       ----', `  lock(${held.cls.name});`, '  <Interrupt>', `    lock(${held.cls.name});`)
    .add('', ' *** DEADLOCK ***', '')
    .held()
    .end(held.place);
}

/** Two locks of one class inside each other, or one lock twice. */
export function recursiveLocking(cpu: LockContext, next: HeldLock, previous: HeldLock): void {
  const report = new Report(cpu);
  report
    .title('WARNING: possible recursive locking detected')
    .add(`${report.who} is trying to acquire lock:`, heldText(next))
    .add('', 'but task is already holding lock:', heldText(previous))
    .add('', 'other info that might help us debug this:', ' Possible unsafe locking scenario:', '')
    .add('       CPU0', '       ----', `  lock(${previous.cls.name});`, `  lock(${next.cls.name});`)
    .add('', ' *** DEADLOCK ***', '', ' May be due to missing lock nesting notation', '')
    .held()
    .end(next.place);
}

/** `found` is the held class, reached from the class of the lock to be taken. */
export function circularDependency(cpu: LockContext, next: HeldLock, previous: HeldLock, found: PathNode): void {
  const report = new Report(cpu);
  report
    .title('WARNING: possible circular locking dependency detected')
    .add(`${report.who} is trying to acquire lock:`, heldText(next))
    .add('', 'but task is already holding lock:', heldText(previous))
    .add('', 'which lock already depends on the new lock.', '')
    .add('', 'the existing dependency chain (in reverse order) is:');
  let depth = 0;
  for (let node = found.parent; node !== undefined; node = node.parent) depth++;
  for (let node: PathNode | undefined = found; node !== undefined; node = node.parent) {
    report.add('', `-> #${depth--}${classText(node.cls)}:`).stack(node.place ?? next.place, '       ');
  }
  report.add('', 'other info that might help us debug this:', '');
  const middle = found.parent?.cls ?? next.cls;
  if (middle !== next.cls) {
    report.add('Chain exists of:', `  ${next.cls.name} --> ${middle.name} --> ${previous.cls.name}`, '');
  }
  report
    .add(' Possible unsafe locking scenario:', '', '       CPU0                    CPU1')
    .add('       ----                    ----', `  ${previous.read === 0 ? '' : 'r'}lock(${previous.cls.name});`)
    .add(`${CPU1}lock(${middle.name});`, `${CPU1}lock(${previous.cls.name});`)
    .add(`  ${next.read === 0 ? '' : 'r'}lock(${next.cls.name});`, '', ' *** DEADLOCK ***', '')
    .held()
    .end(next.place);
}

function irqScenario(report: Report, safe: LockClass, unsafe: LockClass, between: LockClass): void {
  if (between !== unsafe) {
    report.add('Chain exists of:', `  ${safe.name} --> ${between.name} --> ${unsafe.name}`, '');
  }
  report
    .add(' Possible interrupt unsafe locking scenario:', '', '       CPU0                    CPU1')
    .add('       ----                    ----', `  lock(${unsafe.name});`, `${CPU1}local_irq_disable();`)
    .add(`${CPU1}lock(${safe.name});`, `${CPU1}lock(${between.name});`, '  <Interrupt>', `    lock(${safe.name});`)
    .add('', ' *** DEADLOCK ***', '')
    .held();
}

/** A class on the way between two locks, with its usage. */
function classHeader(report: Report, cls: LockClass, depth: number): void {
  const pad = ' '.repeat(depth);
  report.add(`${pad}->${classText(cls)} {`);
  for (let bit = 0; bit < USAGE_BITS; bit++) {
    if ((cls.usage & flag(bit)) === 0) continue;
    report.add(`${pad}   ${usageName(bit)} at:`).stack(cls.usagePlaces[bit], `${pad}      `);
  }
  report.add(`${pad} }`, `${pad} ... key      at: ${placeName(cls.definedAt)}`);
}

/** From the far end of a forward path back to its root; the root was taken at `rootPlace`. */
function shortestPath(report: Report, leaf: PathNode, rootPlace: Place): void {
  let depth = depthOf(leaf);
  for (let node: PathNode | undefined = leaf; node !== undefined; node = node.parent) {
    classHeader(report, node.cls, depth);
    report
      .add(`${' '.repeat(depth)} ... acquired at:`)
      .stack(node.place ?? rootPlace, '   ')
      .add('');
    depth--;
  }
}

/** The same for a backward path, whose places belong to the lock nearer to the root. */
function shortestPathBackwards(report: Report, leaf: PathNode): void {
  let depth = depthOf(leaf);
  let place: Place | undefined;
  for (let node: PathNode | undefined = leaf; node !== undefined; node = node.parent) {
    classHeader(report, node.cls, depth);
    if (place !== undefined)
      report
        .add(`${' '.repeat(depth)} ... acquired at:`)
        .stack(place, '   ')
        .add('');
    place = node.place;
    depth--;
  }
}

function childOfRoot(node: PathNode): PathNode {
  let child = node;
  while (child.parent?.parent !== undefined) child = child.parent;
  return child;
}

function depthOf(node: PathNode): number {
  let depth = 0;
  for (let parent = node.parent; parent !== undefined; parent = parent.parent) depth++;
  return depth;
}

/** A new order leads from a lock taken in interrupts to one held with interrupts on. */
export interface BadIrqOrder {
  readonly previous: HeldLock;
  readonly next: HeldLock;
  readonly safe: PathNode;
  readonly safeBit: number;
  readonly unsafe: PathNode;
  readonly unsafeBit: number;
}

export function badIrqOrder(cpu: LockContext, { previous, next, safe, safeBit, unsafe, unsafeBit }: BadIrqOrder): void {
  const report = new Report(cpu);
  const kind = stateName(safeBit);
  const between = previous.cls === safe.cls ? next.cls : previous.cls;
  report
    .title(`WARNING: ${kind}-safe -> ${kind}-unsafe lock order detected`, 53)
    .add(`${report.whoInContext} is trying to acquire:`, heldText(next))
    .add('', 'and this task is already holding:', heldText(previous))
    .add('which would create a new lock dependency:', `${classText(previous.cls)} ->${classText(next.cls)}`)
    .add('', `but this new dependency connects a ${kind}-irq-safe lock:`, classText(safe.cls))
    .add('', `... which became ${kind}-irq-safe at:`)
    .stack(safe.cls.usagePlaces[safeBit])
    .add('', `to a ${kind}-irq-unsafe lock:`, classText(unsafe.cls))
    .add('', `... which became ${kind}-irq-unsafe at:`, '...')
    .stack(unsafe.cls.usagePlaces[unsafeBit])
    .add('', 'other info that might help us debug this:', '');
  irqScenario(report, safe.cls, unsafe.cls, between);
  report.add('', `the dependencies between ${kind}-irq-safe lock and the holding lock:`);
  shortestPathBackwards(report, safe);
  report.add('', 'the dependencies between the lock to be acquired', ` and ${kind}-irq-unsafe lock:`);
  shortestPath(report, unsafe, next.place);
  report.end(next.place);
}

/** A lock's new usage conflicts with that of another lock that it is connected with. */
export function irqInversion(cpu: LockContext, held: HeldLock, other: PathNode, bit: number, forwards: boolean): void {
  const report = new Report(cpu);
  const kind = stateName(bit);
  const nearest = childOfRoot(other).cls;
  report
    .title('WARNING: possible irq lock inversion dependency detected')
    .add(`${report.who} just changed the state of lock:`, heldText(held))
    .add(
      forwards
        ? `but this lock took another, ${kind}-unsafe lock in the past:`
        : `but this lock was taken by another, ${kind}-safe lock in the past:`,
    )
    .add(classText(other.cls), '', '', 'and interrupts could create inverse lock ordering between them.', '')
    .add('', 'other info that might help us debug this:');
  if (forwards) irqScenario(report, held.cls, other.cls, nearest);
  else irqScenario(report, other.cls, held.cls, nearest === other.cls ? held.cls : nearest);
  report.add('', 'the shortest dependencies between 2nd lock and 1st lock:');
  shortestPath(report, other, held.place);
  report.end(held.place);
}

/** A lock that may sleep, asked for where nothing may. */
export function invalidWaitContext(cpu: LockContext, next: HeldLock, taskContext: number): void {
  const report = new Report(cpu);
  report
    .title('[ BUG: Invalid wait context ]')
    .add(`${report.who} is trying to lock:`, heldText(next), 'other info that might help us debug this:')
    .add(`context-{${taskContext}:${taskContext}}`)
    .held()
    .add('stack backtrace:')
    .stack(next.place)
    .print();
}

export function badUnlockBalance(cpu: LockContext, map: LockMap, place: Place): void {
  const report = new Report(cpu);
  report
    .title('WARNING: bad unlock balance detected!')
    .add(`${report.who} is trying to release lock (${map.classes[0]?.name ?? map.name}) at:`, placeName(place))
    .add('but there are no more locks to release!')
    .add('', 'other info that might help us debug this:')
    .held()
    .end(place);
}

export function stillHeldAtExit(cpu: LockContext, task: Task): void {
  const report = new Report(cpu);
  report.title(`WARNING: ${task.comm}/${task.pid} still has locks held!`, 36).held();
  const last = task.heldLocks[task.heldLocks.length - 1];
  report.add('', 'stack backtrace:').stack(last?.place).print();
}

/** What a task alone may wait for (task_wait_context). */
export function taskWaitContext(inInterrupt: boolean): number {
  return inInterrupt ? 2 : LD_WAIT_MAX;
}
