// What a user process reads of interrupt lines in /proc and /sys, and what it is answered when it writes affinities.
import {
  IRQ_HANDLED,
  IRQ_NONE,
  IRQF_SHARED,
  IRQF_TRIGGER_HIGH,
  IRQF_TRIGGER_RISING,
  type IrqReturn,
  KernelError,
} from '../../../kernel/index.js';
import { ChipFlag, type Line, type Oracle } from '../vocabulary.js';

const PROC_FILES = [
  'smp_affinity',
  'smp_affinity_list',
  'affinity_hint',
  'effective_affinity',
  'effective_affinity_list',
  'node',
  'spurious',
];
const SYS_FILES = ['actions', 'chip_name', 'hwirq', 'name', 'per_cpu_count', 'type', 'wakeup'];
const MASKS = ['0', 'zz', '8', '100', '1'];
/** With what is read after each, for the first two. */
const LISTS = ['1', '0-1', '7', '0'];
const READ_AFTER = 2;

const handled = (): IrqReturn => IRQ_HANDLED;
const none = (): IrqReturn => IRQ_NONE;

function codeOf(error: unknown): string {
  if (error instanceof KernelError) return error.code;
  throw error;
}

/** The lines of a file, or the error that reading it gives. */
function linesOf(o: Oracle, path: string): string[] {
  try {
    // The recordings have T for a time.
    const text = o.machine.files.read(path).replace(/last_unhandled [1-9]\d* ms/, 'last_unhandled T ms');
    return text.split('\n').slice(0, -1);
  } catch (error) {
    return [`<${codeOf(error)}>`];
  }
}

function modeOf(o: Oracle, path: string): string {
  const [stat] = o.machine.files.exists(path) ? o.machine.files.list(path) : [];
  return (stat?.mode ?? 0).toString(8);
}

function showInterrupts(o: Oracle, lines: readonly Line[]): void {
  const [header = '', ...rows] = linesOf(o, '/proc/interrupts');
  o.user(`interrupts-header [${header}]`);
  for (const { name, irq } of lines) {
    const row = rows.find((candidate) => candidate.trimStart().startsWith(`${irq}:`));
    if (row !== undefined) o.user(`interrupts line=${name} [${row}]`);
  }
}

function showLine(o: Oracle, { name, irq }: Line): void {
  const directory = `/proc/irq/${irq}`;
  const names = o.machine.files.exists(directory) ? o.machine.files.list(directory) : [];
  o.user(`dir line=${name}: ${names.map((entry) => entry.name).join(' ')}`);
  for (const file of PROC_FILES) {
    const path = `${directory}/${file}`;
    for (const text of linesOf(o, path)) o.user(`file line=${name} name=${file} mode=${modeOf(o, path)} | ${text}`);
  }
  for (const file of SYS_FILES) {
    for (const text of linesOf(o, `/sys/kernel/irq/${irq}/${file}`))
      o.user(`sysfs line=${name} name=${file} | ${text}`);
  }
}

function* write(o: Oracle, { name, irq }: Line, file: string, value: string) {
  let result = 'OK';
  try {
    yield* o.machine.files.write(`/proc/irq/${irq}/${file}`, value);
  } catch (error) {
    result = codeOf(error);
  }
  o.user(`write file=${name}/${file} value=${value} result=${result}`);
}

function* writeAffinities(o: Oracle, line: Line) {
  const read = (file: string): string => linesOf(o, `/proc/irq/${line.irq}/${file}`).join('\n');
  for (const value of MASKS) yield* write(o, line, 'smp_affinity', value);
  for (const [at, value] of LISTS.entries()) {
    yield* write(o, line, 'smp_affinity_list', value);
    if (at < READ_AFTER) o.user(`after smp_affinity_list | ${read('smp_affinity_list')}`);
  }
  o.user(`effective_affinity | ${read('effective_affinity')}`);
  yield* write(o, line, 'effective_affinity', '1');
}

function* times(count: number, o: Oracle, line: Line) {
  for (let i = 0; i < count; i++) yield* o.pulse(line);
}

export default function* (o: Oracle) {
  const quiet = true;
  const A = o.line('A', 'edge', { quiet, irq: 24, hwirq: 0 });
  const B = o.line('B', 'level', { quiet, irq: 29, hwirq: 5, chipflags: ChipFlag.noSetAffinity });
  const C = o.line('C', 'fasteoi', { quiet, irq: 30, hwirq: 6 });
  const D = o.line('D', 'simple', { quiet, irq: 31, hwirq: 7 });
  const log = { line: 'A' };
  yield* o.request(A, { handler: handled, flags: IRQF_TRIGGER_RISING, name: 'alpha', log });
  const shared = { flags: IRQF_SHARED, log: { line: 'B' } };
  const beta = { ...shared, flags: IRQF_SHARED | IRQF_TRIGGER_HIGH, handler: handled, thread: handled };
  yield* o.request(B, { ...beta, name: 'beta-1', dev: 1 });
  yield* o.request(B, { ...shared, handler: none, name: 'beta-2', dev: 2 });
  yield* o.request(C, { handler: none, name: 'gamma', log: { line: 'C' } });
  yield* times(5, o, A);
  yield* times(2, o, B);
  yield* times(3, o, C);
  o.log('ready');

  showInterrupts(o, [A, B, C, D]);
  for (const line of [A, B, C, D]) showLine(o, line);
  for (const line of [A, B, C, D]) yield* writeAffinities(o, line);
}
