// /proc/interrupts and /proc/irq, as the kernel prints them and takes what is written (kernel/irq/proc.c).
import { KernelError } from '../errno.js';
import type { FileOps } from '../fs/file-tree.js';
import { cpulistParse, cpulistPr, cpumaskParse, cpumaskPr } from '../lib/cpumask.js';
import type { Machine } from '../machine.js';
import { jiffiesToMsecs } from '../time/jiffies.js';
import { canSetAffinity, setAffinityOf } from './affinity.js';
import { IRQ_HIDDEN } from './flags.js';
import type { IrqAction, IrqDesc } from './irqdesc.js';

const READ_ONLY = 0o444;
const OWNER_WRITES = 0o644;
/** Length of a handler's directory name. */
const NAME_MAX = 127;

/** Width of the number column: as many digits as the largest interrupt number may have, at least 3. */
function numberWidth(nrIrqs: number): number {
  let width = 3;
  for (let limit = 1000; width < 10 && limit <= nrIrqs; limit *= 10) width++;
  return width;
}

function chipColumn(desc: IrqDesc): string {
  const { chip } = desc;
  if (chip?.printChip !== undefined) return chip.printChip(desc);
  const name = chip === undefined ? 'None' : chip.name || '-';
  return ` ${name.padStart(8)}`;
}

function line(desc: IrqDesc, width: number): string {
  let text = `${String(desc.irq).padStart(width)}: `;
  for (const count of desc.counts) text += `${String(count).padStart(10)} `;
  text += chipColumn(desc);
  text += ` ${(desc.domain === undefined ? '' : String(desc.hwirq)).padStart(width)}`;
  if (desc.machine.irqs.arch !== 'x86') text += ` ${(desc.isLevel ? 'Level' : 'Edge').padEnd(8)}`;
  if (desc.flowName !== undefined) text += `-${desc.flowName.padEnd(8)}`;
  return `${text}  ${desc.actions.map((action) => action.name).join(', ')}`;
}

/** Behind the lines: what the architecture counts. */
function archLines({ ipis, irqs }: Machine, width: number): string {
  return `${ipis?.show(width) ?? ''}${(irqs.arch === 'x86' ? 'ERR' : 'Err').padStart(width)}: ${String(irqs.errCount).padStart(10)}\n`;
}

/** /proc/interrupts (show_interrupts). Lines without an action are not in it, nor are chained and hidden ones. */
export function showInterrupts(machine: Machine): string {
  const width = numberWidth(machine.irqs.nrIrqs);
  let text = ' '.repeat(width + 8);
  for (const cpu of machine.cpus) text += `CPU${String(cpu.id).padEnd(8)}`;
  text += '\n';
  for (const desc of machine.irqs) {
    if (desc.actions.length === 0 || desc.chained || (desc.settings & IRQ_HIDDEN) !== 0) continue;
    text += `${line(desc, width)}\n`;
  }
  return text + archLines(machine, width);
}

function writeAffinity(desc: IrqDesc, parse: (text: string, bits: number) => number, text: string): void {
  const { machine, irq } = desc;
  if (!canSetAffinity(desc)) {
    throw new KernelError('EPERM', `irq ${irq}: its interrupts cannot be sent to another CPU`, {
      hint: 'its chip has no way to do it, or its driver asked for them to stay (IRQF_NOBALANCING, IRQF_PERCPU)',
    });
  }
  const mask = parse(text, machine.cpus.length);
  if ((mask & machine.cpuMask) === 0) throw noCpu(`irq ${irq}`);
  setAffinityOf(desc, mask, false);
}

function noCpu(what: string): KernelError {
  return new KernelError('EINVAL', `${what}: at least one CPU has to be left`);
}

function file(show: () => string): FileOps {
  return { mode: READ_ONLY, show: () => `${show()}\n` };
}

