// Taking and giving back locks that are spun for, with what each variant does to preemption, interrupts and softirqs.
import { localIrqEnable, localIrqRestore } from '../sched/core.js';
import type { Cpu } from '../sched/cpu.js';
import { inInterrupt } from '../sched/current.js';
import { PREEMPT_OFFSET } from '../sched/preempt.js';
import { localBhDisable, localBhEnable } from '../softirq/softirq.js';
import type { ReadMode } from './held.js';
import { herePlace, placeFrames } from './place.js';
import { type Acquiring, type SpinCore, SpinWaiter, spinningCpu, Taken } from './spin.js';

/** What spinLockIrqsave gives for spinUnlockIrqrestore: plain functions get it from the call, generators from `yield*`. */
export type IrqFlags = boolean | Acquiring<boolean>;

/** What a variant disables besides preemption, and what it puts back: interrupts if they were on, or softirqs. */
type Restore = 'nothing' | 'irqsOn' | 'irqsOff' | 'softirqs';

const TAKEN = new Taken<void>(undefined);
const WERE_ON = new Taken(true);
const WERE_OFF = new Taken(false);

function flagsOf(flags: IrqFlags): boolean {
  if (typeof flags === 'boolean') return flags;
  return (flags instanceof Taken || flags instanceof SpinWaiter) && flags.value === true;
}

/** Shared takings in interrupts pass by waiting writers, so they may nest; others may not. */
function readMode(read: boolean): ReadMode {
  if (!read) return 0;
  return inInterrupt() ? 2 : 1;
}

function acquire<R>(
  cpu: Cpu,
  core: SpinCore,
  read: boolean,
  taken: Taken<R>,
  restore: Restore,
  subclass = 0,
): Acquiring<R> {
  cpu.preemptCount += PREEMPT_OFFSET;
  const { lockdep } = cpu.machine;
  if (lockdep?.on === true) lockdep.acquire(cpu, core.map, { read: readMode(read), subclass });
  if (core.tryTake(cpu, read)) return taken;
  return core.wait(cpu, read, taken.value, () => {
    lockdep?.release(cpu, core.map);
    end(cpu, restore);
  });
}

/** What follows the unlocking; a due switch, interrupt or softirq comes in at the next `yield*`. */
function end(cpu: Cpu, restore: Restore): void {
  cpu.preemptCount -= PREEMPT_OFFSET;
  if (restore === 'irqsOn') localIrqEnable();
  else if (restore === 'irqsOff') localIrqRestore(false);
  else if (restore === 'softirqs') localBhEnable();
}

function release(core: SpinCore, read: boolean, restore: Restore): void {
  const cpu = spinningCpu(core);
  const { lockdep } = cpu.machine;
  if (lockdep?.on === true) lockdep.release(cpu, core.map);
  if (read) {
    if (core.readers.length === 0) complain(cpu, core, 'already unlocked');
    else core.releaseRead(cpu);
  } else {
    if (core.ownerCpu !== cpu || core.owner !== cpu.current) complain(cpu, core, wrongOf(cpu, core));
    core.release();
  }
  end(cpu, restore);
}

function wrongOf(cpu: Cpu, core: SpinCore): string {
  if (core.ownerCpu === undefined) return 'already unlocked';
  return core.owner === cpu.current ? 'wrong CPU' : 'wrong owner';
}

/** Somebody unlocks what is not theirs (debug_spin_unlock). Silent, as in the kernel, after lockdep has reported it. */
function complain(cpu: Cpu, core: SpinCore, what: string): void {
  const { machine, current } = cpu;
  if (machine.lockdep?.on === false) return;
  if (machine.lockdep !== undefined) machine.lockdep.on = false;
  const owner = core.owner === undefined ? '<none>/-1' : `${core.owner.comm}/${core.owner.pid}`;
  machine.printk(
    'emerg',
    [
      `BUG: ${core.kind} ${what} on CPU#${cpu.id}, ${current.comm}/${current.pid}`,
      ` lock: ${core.map.name}, .magic: dead4ead, .owner: ${owner}, .owner_cpu: ${core.ownerCpu?.id ?? -1}`,
      ...placeFrames(herePlace()).map((frame) => ` ${frame}`),
    ].join('\n'),
  );
}

export function lockPlain(core: SpinCore, read: boolean, subclass = 0): Acquiring<void> {
  return acquire(spinningCpu(core), core, read, TAKEN, 'nothing', subclass);
}

export function lockIrq(core: SpinCore, read: boolean): Acquiring<void> {
  const cpu = spinningCpu(core);
  cpu.irqsEnabled = false;
  return acquire(cpu, core, read, TAKEN, 'irqsOn');
}

export function lockIrqsave(core: SpinCore, read: boolean, subclass = 0): Acquiring<boolean> {
  const cpu = spinningCpu(core);
  const wereOn = cpu.irqsEnabled;
  cpu.irqsEnabled = false;
  return acquire(cpu, core, read, wereOn ? WERE_ON : WERE_OFF, wereOn ? 'irqsOn' : 'irqsOff', subclass);
}

export function lockBh(core: SpinCore, read: boolean): Acquiring<void> {
  const cpu = spinningCpu(core);
  localBhDisable();
  return acquire(cpu, core, read, TAKEN, 'softirqs');
}

export function unlockPlain(core: SpinCore, read: boolean): void {
  release(core, read, 'nothing');
}

export function unlockIrq(core: SpinCore, read: boolean): void {
  release(core, read, 'irqsOn');
}

export function unlockIrqrestore(core: SpinCore, read: boolean, flags: IrqFlags): void {
  release(core, read, flagsOf(flags) ? 'irqsOn' : 'irqsOff');
}

export function unlockBh(core: SpinCore, read: boolean): void {
  release(core, read, 'softirqs');
}

/** Takes the lock if that needs no waiting. */
export function tryLock(core: SpinCore, read: boolean): boolean {
  const cpu = spinningCpu(core);
  if (!core.tryTake(cpu, read)) return false;
  cpu.preemptCount += PREEMPT_OFFSET;
  const { lockdep } = cpu.machine;
  if (lockdep?.on === true) lockdep.acquire(cpu, core.map, { read: readMode(read), trylock: true });
  return true;
}
