// A line of a fake interrupt controller that logs every call of its chip, and the hardware behind it.
import {
  type Cpu,
  cpulistPr,
  type FlowHandler,
  handleEdgeIrq,
  handleFasteoiIrq,
  handleLevelIrq,
  handlePercpuDevidIrq,
  handlePercpuIrq,
  handleSimpleIrq,
  IRQCHIP_EOI_THREADED,
  IRQCHIP_MASK_ON_SUSPEND,
  IRQCHIP_ONESHOT_SAFE,
  IRQCHIP_SET_TYPE_MASKED,
  type IrqChip,
  type IrqDesc,
  IrqDomain,
  irqSetHandler,
  KernelError,
  type Machine,
  smpProcessorId,
} from '../../kernel/index.js';

export type Flow = 'edge' | 'level' | 'fasteoi' | 'simple' | 'percpu' | 'percpu_devid';

const FLOWS: { readonly [flow in Flow]: FlowHandler } = {
  edge: handleEdgeIrq,
  level: handleLevelIrq,
  fasteoi: handleFasteoiIrq,
  simple: handleSimpleIrq,
  percpu: handlePercpuIrq,
  percpu_devid: handlePercpuDevidIrq,
};

/** A flow as the event `line.new` names it. */
export function flowName(flow: Flow): string {
  return flow.startsWith('percpu') ? 'other' : flow;
}

/** Options of a chip, as bits of `chipflags` in the event `line.new`. */
export const ChipFlag = {
  noRetrigger: 1,
  noSetType: 2,
  busLock: 4,
  oneshotSafe: 8,
  eoiThreaded: 16,
  noSetAffinity: 32,
  startupShutdown: 64,
  enableDisable: 128,
  noMaskAck: 256,
  requestResources: 512,
  setTypeMasked: 1024,
  maskOnSuspend: 2048,
} as const;

/** Options that are flags of the chip. */
const IRQCHIP_FLAGS = [
  [ChipFlag.oneshotSafe, IRQCHIP_ONESHOT_SAFE],
  [ChipFlag.eoiThreaded, IRQCHIP_EOI_THREADED],
  [ChipFlag.setTypeMasked, IRQCHIP_SET_TYPE_MASKED],
  [ChipFlag.maskOnSuspend, IRQCHIP_MASK_ON_SUSPEND],
] as const;

/** Times that a level is delivered again before the hardware gives up. */
const STORM = 6;

export interface LineOptions {
  /** {@link ChipFlag} bits. */
  readonly chipflags?: number;
  /** An edge that arrives while the line is masked is remembered, once, and delivered when it is unmasked. */
  readonly latching?: boolean;
  /** Deliveries and calls of the chip are not logged, but for set_affinity, which the recorded driver always logged. */
  readonly quiet?: boolean;
  /** The interrupt number, which is to be free, and the line's number at its controller (default 0); where the recording shows them. */
  readonly irq?: number;
  readonly hwirq?: number;
  /** What the chip's set_type returns, call by call: 0, or an errno as KernelError code; default always 0. */
  readonly setTypeFails?: readonly (0 | 'EINVAL' | 'ENXIO')[];
  /** Further callbacks of the chip, and in place of those that it has. */
  readonly chip?: Partial<IrqChip>;
}

export type LogLine = (ev: string, v: { readonly [name: string]: string | number }) => void;

/** Interrupt numbers are handed out from below: the recorded machine had these for its own devices. */
function takeNumbersBelow({ irqs }: Machine, irq: number): void {
  for (let taken = 1; taken < irq; taken++) if (irqs.find(taken) === undefined) irqs.alloc(undefined, 0);
}

/** One interrupt line with a chip and a domain of its own. */
export class Line {
  readonly name: string;
  readonly irq: number;
  readonly #machine: Machine;
  readonly #options: LineOptions;
  readonly #log: LogLine;
  readonly #logAlways: LogLine;
  readonly #domain: IrqDomain;
  readonly #hwirq: number;
  /** The mask in the hardware. */
  #masked = true;
  /** Level of a level line. */
  #asserted = false;
  #latched = false;
  /** The hardware's one pending bit: raised and not yet taken. */
  #pending = false;
  /** The flow handler is being called. */
  #delivering = false;
  #typesSet = 0;