function affinityFiles(desc: IrqDesc): Readonly<Record<string, FileOps>> {
  const bits = desc.machine.cpus.length;
  const mode = canSetAffinity(desc) ? OWNER_WRITES : READ_ONLY;
  const affinity = (): number => (desc.movePending ? desc.pendingMask : desc.affinity);
  const set =
    (parse: (text: string, bits: number) => number) =>
    (text: string): void =>
      writeAffinity(desc, parse, text);
  return {
    smp_affinity: { ...file(() => cpumaskPr(affinity(), bits)), mode, store: set(cpumaskParse) },
    smp_affinity_list: { ...file(() => cpulistPr(affinity())), mode, store: set(cpulistParse) },
    affinity_hint: file(() => cpumaskPr(desc.affinityHint, bits)),
    effective_affinity: file(() => cpumaskPr(desc.effectiveAffinity, bits)),
    effective_affinity_list: file(() => cpulistPr(desc.effectiveAffinity)),
  };
}

function showSpurious(desc: IrqDesc): string {
  const ms = jiffiesToMsecs(desc.lastUnhandled, desc.machine.hz);
  return `count ${desc.irqCount}\nunhandled ${desc.irqsUnhandled}\nlast_unhandled ${ms} ms`;
}

function directory({ irq }: IrqDesc): string {
  return `/proc/irq/${irq}`;
}

/** Makes the directory of a line when it gets its first handler (register_irq_proc); it stays until the line is given back. */
export function registerIrqProc(desc: IrqDesc): void {
  const { files } = desc.machine;
  const path = directory(desc);
  if (desc.chip === undefined || files.exists(path)) return;
  for (const [name, ops] of Object.entries(affinityFiles(desc))) files.create(`${path}/${name}`, ops);
  files.create(
    `${path}/node`,
    file(() => '0'),
  );
  files.create(
    `${path}/spurious`,
    file(() => showSpurious(desc)),
  );
}

/** Takes the directory of a line away (unregister_irq_proc). */
export function unregisterIrqProc(desc: IrqDesc): void {
  desc.machine.files.remove(directory(desc));
}

/** The directories of handlers that have one. */
const handlerDirs = new WeakMap<IrqAction, string>();

/** Makes the directory of a handler; of several with one name the first has it (register_handler_proc). */
export function registerHandlerProc(desc: IrqDesc, action: IrqAction): void {
  const { machine, irq } = desc;
  const name = action.name.slice(0, NAME_MAX);
  if (desc.actions.some((other) => other !== action && other.name === action.name)) return;
  const path = `${directory(desc)}/${name}`;
  // The interrupt works without its directory, whatever its name is: only files of the line are in its way.
  if (name.includes('/')) machine.warn(`name '${name}'`, '__xlate_proc_name');
  else if (name === '') machine.warn('name len 0', '__proc_create');
  else if (machine.files.exists(path))
    machine.warn(`proc_dir_entry '${irq}/${name}' already registered`, 'proc_register');
  else {
    handlerDirs.set(action, path);
    machine.files.mkdir(path);
  }
}

/** Takes the directory of a handler away (unregister_handler_proc). */
export function unregisterHandlerProc(desc: IrqDesc, action: IrqAction): void {
  const path = handlerDirs.get(action);
  if (path !== undefined) desc.machine.files.remove(path);
}

/** Makes /proc/interrupts and /proc/irq (init_irq_proc). */
export function initIrqProc(machine: Machine): void {
  const { files, irqs, cpus, cpuMask } = machine;
  files.create('/proc/interrupts', { mode: READ_ONLY, show: () => showInterrupts(machine) });
  files.create('/proc/irq/default_smp_affinity', {
    ...file(() => cpumaskPr(irqs.defaultAffinity, cpus.length)),
    mode: OWNER_WRITES,
    store: (text) => {
      const mask = cpumaskParse(text, cpus.length);
      if ((mask & cpuMask) === 0) throw noCpu('default_smp_affinity');
      irqs.defaultAffinity = mask;
    },
  });
}
