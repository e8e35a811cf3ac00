// A machine with a fake interrupt controller that logs its calls, as the recordings of the real kernel had one.
import { Machine } from '../machine.js';
import type { LogLevel, MachineOptions } from '../machine-options.js';
import { context, current, thisCpu } from '../sched/current.js';
import { contextOf } from '../sched/preempt.js';
import { IRQ_HANDLED, type IrqReturn } from './flags.js';
import { handleEdgeIrq } from './flow.js';
import type { FlowHandler, IrqChip, IrqDesc } from './irqdesc.js';
import { IrqDomain } from './irqdomain.js';
import { requestIrq } from './request.js';

export interface FakeLineOptions {
  readonly cpus?: number;
  /** Further options of the machine. */
  readonly machine?: MachineOptions;
  /** Replaces or adds callbacks of the chip. */
  readonly chip?: { readonly [K in keyof IrqChip]?: IrqChip[K] | undefined };
  /** The chip has mask_ack and retrigger, as the recordings' one; default true. */
  readonly full?: boolean;
  /** The chip has eoi; default false. */
  readonly eoi?: boolean;
  /** Default: the edge flow. */
  readonly flow?: FlowHandler;
}

export interface FakeLines {
  readonly machine: Machine;
  readonly domain: IrqDomain;
  /** Calls of the chip, and what tests add. */
  readonly log: string[];
  /** What the model printed, as `level: text`; of a WARN the text and the function that noticed. */
  readonly printed: string[];
  /** Hardware line 3 as an interrupt number, and its descriptor. */
  readonly irq: number;
  readonly desc: IrqDesc;
  /** An edge arrives on a CPU (default 0); the line's hardware mask blocks it. */
  pulse(hwirq?: number, cpu?: number): void;
  /** Requests line 3 with a handler that logs `primary`. */
  requestPrimary(flags?: number): void;
  /** Logs `text` with the time in µs, the context and the task. */
  at(text: string): void;
  /** The log so far; it begins anew. */
  taken(): string[];
}

/** Builds the machine. */
export function fakeLines(options: FakeLineOptions = {}): FakeLines {
  const log: string[] = [];
  const printed: string[] = [];
  const printk = (level: LogLevel, text: string): void => {
    const [, warning, where] = /^-+\[ cut here \]-+\n(?:(.*)\n)?WARNING: .* (\w+)$/m.exec(text) ?? [];
    printed.push(where === undefined ? `${level}: ${text}` : `${level}: ${warning ?? ''} (${where})`);
  };
  const machine = new Machine({ ...options.machine, cpus: options.cpus ?? 1, printk });
  const masked = new Set<number>();
  const pulse = (hwirq = 3, cpu = 0): void => {
    machine.cpus[cpu]?.callFunction(() => {
      if (!masked.has(hwirq)) return domain.handle(hwirq);
      log.push('blocked');
      return 0;
    });
  };
  const extra: Partial<IrqChip> =
    options.full === false
      ? {}
      : {
          maskAck: ({ hwirq }) => {
            masked.add(hwirq);
            log.push('mask_ack');
          },
          retrigger: ({ hwirq }) => {
            log.push('retrigger');
            thisCpu().callFunction(() => domain.handle(hwirq));
            return true;
          },
        };
  const domain = new IrqDomain(machine, {
    name: 'fake',
    size: 8,
    flow: options.flow ?? handleEdgeIrq,
    chip: {
      name: 'fake',
      ack: () => log.push('ack'),
      mask: ({ hwirq }) => {
        masked.add(hwirq);
        log.push('mask');
      },
      unmask: ({ hwirq }) => {
        masked.delete(hwirq);
        log.push('unmask');
      },
      setType: () => {},
      ...(options.eoi === true ? { eoi: () => log.push('eoi') } : {}),
      ...extra,
      ...options.chip,
    } as IrqChip,
  });
  const irq = domain.createMapping(3);
  return {
    machine,
    domain,
    log,
    printed,
    irq,
    desc: machine.irqs.get(irq),
    pulse,
    requestPrimary: (flags = 0) => {
      const handler = handledAfter(() => log.push('primary'));
      machine.runTask(() => requestIrq(irq, handler, flags, 'd'));
    },
    at: (text) => {
      const where = context() === 'task' ? current().comm : contextOf(thisCpu().preemptCount);
      log.push(`${machine.clock.now() / 1_000} ${where} ${text}`);
    },
    taken: () => log.splice(0),
  };
}

/** The error that a call throws. */
export function thrownBy(fn: () => unknown): unknown {
  try {
    fn();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** A handler or thread function that does something and has handled the interrupt. */
export function handledAfter(action: () => void): () => IrqReturn {
  return () => {
    action();
    return IRQ_HANDLED;
  };
}
