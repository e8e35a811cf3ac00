// Metrics of the lines: edges by what became of them, levels, storm guards.
import { type NumberFamily, ofLines, seconds } from './families.js';

const edges: NumberFamily = {
  kind: 'counter',
  name: 'gpio_irqd_edges_total',
  help: 'Edges that reached the model.',
  labels: ['line', 'edge'],
  collect: ({ target }, add) => {
    for (const { name, edge, rising, falling } of target.lines()) {
      if (edge === 'none') continue;
      if (edge !== 'falling') add({ line: name, edge: 'rising' }, rising);
      if (edge !== 'rising') add({ line: name, edge: 'falling' }, falling);
    }
  },
};

export const lineFamilies: readonly NumberFamily[] = [
  edges,
  ofLines(
    'counter',
    'gpio_irqd_edges_lost_total',
    'Edges that the kernel dropped before they were read. Not there where the driver cannot know.',
    ({ edge, lost }) => (edge === 'none' || lost === 'unknown' ? undefined : lost),
  ),
  ofLines(
    'counter',
    'gpio_irqd_edges_dropped_total',
    'Edges whose top half ran, and for whose thread or work there was no room.',
    ({ edge, dropped }) => (edge === 'none' ? undefined : dropped),
  ),
  ofLines(
    'counter',
    'gpio_irqd_edges_left_out_total',
    'Edges that were left out while the storm guard had the line disabled; the last of each time was handled in their place.',
    ({ storm }) => storm?.leftOut,
  ),
  ofLines('gauge', 'gpio_irqd_line_held', '1 while the line is held, 0 while it is waited for.', ({ waitingFor }) =>
    waitingFor === undefined ? 1 : 0,
  ),
  ofLines(
    'gauge',
    'gpio_irqd_line_value',
    'Logical level of the line. Not there while the line is not held.',
    ({ value }) => (value === 'unknown' ? undefined : value),
  ),
  ofLines('gauge', 'gpio_irqd_storm_throttled', '1 while the storm guard has the line disabled.', ({ storm }) =>
    storm === undefined ? undefined : Number(storm.throttled),
  ),
  ofLines('counter', 'gpio_irqd_storms_total', 'Storms on the line.', ({ storm }) => storm?.storms),
  ofLines(
    'counter',
    'gpio_irqd_storm_throttles_total',
    'Times that the storm guard disabled the line, one or more a storm.',
    ({ storm }) => storm?.throttles,
  ),
  ofLines(
    'counter',
    'gpio_irqd_storm_throttled_seconds_total',
    'Time for which the storm guard had the line disabled.',
    ({ storm }) => (storm === undefined ? undefined : seconds(storm.throttledNs)),
  ),
];
