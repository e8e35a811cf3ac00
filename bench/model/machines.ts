// The machines that are measured: clocks that have run for a while, and an interrupt line without hardware behind it.
import {
  type Cpu,
  handleEdgeIrq,
  IrqDomain,
  type IrqHandler,
  type IrqThreadFn,
  Machine,
  type MachineOptions,
  requestThreadedIrq,
  VirtualClock,
} from '../../kernel/index.js';

/** Half an hour after the start: times that are not small integers, as on any machine in use. */
const UPTIME_NS = 1_800_123_456_789;

/** A machine in virtual time that complains by throwing; without lockdep, as the kernels that people run. */
export function benchMachine(options: MachineOptions = {}): Machine {
  return new Machine({
    clock: new VirtualClock(UPTIME_NS),
    lockdep: false,
    printk: (level, message) => {
      throw new Error(`${level}: ${message}`);
    },
    onOops: (_, error) => {
      throw error;
    },
    ...options,
  });
}

/** A machine with one line of edges and handlers on it. */
export interface EdgeLine {
  readonly machine: Machine;
  /** An edge arrives; returns when all that it sets off at this instant is done. */
  pulse(): void;
  /** Edges so far, as the line has counted them. */
  edges(): number;
}

export function edgeLine(handler: IrqHandler, threadFn: IrqThreadFn | null, options: MachineOptions = {}): EdgeLine {
  const machine = benchMachine(options);
  const nothing = (): void => {};
  const domain = new IrqDomain(machine, {
    name: 'bench',
    size: 1,
    flow: handleEdgeIrq,
    chip: { name: 'bench', ack: nothing, mask: nothing, unmask: nothing, setType: nothing },
  });
  machine.setHandleIrq((cpu: Cpu) => {
    cpu.setIrqLine(false);
    return domain.handle(0);
  });
  const irq = domain.createMapping(0);
  machine.runTask(() => requestThreadedIrq(irq, handler, threadFn, 0, 'bench'));
  const cpu = machine.bootCpu;
  return { machine, pulse: () => cpu.setIrqLine(true), edges: () => machine.irqs.get(irq).total };
}
