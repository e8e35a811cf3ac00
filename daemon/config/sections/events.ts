// `event_buffer`, `event_clock`: how the kernel keeps the edges until they are read.

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

/** Clock of the stamps. */
export const EVENT_CLOCKS = ['monotonic', 'realtime'] as const;
/** One of {@link EVENT_CLOCKS}. */
export type EventClock = (typeof EVENT_CLOCKS)[number];

/** The clock that stamps the edges. */
export const eventClockSchema = z
  .enum(EVENT_CLOCKS)
  .default('monotonic')
  .describe('Clock that the kernel stamps edges with. `monotonic` is not moved when the time is set.');
