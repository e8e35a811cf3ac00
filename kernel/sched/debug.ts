// Where somebody is: the chain of contexts and the place in the user's code, for the reports of the kernel (lib/dump_stack.c).
import { foreignFrames } from '../trace/stack.js';
import type { Cpu } from './cpu.js';
import { HARDIRQ_MASK, HARDIRQ_OFFSET, SOFTIRQ_OFFSET } from './preempt.js';

/** Where the engine goes on with a context: what is further out in a JavaScript stack is not that context's. */
const ENGINE = /#(?:goOn|takeInterrupt|advance)\b.*[/\\]cpu\.[jt]s/;

/** Lines of the user's code in the running context, innermost first. */
export function contextFrames(stack: string | undefined): string[] {
  const lines = (stack ?? '').split('\n');
  const end = lines.findIndex((line) => ENGINE.test(line));
  return foreignFrames((end < 0 ? lines : lines.slice(0, end)).join('\n'));
}

/** `file:line` of the innermost line of the user's code; `?` when there is none. */
export function placeOf(stack: string | undefined): string {
  const [frame = ''] = contextFrames(stack);
  const [, file, line] = /\(?(?:file:\/\/)?([^\s()]+?):(\d+)(?::\d+)?\)?$/.exec(frame) ?? [];
  return file === undefined || line === undefined ? '?' : `${file}:${line}`;
}

/** The CPU and the task, the item if it is a kworker, then the contexts that lie on each other, innermost first, with the frames of the innermost. */
export function stackDump(cpu: Cpu, stack: string | undefined): string[] {
  const { current, preemptCount } = cpu;
  const chain: string[] = [];
  for (let count = preemptCount & HARDIRQ_MASK; count > 0; count -= HARDIRQ_OFFSET) chain.push('IRQ');
  if ((preemptCount & SOFTIRQ_OFFSET) !== 0) chain.push('SOFTIRQ');
  chain.push('TASK');
  const lines = [`CPU: ${cpu.id} PID: ${current.pid} Comm: ${current.comm}`];
  if (current.worker?.info !== undefined) lines.push(current.worker.info);
  lines.push('Call Trace:');
  for (const [depth, name] of chain.entries()) {
    lines.push(` <${name}>`);
    if (depth === 0) lines.push(...contextFrames(stack).map((frame) => `  ${frame.trim()}`));
    lines.push(` </${name}>`);
  }
  return lines;
}

/** Runs `fn` with room for long stacks, which the model's own frames would else use up. */
export function withLongStacks<R>(fn: () => R): R {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 60;
  try {
    return fn();
  } finally {
    Error.stackTraceLimit = before;
  }
}
