// Network devices, as far as NAPI needs them: a name, their instances, how they are polled (struct net_device).
import type { Machine } from '../machine.js';
import type { LogLevel } from '../machine-options.js';
import type { NapiStruct } from './napi.js';

/** A network device. */
export class NetDevice {
  /** Empty for one that exists for the sake of NAPI only (init_dummy_netdev). */
  readonly name: string;
  /** Its instances, the newest first (napi_list). */
  readonly napiList: NapiStruct[] = [];
  /** They are polled by threads of their own; set by `devSetThreaded`. */
  threaded = false;
  /** Times in a row that an instance which found nothing is polled again by a timer instead of by an interrupt; 0 is never. */
  napiDeferHardIrqs = 0;
  /** Ns until that timer; 0 is never (gro_flush_timeout). */
  groFlushTimeoutNs = 0;

  constructor(name = '') {
    this.name = name;
  }
}

/** Prints a message about a device (netdev_printk). */
export function netdevPrintk(machine: Machine, dev: NetDevice | undefined, level: LogLevel, text: string): void {
  if (dev === undefined) machine.printk(level, `(NULL net_device): ${text}`);
  else machine.printk(level, `${dev.name === '' ? '(unnamed net_device) (dummy)' : dev.name}: ${text}`);
}
