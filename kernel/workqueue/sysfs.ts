// The files of workqueues: /sys/devices/virtual/workqueue, with a directory for each WQ_SYSFS queue (workqueue_sysfs_register).
import { KernelError } from '../errno.js';
import { cpumaskParse, cpumaskPr } from '../lib/cpumask.js';
import type { Machine } from '../machine.js';
import { thisCpu } from '../sched/current.js';
import { parseAffnScope, type WorkqueueAttrs, WQ_AFFN_DFL, WQ_AFFN_NAMES } from './attrs.js';
import { __WQ_ORDERED } from './flags.js';
import { applyAttrs, applyDefaultScope, applyUnboundCpumask } from './unbound.js';
import type { Workqueue } from './workqueue.js';

const BUS = '/sys/devices/virtual/workqueue';
const MODULE = '/sys/module/workqueue/parameters';
const MIN_NICE = -20;
const MAX_NICE = 19;
const RW = 0o644;
const RO = 0o444;

/** A decimal number in front, as sscanf's `%d` takes it. `EINVAL` when there is none. */
function parseInt32(text: string): number {
  const [, digits] = /^\s*([-+]?\d+)/.exec(text) ?? [];
  if (digits === undefined) throw new KernelError('EINVAL', `'${text.trimEnd()}' is no number`);
  return Number(digits) | 0;
}

/** The queue's attributes with a change, applied. */
function change(wq: Workqueue, attrs: WorkqueueAttrs, edit: (copy: WorkqueueAttrs) => void): void {
  const copy = attrs.copy();
  edit(copy);
  applyAttrs(wq, copy);
}

function attrsOf(wq: Workqueue): WorkqueueAttrs {
  if (wq.unboundAttrs === undefined) throw new KernelError('EINVAL', `workqueue ${wq.name} is not unbound`);
  return wq.unboundAttrs;
}

/**
 * Shows a queue in /sys/devices/virtual/workqueue (workqueue_sysfs_register). Process context. WQ_SYSFS does it when the queue
 * is made.
 *
 * @throws KernelError EINVAL for an ordered queue, with a warning; EEXIST when one of that name is there
 */
export function workqueueSysfsRegister(wq: Workqueue): void {
  const { owner } = wq;
  if ((wq.flags & __WQ_ORDERED) !== 0) {
    owner.warn('', 'workqueue_sysfs_register');
    throw new KernelError('EINVAL', `workqueue ${wq.name} is ordered: its max_active cannot be changed`);
  }
  const { files } = owner;
  const path = `${BUS}/${wq.name}`;
  if (files.exists(path)) throw new KernelError('EEXIST', `workqueue ${wq.name}: ${path} exists`);
  wq.inSysfs = true;
  files.create(`${path}/per_cpu`, { mode: RO, show: () => `${wq.unbound ? 0 : 1}\n` });
  files.create(`${path}/max_active`, {
    mode: RW,
    show: () => `${wq.savedMaxActive}\n`,
    store: (text) => {
      const value = parseInt32(text);
      if (value <= 0) throw new KernelError('EINVAL', `max_active ${value}`);
      wq.setMaxActive(value);
    },
  });
  if (wq.unbound) registerUnbound(wq, owner, path);
}

/** The files that only unbound queues have. */
function registerUnbound(wq: Workqueue, machine: Machine, path: string): void {
  const { files, cpus, workqueues } = machine;
  files.create(`${path}/nice`, {
    mode: RW,
    show: () => `${attrsOf(wq).nice}\n`,
    store: (text) => {
      const nice = parseInt32(text);
      if (nice < MIN_NICE || nice > MAX_NICE) throw new KernelError('EINVAL', `nice ${nice} is not -20 to 19`);
      change(wq, attrsOf(wq), (attrs) => {
        attrs.nice = nice;
      });
    },
  });
  files.create(`${path}/cpumask`, {
    mode: RW,
    show: () => `${cpumaskPr(attrsOf(wq).cpumask, cpus.length)}\n`,
    store: (text) => {
      const cpumask = cpumaskParse(text, cpus.length);
      change(wq, attrsOf(wq), (attrs) => {
        attrs.cpumask = cpumask;
      });
    },
  });
  files.create(`${path}/affinity_scope`, {
    mode: RW,
    show: () => {
      const { affnScope } = attrsOf(wq);
      const name = WQ_AFFN_NAMES[affnScope] ?? '';
      return affnScope === WQ_AFFN_DFL ? `${name} (${WQ_AFFN_NAMES[workqueues.affnDfl]})\n` : `${name}\n`;
    },
    store: (text) => {
      const scope = parseAffnScope(text);
      change(wq, attrsOf(wq), (attrs) => {
        attrs.affnScope = scope;
      });
    },
  });
  files.create(`${path}/affinity_strict`, {
    mode: RW,
    show: () => `${attrsOf(wq).affnStrict ? 1 : 0}\n`,
    store: (text) => {
      const strict = parseInt32(text) !== 0;
      change(wq, attrsOf(wq), (attrs) => {
        attrs.affnStrict = strict;
      });
    },
  });
}

