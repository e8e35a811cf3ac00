// What holds of every daemon at rest, whatever was done to its lines: checked after each round of `gpio-irqd fuzz`.
import type { IrqDesc } from '../../kernel/index.js';
import type { Config } from '../config/config.js';
import type { Simulation } from './simulation.js';

/** preempt_count of a CPU that idles: the idle task cannot be preempted. */
const IDLE_COUNT = 1;

/** What does not hold; empty when all is well. Call it when nothing has happened for a while. */
export function brokenInvariants(simulation: Simulation, config: Config, chipLeft: boolean): string[] {
  return [
    ...cpus(simulation),
    ...interrupts(simulation),
    ...workqueues(simulation),
    ...config.lines.flatMap(({ name, edge }) => [
      ...levels(simulation, config, name),
      ...(edge === 'none' || chipLeft ? [] : counts(simulation, config, name)),
    ]),
  ];
}

/** No CPU is in an interrupt, holds a lock or has softirqs left. */
function cpus({ machine }: Simulation): string[] {
  return machine.cpus.flatMap((cpu) => {
    const broken: string[] = [];
    if (cpu.current !== cpu.idle) broken.push(`CPU ${cpu.id} runs ${cpu.current.comm} for ever`);
    if (cpu.preemptCount !== IDLE_COUNT)
      broken.push(`CPU ${cpu.id}: preempt_count is 0x${cpu.preemptCount.toString(16)} at rest`);
    if (!cpu.irqsEnabled) broken.push(`CPU ${cpu.id}: interrupts are off at rest`);
    if (cpu.softirqs.pending !== 0)
      broken.push(`CPU ${cpu.id}: softirqs 0x${cpu.softirqs.pending.toString(16)} are not served`);
    return broken;
  });
}

/** Every requested line is enabled, unmasked and done with, unless its storm guard has it. */
function interrupts({ machine }: Simulation): string[] {
  return [...machine.irqs].filter((desc) => desc.actions.length > 0).flatMap((desc) => lineAtRest(desc));
}

function lineAtRest(desc: IrqDesc): string[] {
  const broken: string[] = [];
  const name = `irq ${desc.irq} (${desc.actions.map((action) => action.name).join(', ')})`;
  if (desc.storm?.state.throttled === true) return [];
  if (desc.depth !== 0) broken.push(`${name} is disabled ${desc.depth} deep`);
  else if (desc.masked) broken.push(`${name} is enabled, and stays masked`);
  if (desc.inProgress) broken.push(`${name} is in progress at rest`);
  if (desc.pending) broken.push(`${name} is pending at rest, and nobody handles it`);
  if (desc.threadsActive !== 0) broken.push(`${name}: ${desc.threadsActive} threads have not finished`);
  if (desc.threadsOneshot !== 0) broken.push(`${name}: its threads keep it masked`);
  return broken;
}

function workqueues({ service }: Simulation): string[] {
  return service.model
    .workqueues()
    .filter(({ active, waiting }) => active + waiting > 0)
    .map(({ name, active, waiting }) => `workqueue ${name}: ${active} items active, ${waiting} waiting at rest`);
}

/** A line's value is the level of its pad, and an LED is lit exactly when its line is on. */
function levels(simulation: Simulation, { lines }: Config, name: string): string[] {
  const line = lines.find((candidate) => candidate.name === name);
  const { value } = simulation.line(name);
  if (line === undefined || value === 'unknown') return [];
  const pad = simulation.padLevel(line) === 1;
  if ((pad !== line.activeLow) === (value === 1)) return [];
  return [`${name} is ${value}, and its wire is ${pad ? 'high' : 'low'}`];
}

/** Every edge that the kernel has numbered was handled, merged while the line was disabled, or is known to be lost. */
function counts(simulation: Simulation, { lines }: Config, name: string): string[] {
  const { rising, falling, lost, lineSeqno = 0, storm } = simulation.service.getLine(name);
  if (lost === 'unknown' || lineSeqno === 0) return [];
  const gpio = lines.find((candidate) => candidate.name === name)?.gpio ?? -1;
  const coalesced =
    [...simulation.machine.irqs].find((desc) => desc.hwirq === gpio && desc.actions.length > 0)?.coalesced ?? 0;
  const merged = Math.max(coalesced, storm?.leftOut ?? 0);
  const known = rising + falling + lost + merged;
  if (known >= lineSeqno) return [];
  return [
    `${name}: ${lineSeqno} edges, of which ${rising + falling} were handled, ${lost} lost and ${merged} merged: ${lineSeqno - known} are missing`,
  ];
}
