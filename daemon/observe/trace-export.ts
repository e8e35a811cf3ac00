// The trace in the formats of other tools: ftrace, Perfetto, JSON lines.

import { TRACEPOINT_NAMES, type TraceRecord } from '../../kernel/index.js';
import type { TraceFormat } from '../control/trace-formats.js';
import { ftraceText } from './ftrace.js';
import { perfettoJson } from './perfetto.js';
import { TRACE_ARGUMENTS } from './trace-arguments.js';

function jsonLine({ index, timeNs, cpu, pid, event, a, b, name }: TraceRecord): string {
  const [first, second] = TRACE_ARGUMENTS[event];
  return `${JSON.stringify({
    index,
    ns: Math.round(timeNs),
    cpu,
    pid,
    event: TRACEPOINT_NAMES[event],
    ...(first === '' ? {} : { [first]: a }),
    ...(second === '' ? {} : { [second]: b }),
    ...(name === '' ? {} : { name }),
  })}\n`;
}

/** Writes records, oldest first; `type` is the media type of the text. */
export function exportTrace(format: TraceFormat, records: Iterable<TraceRecord>): { type: string; text: string } {
  const all = [...records];
  switch (format) {
    case 'ftrace':
      return { type: 'text/plain; charset=utf-8', text: ftraceText(all) };
    case 'perfetto':
      return { type: 'application/json; charset=utf-8', text: perfettoJson(all) };
    case 'jsonl':
      return { type: 'application/x-ndjson', text: all.map(jsonLine).join('') };
  }
}
