// Functions that are called on other CPUs, in their interrupts (kernel/smp.c).
import { KernelError } from '../errno.js';
import { cutsOff } from '../sched/atomic.js';
import { localIrqRestore, localIrqSave, preemptDisable, preemptEnable } from '../sched/core.js';
import {
  type Atomic,
  type Coroutine,
  DONE,
  type Frame,
  isCoroutine,
  type Outcome,
  Request,
} from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { inTask, irqsDisabled, thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';

/** Called on another CPU in a hard interrupt, on the caller's own with interrupts off. */
export type SmpCallFn = () => Atomic<unknown>;

/** Calls that are under way, and whoever spins until they are done (struct __call_single_data). */
class Calls {
  #left = 0;
  #cpu: Cpu | undefined;
  #frame: Frame | undefined;

  /** Has `fn` called on a CPU. */
  send(cpu: Cpu, fn: SmpCallFn): void {
    this.#left++;
    cpu.callFunction(() => this.#run(cpu, fn));
  }

  *wait(): Coroutine<void> {
    while (this.#left > 0) {
      this.#cpu = thisCpu();
      this.#frame = this.#cpu.activation;
      yield Request.spin;
    }
  }

  #run(cpu: Cpu, fn: SmpCallFn): Outcome {
    let result: unknown;
    try {
      result = fn();
    } catch (error) {
      cpu.machine.oops('smp_call_function', error);
    }
    if (!cutsOff(cpu, 'smp_call_function', result)) return this.#done();
    return cpu.suspend(result, (value, thrown) => {
      if (thrown) cpu.machine.oops('smp_call_function', value);
      return this.#done();
    });
  }

  #done(): Outcome {
    this.#left--;
    if (this.#left === 0 && this.#frame !== undefined) {
      this.#frame.spinning = false;
      this.#frame = undefined;
      this.#cpu?.kick();
    }
    return DONE;
  }
}

/** Two CPUs that wait for each other with interrupts off would do so for ever. */
function checkContext(where: string): void {
  const { machine } = thisCpu();
  if (irqsDisabled()) machine.warnOnce(`${where} irqs_disabled`, '', where);
  if (!inTask()) machine.warnOnce(`${where} in_task`, '', where);
}

function* callHere(fn: SmpCallFn): Coroutine<void> {
  const flags = localIrqSave();
  try {
    const result = fn();
    if (isCoroutine(result)) yield* result;
  } finally {
    localIrqRestore(flags);
  }
}

/** As smp_call_function_many_cond: the others first, so that they run while the caller does its own. */
function* callMany(mask: number, fn: SmpCallFn, wait: boolean, here: boolean): Coroutine<void> {
  preemptDisable();
  try {
    const calls = new Calls();
    const own = thisCpu();
    for (const cpu of own.machine.cpus) if (cpu !== own && (mask & (1 << cpu.id)) !== 0) calls.send(cpu, fn);
    if (here && (mask & (1 << own.id)) !== 0) yield* callHere(fn);
    if (wait) yield* calls.wait();
  } finally {
    preemptEnable();
  }
}

/**
 * Calls a function on one CPU (smp_call_function_single). Process context with interrupts on; elsewhere a WARN, as two
 * CPUs may wait for each other then.
 *
 * @param wait spin until it has returned; default true
 * @throws KernelError ENXIO when the machine has no such CPU
 */
export const smpCallFunctionSingle = effect(function* smpCallFunctionSingle(
  cpu: number,
  fn: SmpCallFn,
  wait: boolean = true,
) {
  const { machine } = thisCpu();
  checkContext('smp_call_function_single');
  if (machine.cpus[cpu] === undefined) throw new KernelError('ENXIO', `smp_call_function_single(): no CPU ${cpu}`);
  yield* callMany(1 << cpu, fn, wait, true);
});

/** Calls a function on the CPUs of a mask but the caller's own (smp_call_function_many). As {@link smpCallFunctionSingle}. */
export const smpCallFunctionMany = effect(function* smpCallFunctionMany(
  mask: number,
  fn: SmpCallFn,
  wait: boolean = true,
) {
  checkContext('smp_call_function_many_cond');
  yield* callMany(mask, fn, wait, false);
});

/** Calls a function on all CPUs but the caller's own (smp_call_function). As {@link smpCallFunctionSingle}. */
export const smpCallFunction = effect(function* smpCallFunction(fn: SmpCallFn, wait: boolean = true) {
  checkContext('smp_call_function_many_cond');
  yield* callMany(thisCpu().machine.cpuMask, fn, wait, false);
});

/** Calls a function on all CPUs of a mask (on_each_cpu_mask). As {@link smpCallFunctionSingle}. */
export const onEachCpuMask = effect(function* onEachCpuMask(mask: number, fn: SmpCallFn, wait: boolean = true) {
  checkContext('smp_call_function_many_cond');
  yield* callMany(mask, fn, wait, true);
});

/** Calls a function on all CPUs (on_each_cpu). As {@link smpCallFunctionSingle}. */
export const onEachCpu = effect(function* onEachCpu(fn: SmpCallFn, wait: boolean = true) {
  checkContext('smp_call_function_many_cond');
  yield* callMany(thisCpu().machine.cpuMask, fn, wait, true);
});
