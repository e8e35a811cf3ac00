// The formats in which the trace is given to other tools.

/** `ftrace` as Linux's tracefs has it, `perfetto` as Chrome's trace events in JSON, `jsonl` a record a line. */
export const TRACE_FORMATS = ['ftrace', 'perfetto', 'jsonl'] as const;

/** One of them. */
export type TraceFormat = (typeof TRACE_FORMATS)[number];
