// Metrics of the process: CPU time, memory, descriptors, the event loop. None of them needs a timer, which would wake an idle daemon.
import { readdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { type NumberFamily, single } from './families.js';

const MS_PER_S = 1_000;
const US_PER_S = 1_000_000;
const FDS = '/proc/self/fd';

/** Open descriptors; `undefined` where there is no /proc. */
function openFds(): number | undefined {
  try {
    // One of them is the directory's.
    return readdirSync(FDS).length - 1;
  } catch {
    return undefined;
  }
}

export const processFamilies: readonly NumberFamily[] = [
  single('counter', 'process_cpu_seconds_total', 'CPU time of the process, in user and system mode.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / US_PER_S;
  }),
  single(
    'gauge',
    'process_start_time_seconds',
    'When the process was started, in seconds since 1970.',
    () => performance.timeOrigin / MS_PER_S,
  ),
  single('gauge', 'process_resident_memory_bytes', 'Memory of the process that is in RAM.', () =>
    process.memoryUsage.rss(),
  ),
  single('gauge', 'process_open_fds', 'Open descriptors.', openFds),
  single(
    'gauge',
    'nodejs_heap_size_used_bytes',
    'Heap of JavaScript that is in use.',
    () => process.memoryUsage().heapUsed,
  ),
  single('gauge', 'nodejs_heap_size_total_bytes', 'Heap of JavaScript.', () => process.memoryUsage().heapTotal),
  single(
    'gauge',
    'nodejs_external_memory_bytes',
    'Memory outside of the heap that objects of JavaScript have.',
    () => process.memoryUsage().external,
  ),
  single(
    'counter',
    'gpio_irqd_event_loop_busy_seconds_total',
    'Time that the event loop did something, in place of waiting.',
    () => performance.eventLoopUtilization().active / MS_PER_S,
  ),
];
