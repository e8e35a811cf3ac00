// What a program and its children cost, from /proc.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Sums over a program, its threads and its children. */
export interface Cost {
  readonly cpuNs: number;
  /** Times that a thread of it went to sleep by itself: each is a wake-up. */
  readonly wakeUps: number;
  /** Resident memory in KiB. */
  readonly rssKib: number;
}

/** Clock ticks of /proc/PID/stat. */
const NS_PER_TICK = 1e7;

/** utime and stime of /proc/PID/stat, which is of all threads, those that have ended too. */
function cpuNs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * NS_PER_TICK;
}

function field(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? 0);
}

function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  if (existsSync(file)) return readFileSync(file, 'utf8').split(' ').filter(Boolean).map(Number);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => isChild(child, pid));
}

function isChild(child: number, parent: number): boolean {
  try {
    return field(readFileSync(`/proc/${child}/status`, 'utf8'), 'PPid') === parent;
  } catch {
    // It has ended meanwhile.
    return false;
  }
}

/** What a program has cost until now. */
export function costOf(pid: number): Cost {
  const total = { cpuNs: 0, wakeUps: 0, rssKib: 0 };
  for (const one of [pid, ...childrenOf(pid)]) {
    total.cpuNs += cpuNs(one);
    total.rssKib += field(readFileSync(`/proc/${one}/status`, 'utf8'), 'VmRSS');
    for (const task of readdirSync(`/proc/${one}/task`)) {
      total.wakeUps += field(readFileSync(`/proc/${one}/task/${task}/status`, 'utf8'), 'voluntary_ctxt_switches');
    }
  }
  return total;
}
