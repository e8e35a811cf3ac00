// Metrics of the model's kernel: interrupts, softirqs, workqueues, and how long handlers take.
import { DURATION_BOUNDS_NS } from '../../kernel/index.js';
import type { WorkqueueStatus } from '../control/model-target.js';
import { type Family, type NumberFamily, seconds } from './families.js';

const interrupts: NumberFamily = {
  kind: 'counter',
  name: 'gpio_irqd_interrupts_total',
  help: 'Interrupts of the model, by number, chip, handlers and CPU, as /proc/interrupts has them.',
  labels: ['irq', 'chip', 'handlers', 'cpu'],
  collect: ({ target }, add) => {
    for (const { irq, chip, actions, counts } of target.interrupts().interrupts) {
      const labels = { irq: String(irq), chip, handlers: actions.join(', ') };
      for (const [cpu, count] of counts.entries()) add({ ...labels, cpu: String(cpu) }, count);
    }
  },
};

const softirqs: NumberFamily = {
  kind: 'counter',
  name: 'gpio_irqd_softirqs_total',
  help: 'Softirqs of the model that ran, by vector and CPU, as /proc/softirqs has them.',
  labels: ['vector', 'cpu'],
  collect: ({ target }, add) => {
    for (const { name, counts } of target.model.softirqs().softirqs) {
      for (const [cpu, count] of counts.entries()) add({ vector: name, cpu: String(cpu) }, count);
    }
  },
};

/** Workqueues may share a name, as in the kernel: they are added up. */
function ofQueues(
  kind: NumberFamily['kind'],
  name: string,
  help: string,
  value: (queue: WorkqueueStatus) => number,
): NumberFamily {
  return {
    kind,
    name,
    help,
    labels: ['queue'],
    collect: ({ target }, add) => {
      for (const queue of target.model.workqueues()) add({ queue: queue.name }, value(queue));
    },
  };
}

const durations: Family = {
  kind: 'histogram',
  name: 'gpio_irqd_handler_duration_seconds',
  help: 'Time from entry to exit of handlers, by context. Measured from the first time that metrics are read.',
  labels: ['context'],
  bounds: DURATION_BOUNDS_NS.map(seconds),
  collect: ({ target }, add) => {
    for (const { context, buckets, sumNs } of target.model.durations?.() ?? [])
      add({ context }, buckets, seconds(sumNs));
  },
};

export const modelFamilies: readonly Family[] = [
  interrupts,
  softirqs,
  ofQueues('gauge', 'gpio_irqd_workqueue_active', 'Work items that run or are about to.', ({ active }) => active),
  ofQueues(
    'gauge',
    'gpio_irqd_workqueue_waiting',
    'Work items beyond max_active, which wait.',
    ({ waiting }) => waiting,
  ),
  ofQueues('counter', 'gpio_irqd_workqueue_started_total', 'Work items that were begun.', ({ started }) => started),
  ofQueues(
    'counter',
    'gpio_irqd_workqueue_completed_total',
    'Work items that have ended.',
    ({ completed }) => completed,
  ),
  durations,
];
