// `event_buffer`, `event_clock`: how many edges wait in the kernel until they are read, and when they are said to have been.

import { z } from 'zod';

/** The largest FIFO that the kernel gives a request (GPIO_V2_LINES_MAX * 16). */
export const EVENT_BUFFER_MAX = 1024;

/** Size of the kernel's FIFO. */
export const eventBufferSchema = z
  .int()
  .min(1)
  .max(EVENT_BUFFER_MAX)
  .default(EVENT_BUFFER_MAX)
  .describe('Edges that the kernel keeps until they are read; the largest is the default, and the kernel rounds up.');

/** Clocks that events can tell of edges in. The model's own stamps are always of the monotonic one, which never goes back. */
export const EVENT_CLOCKS = ['monotonic', 'realtime'] as const;
/** One of {@link EVENT_CLOCKS}. */
export type EventClock = (typeof EVENT_CLOCKS)[number];

/** The clock of the edges in events. */
export const eventClockSchema = z
  .enum(EVENT_CLOCKS)
  .default('monotonic')
  .describe(
    'Clock that events tell the time of edges in. With `realtime` they have `time` besides, by the wall clock in ms, which moves when it is set.',
  );