  constructor(machine: Machine, name: string, flow: Flow, options: LineOptions, log: LogLine) {
    this.#machine = machine;
    this.name = name;
    this.#options = options;
    this.#logAlways = log;
    this.#log = (ev, v) => {
      if (options.quiet !== true) log(ev, v);
    };
    this.#hwirq = options.hwirq ?? 0;
    takeNumbersBelow(machine, options.irq ?? 0);
    this.#domain = new IrqDomain(machine, { name, size: this.#hwirq + 1, chip: this.#chip(), flow: FLOWS[flow] });
    this.irq = this.#domain.createMapping(this.#hwirq);
    // The recorded driver did so, and a chip behind a bus sees it.
    irqSetHandler(this.irq, FLOWS[flow], flow);
  }

  /** The line is masked in the hardware. */
  get masked(): boolean {
    return this.#masked;
  }

  #has(flag: number): boolean {
    return ((this.#options.chipflags ?? 0) & flag) !== 0;
  }

  #call(name: string, then: () => void = () => {}): () => void {
    return () => {
      this.#log(`chip.${name}`, { line: this.name });
      then();
    };
  }

  #chip(): IrqChip {
    const mask = (): void => {
      this.#masked = true;
    };
    const unmask = (): void => this.#unmask();
    // The kernel prints its name.
    const c_set_type = (_desc: IrqDesc, type: number): void => this.#setType(type);
    return {
      name: 'oracle',
      mask: this.#call('mask', mask),
      unmask: this.#call('unmask', unmask),
      ack: this.#call('ack'),
      eoi: this.#call('eoi'),
      setWake: (_desc, on) => this.#log('chip.set_wake', { line: this.name, on: on ? 1 : 0 }),
      flags: IRQCHIP_FLAGS.reduce((flags, [option, flag]) => (this.#has(option) ? flags | flag : flags), 0),
      ...(this.#has(ChipFlag.noMaskAck) ? {} : { maskAck: this.#call('mask_ack', mask) }),
      ...(this.#has(ChipFlag.noSetType) ? {} : { setType: c_set_type }),
      ...(this.#has(ChipFlag.noSetAffinity)
        ? {}
        : { setAffinity: (_desc, mask, force) => this.#setAffinity(mask, force) }),
      ...(this.#has(ChipFlag.requestResources) ? { requestResources: () => this.#requestResources() } : {}),
      ...(this.#has(ChipFlag.busLock)
        ? { busLock: this.#call('bus_lock'), busSyncUnlock: this.#call('bus_sync_unlock') }
        : {}),
      ...(this.#has(ChipFlag.startupShutdown)
        ? { startup: this.#call('startup', unmask), shutdown: this.#call('shutdown', mask) }
        : {}),
      ...(this.#has(ChipFlag.enableDisable)
        ? { enable: this.#call('enable', unmask), disable: this.#call('disable', mask) }
        : {}),
      ...(this.#has(ChipFlag.noRetrigger)
        ? {}
        : {
            retrigger: () => {
              this.#log('chip.retrigger', { line: this.name });
              this.raise();
              return true;
            },
          }),
      ...this.#options.chip,
    };
  }

  #setType(type: number): void {
    const failure = this.#options.setTypeFails?.[this.#typesSet++] ?? 0;
    const error = failure === 0 ? undefined : new KernelError(failure, `${this.name} has no trigger type ${type}`);
    this.#log('chip.set_type', { line: this.name, type, ret: error?.errno ?? 0 });
    if (error !== undefined) throw error;
  }

  /** The recorded driver had none to give. */
  #requestResources(): never {
    const error = new KernelError('ENODEV', `${this.name} has no resources`);
    this.#log('chip.request_resources', { line: this.name, ret: error.errno });
    throw error;
  }

  #setAffinity(mask: number, force: boolean): number {
    const list = cpulistPr(mask);
    this.#logAlways('chip.set_affinity', {
      line: this.name,
      mask: /^\d+$/.test(list) ? Number(list) : list,
      force: force ? 1 : 0,
    });
    return mask;
  }

  #unmask(): void {
    this.#masked = false;
    const wanted = this.#latched || (this.#asserted && !this.#delivering);
    this.#latched = false;
    if (wanted) this.raise();
  }

  /** Raises the interrupt on a CPU, by default the running one; it is taken as soon as interrupts are on there. */
  raise(cpuId: number = smpProcessorId()): void {
    if (this.#pending) return;
    const cpu: Cpu | undefined = this.#machine.cpus[cpuId];
    if (cpu === undefined) throw new KernelError('EINVAL', `the machine has no CPU ${cpuId}`);
    this.#pending = true;
    cpu.callFunction(() => {
      this.#pending = false;
      return this.arrive();
    });
  }

  /** The interrupt arrives at the controller, in a hard interrupt. */
  arrive(): 0 | -1 {
    if (this.#masked) {
      if (this.#options.latching === true) this.#latched = true;
      this.#log('hw.blocked', { line: this.name });
      return 0;
    }
    let delivered = 0;
    return this.#domain.handleEach(() => {
      const again = delivered === 0 || (this.#asserted && !this.#masked);
      if (again && delivered < STORM) {
        delivered++;
        this.#delivering = true;
        this.#log('hw.deliver', { line: this.name });
        return this.#hwirq;
      }
      if (again) this.#log('hw.storm_cut', { line: this.name });
      this.#delivering = false;
      return -1;
    });
  }

  /** generic_handle_irq(), in a hard interrupt. */
  handle(): 0 | -1 {
    return this.#domain.handle(this.#hwirq);
  }

  setLevel(asserted: boolean): void {
    this.#asserted = asserted;
  }

  /** Gives the interrupt number back; no action may be on the line. */
  dispose(): void {
    this.#domain.disposeMapping(this.#hwirq);
  }
}
