// /sys/kernel/irq/N: what a line is, a value a file (kernel/irq/irqdesc.c).
import type { IrqDesc } from './irqdesc.js';

const MODE = 0o444;

/** The files by name; one without a value is empty. */
const ATTRIBUTES: Readonly<Record<string, (desc: IrqDesc) => string | undefined>> = {
  per_cpu_count: ({ counts }) => counts.join(','),
  chip_name: ({ chip }) => chip?.name,
  hwirq: ({ domain, hwirq }) => (domain === undefined ? undefined : String(hwirq)),
  type: ({ isLevel }) => (isLevel ? 'level' : 'edge'),
  wakeup: ({ wakeup }) => (wakeup ? 'enabled' : 'disabled'),
  name: ({ flowName }) => flowName,
  actions: ({ actions }) => (actions.length === 0 ? undefined : actions.map(({ name }) => name).join(',')),
};

function directory({ irq }: IrqDesc): string {
  return `/sys/kernel/irq/${irq}`;
}

/** Makes the files of a new line. */
export function irqSysfsAdd(desc: IrqDesc): void {
  for (const [name, value] of Object.entries(ATTRIBUTES)) {
    const show = (): string => {
      const text = value(desc);
      return text === undefined ? '' : `${text}\n`;
    };
    desc.machine.files.create(`${directory(desc)}/${name}`, { mode: MODE, show });
  }
}

/** Takes the files away with the line. */
export function irqSysfsDel(desc: IrqDesc): void {
  desc.machine.files.remove(directory(desc));
}
