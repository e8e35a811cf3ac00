// Runs a scenario's program on a machine of its own.
import { type LogLevel, Machine, type MachineOptions, VirtualClock } from '../../kernel/index.js';
import type { ModelRun } from './compare.js';
import { modelText } from './kernel-text.js';
import { Oracle, type Program } from './vocabulary.js';

/** A scenario that takes longer in virtual time hangs. */
const LIMIT_NS = 3_600_000_000_000;

/** Runs a program to its end in the kthread `oracle`; throws what the program throws. */
export function runProgram(program: Program, options: MachineOptions = {}): ModelRun {
  const printed: string[] = [];
  const clock = new VirtualClock();
  const failures: unknown[] = [];
  const machine = new Machine({
    lockdep: false,
    ...options,
    clock,
    printk: (_level: LogLevel, text: string) => printed.push(text),
    onOops: (where, error) => failures.push(new Error(`exception in ${where}`, { cause: error })),
  });
  const oracle = new Oracle(machine);
  // What is printed when the machine is put together, and behind the program's end, is not the program's.
  const first = printed.length;
  let end = 0;
  const body = function* () {
    yield* program(oracle);
    end = printed.length;
  };
  const task = machine.spawn('oracle', body, { rtPriority: 1, cpusAllowed: 1 });
  while (!task.exited && clock.now() < LIMIT_NS) {
    if (!clock.step(LIMIT_NS)) break;
  }
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  if (!task.exited) throw new Error(`the scenario does not end: oracle is in state ${task.stateLetter}`);
  const kernel = modelText(printed.slice(first, end), oracle.lines);
  return { events: oracle.events, kernel, user: oracle.userText };
}
