// Files of /proc that are about the whole machine (fs/proc/stat.c, softirqs.c).
import type { Machine } from '../machine.js';
import { showSoftirqs } from '../softirq/softirq.js';

const READ_ONLY = 0o444;
/** Times are in parts of a second of this many (USER_HZ), whatever the machine's HZ is. */
const NS_PER_CLOCK_TICK = 10_000_000;

interface Ticks {
  readonly system: number;
  readonly idle: number;
  readonly irq: number;
  readonly softirq: number;
}

/** The ten columns of a CPU. Nothing here is user time, waits for a disk or is a guest. */
function cpuLine(name: string, { system, idle, irq, softirq }: Ticks): string {
  return `${name} 0 0 ${system} ${idle} 0 ${irq} ${softirq} 0 0 0\n`;
}

function toTicks(ns: Ticks): Ticks {
  const ticks = (value: number): number => Math.floor(value / NS_PER_CLOCK_TICK);
  return { system: ticks(ns.system), idle: ticks(ns.idle), irq: ticks(ns.irq), softirq: ticks(ns.softirq) };
}

function cpuLines(machine: Machine): string {
  const sum = { system: 0, idle: 0, irq: 0, softirq: 0 };
  let lines = '';
  for (const cpu of machine.cpus) {
    const { taskNs, idleNs, hardirqNs, softirqNs } = cpu.times;
    const ns = { system: taskNs, idle: idleNs, irq: hardirqNs, softirq: softirqNs };
    sum.system += ns.system;
    sum.idle += ns.idle;
    sum.irq += ns.irq;
    sum.softirq += ns.softirq;
    lines += cpuLine(`cpu${cpu.id}`, toTicks(ns));
  }
  // Two spaces: as wide as a CPU's name.
  return cpuLine('cpu ', toTicks(sum)) + lines;
}

/** A total, then the interrupts of each number, also of those that were never handed out. */
function intrLine({ irqs }: Machine): string {
  const counts = new Array<number>(irqs.nrIrqs).fill(0);
  let sum = irqs.arch === 'x86' ? irqs.errCount : 0;
  for (const desc of irqs) {
    counts[desc.irq] = desc.total;
    sum += desc.total;
  }
  return `intr ${sum} ${counts.join(' ')}\n`;
}

function softirqLine({ cpus, softirqs }: Machine): string {
  const sums = softirqs.names.map((_, nr) => cpus.reduce((sum, cpu) => sum + (cpu.softirqs.counts[nr] ?? 0), 0));
  return `softirq ${sums.reduce((all, one) => all + one, 0)} ${sums.join(' ')}\n`;
}

/** /proc/stat (show_stat), but for what the model does not count: context switches, forks, the time of boot. */
function showStat(machine: Machine): string {
  const running = [...machine.tasks].filter(({ onRq }) => onRq).length;
  const procs = `procs_running ${running}\nprocs_blocked 0\n`;
  return cpuLines(machine) + intrLine(machine) + procs + softirqLine(machine);
}

/** Makes the files. */
export function initProc(machine: Machine): void {
  const { files } = machine;
  files.create('/proc/stat', { mode: READ_ONLY, show: () => showStat(machine) });
  files.create('/proc/softirqs', { mode: READ_ONLY, show: () => showSoftirqs(machine) });
}