/** Takes the queue's directory away (workqueue_sysfs_unregister). */
export function workqueueSysfsUnregister(wq: Workqueue): void {
  if (!wq.inSysfs) return;
  wq.inSysfs = false;
  wq.owner.files.remove(`${BUS}/${wq.name}`);
}

/**
 * Sets the CPUs that unbound queues may use at all, as writing /sys/devices/virtual/workqueue/cpumask does
 * (workqueue_set_unbound_cpumask). Process context.
 *
 * @throws KernelError EINVAL when the machine has none of them
 */
export function workqueueSetUnboundCpumask(cpumask: number): void {
  const { machine } = thisCpu();
  const { workqueues } = machine;
  const mask = cpumask & machine.cpuMask;
  if (mask === 0) throw new KernelError('EINVAL', `cpumask ${cpumask.toString(16)} has no CPU of this machine`);
  if (mask !== workqueues.unboundCpumask) applyUnboundCpumask(workqueues, mask);
  workqueues.requestedUnboundCpumask = mask;
}

/**
 * Takes CPUs out of those that unbound queues may use; all of these again when none would be left
 * (workqueue_unbound_exclude_cpumask). Process context.
 */
export function workqueueUnboundExcludeCpumask(exclude: number): void {
  const { workqueues } = thisCpu().machine;
  const requested = workqueues.requestedUnboundCpumask;
  const left = requested & ~exclude;
  const mask = left === 0 ? requested : left;
  if (mask !== workqueues.unboundCpumask) applyUnboundCpumask(workqueues, mask);
  workqueues.isolatedCpumask = exclude;
}

/** What holds for all queues: the CPUs of the unbound ones, and the module's parameters. */
export function registerWorkqueueBus(machine: Machine): void {
  const { files, cpus, workqueues } = machine;
  const mask = (cpumask: number): string => `${cpumaskPr(cpumask, cpus.length)}\n`;
  files.create(`${BUS}/cpumask`, {
    mode: RW,
    show: () => mask(workqueues.unboundCpumask),
    store: (text) => workqueueSetUnboundCpumask(cpumaskParse(text, cpus.length)),
  });
  files.create(`${BUS}/cpumask_requested`, { mode: RO, show: () => mask(workqueues.requestedUnboundCpumask) });
  files.create(`${BUS}/cpumask_isolated`, { mode: RO, show: () => mask(workqueues.isolatedCpumask) });
  files.create(`${MODULE}/power_efficient`, { mode: RO, show: () => (workqueues.powerEfficient ? 'Y\n' : 'N\n') });
  files.create(`${MODULE}/cpu_intensive_thresh_us`, {
    mode: RW,
    show: () => `${workqueues.cpuIntensiveThreshUs}\n`,
    store: (text) => {
      if (!/^\+?\d+\n?$/.test(text)) throw new KernelError('EINVAL', `'${text.trimEnd()}' is no number`);
      workqueues.cpuIntensiveThreshUs = Number.parseInt(text, 10);
    },
  });
  files.create(`${MODULE}/default_affinity_scope`, {
    mode: RW,
    show: () => `${WQ_AFFN_NAMES[workqueues.affnDfl]}\n`,
    store: (text) => {
      const scope = parseAffnScope(text);
      if (scope === WQ_AFFN_DFL) throw new KernelError('EINVAL', 'the default scope cannot be `default`');
      workqueues.affnDfl = scope;
      applyDefaultScope(workqueues);
    },
  });
}
