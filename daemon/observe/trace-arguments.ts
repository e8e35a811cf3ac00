// What the numbers of a trace record are called; as Linux calls them, where it does.

import { Tracepoint, type TracepointId } from '../../kernel/index.js';

/** The names of `a` and `b`; empty for a number that says nothing. */
export const TRACE_ARGUMENTS: Readonly<Record<TracepointId, readonly [a: string, b: string]>> = {
  [Tracepoint.irqHandlerEntry]: ['irq', ''],
  [Tracepoint.irqHandlerExit]: ['irq', 'ret'],
  [Tracepoint.schedSwitch]: ['prev_pid', 'next_pid'],
  [Tracepoint.schedWakeup]: ['pid', 'target_cpu'],
  [Tracepoint.workqueueQueueWork]: ['work', 'req_cpu'],
  [Tracepoint.workqueueExecuteStart]: ['work', ''],
  [Tracepoint.workqueueExecuteEnd]: ['work', ''],
  [Tracepoint.gpioValue]: ['gpio', 'value'],
  [Tracepoint.irqThreadEntry]: ['irq', ''],
  [Tracepoint.irqThreadExit]: ['irq', 'ret'],
  [Tracepoint.softirqRaise]: ['vec', ''],
  [Tracepoint.softirqEntry]: ['vec', ''],
  [Tracepoint.softirqExit]: ['vec', ''],
  [Tracepoint.timerExpireEntry]: ['expires', ''],
  [Tracepoint.timerExpireExit]: ['expires', ''],
  [Tracepoint.hrtimerExpireEntry]: ['mode', ''],
  [Tracepoint.hrtimerExpireExit]: ['mode', ''],
  [Tracepoint.taskletEntry]: ['', ''],
  [Tracepoint.taskletExit]: ['', ''],
};
