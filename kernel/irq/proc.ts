// /proc/interrupts, column for column as the kernel prints it (show_interrupts in kernel/irq/proc.c).
import type { Machine } from '../machine.js';
import type { IrqDesc } from './irqdesc.js';

/** Width of the number column: as many digits as the largest interrupt number may have, at least 3. */
function numberWidth(nrIrqs: number): number {
  let width = 3;
  for (let limit = 1000; width < 10 && limit <= nrIrqs; limit *= 10) width++;
  return width;
}

function line(desc: IrqDesc, width: number): string {
  let text = `${String(desc.irq).padStart(width)}: `;
  for (const count of desc.counts) text += `${String(count).padStart(10)} `;
  text += ` ${(desc.chip?.name ?? 'None').padStart(8)}`;
  text += ` ${(desc.domain === undefined ? '' : String(desc.hwirq)).padStart(width)}`;
  text += ` ${(desc.isLevel ? 'Level' : 'Edge').padEnd(8)}`;
  if (desc.flowName !== undefined) text += `-${desc.flowName.padEnd(8)}`;
  if (desc.actions.length > 0) text += `  ${desc.actions.map((action) => action.name).join(', ')}`;
  return text;
}

/** The whole file. Lines without an action appear once they have counted an interrupt, chained ones never. */
export function showInterrupts(machine: Machine): string {
  const width = numberWidth(machine.irqs.nrIrqs);
  let text = ' '.repeat(width + 8);
  for (const cpu of machine.cpus) text += `CPU${String(cpu.id).padEnd(8)}`;
  text += '\n';
  for (const desc of machine.irqs) {
    if (!desc.chained && (desc.actions.length > 0 || desc.total > 0)) text += `${line(desc, width)}\n`;
  }
  return text;
}
