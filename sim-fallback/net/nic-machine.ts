// A machine with one network card on it: the card's line goes to CPU 0 through an interrupt controller with nothing but a mask.
import { handleLevelIrq, IrqDomain, Machine, type MachineOptions } from '../../kernel/index.js';
import { DONE } from '../../kernel/sched/coroutine.js';
import { Nic } from './nic.js';

export interface NicMachine {
  readonly machine: Machine;
  readonly nic: Nic;
  /** The interrupt number of the card's line. */
  readonly irq: number;
}

/** Builds it. The controller becomes the machine's root interrupt handler. */
export function nicMachine(options: MachineOptions & { readonly ringSize?: number } = {}): NicMachine {
  const machine = new Machine(options);
  const cpu = machine.bootCpu;
  let asserted = false;
  let masked = true;
  const update = (): void => cpu.setIrqLine(asserted && !masked);
  const domain = new IrqDomain(machine, {
    name: 'nic',
    size: 1,
    flow: handleLevelIrq,
    chip: {
      name: 'mask',
      mask: () => {
        masked = true;
        update();
      },
      unmask: () => {
        masked = false;
        update();
      },
    },
  });
  machine.setHandleIrq(() => (asserted && !masked ? domain.handle(0) : DONE));
  const nic = new Nic({
    clock: machine.clock,
    ...(options.ringSize === undefined ? {} : { ringSize: options.ringSize }),
    warn: (message) => machine.printk('warning', message),
    onIrq: (level) => {
      asserted = level;
      update();
    },
  });
  return { machine, nic, irq: domain.createMapping(0) };
}
