// The files of network reception: /proc/net/softnet_stat and the budgets in /proc/sys/net/core (net/core/net-procfs.c, sysctl_net_core.c).
import { KernelError } from '../errno.js';
import type { Machine } from '../machine.js';
import type { Net } from './softnet.js';

const READ_ONLY = 0o444;
const READ_WRITE = 0o644;
const COLUMNS = 15;
/** Columns of the file that the model has something for. */
const PROCESSED = 0;
const TIME_SQUEEZE = 2;
const CPU = 12;

/** A line a CPU, fifteen numbers: packets handled, dropped, budgets used up …, the CPU's own number (softnet_seq_show). */
function softnetStat({ softnet }: Net): string {
  let text = '';
  for (const [cpu, { processed, timeSqueeze }] of softnet.entries()) {
    const columns = new Array<number>(COLUMNS).fill(0);
    columns[PROCESSED] = processed >>> 0;
    columns[TIME_SQUEEZE] = timeSqueeze;
    columns[CPU] = cpu;
    text += `${columns.map((value) => value.toString(16).padStart(8, '0')).join(' ')}\n`;
  }
  return text;
}

/** As proc_dointvec_minmax() reads a number. `EINVAL` for what is none, or less than `min`. */
function parse(text: string, min: number): number {
  const value = /^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= 0x7fff_ffff) return value;
  throw new KernelError('EINVAL', `'${text.trim()}': not a number from ${min} on`);
}

/** Puts them into the machine's tree. */
export function createNetFiles({ files }: Machine, net: Net): void {
  const leastUsecs = net.netdevBudgetUsecs;
  files.create('/proc/net/softnet_stat', { mode: READ_ONLY, show: () => softnetStat(net) });
  files.create('/proc/sys/net/core/netdev_budget', {
    mode: READ_WRITE,
    show: () => `${net.netdevBudget}\n`,
    store: (text) => {
      net.netdevBudget = parse(text, -0x8000_0000);
    },
  });
  files.create('/proc/sys/net/core/netdev_budget_usecs', {
    mode: READ_WRITE,
    show: () => `${net.netdevBudgetUsecs}\n`,
    store: (text) => {
      net.netdevBudgetUsecs = parse(text, leastUsecs);
    },
  });
}
