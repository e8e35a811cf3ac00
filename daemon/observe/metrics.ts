// What Prometheus reads: gathered from the service when it is asked for, so that nothing is counted twice and an edge costs nothing more.
import { Registry } from 'prom-client';
import { daemonFamilies } from './daemon-metrics.js';
import { type Family, metricOf, type Sources } from './families.js';
import { lineFamilies } from './line-metrics.js';
import { modelFamilies } from './model-metrics.js';
import { mqttFamilies } from './mqtt-metrics.js';
import { processFamilies } from './process-metrics.js';

/** All families, in the order in which they are shown. */
export const FAMILIES: readonly Family[] = [
  ...daemonFamilies,
  ...lineFamilies,
  ...modelFamilies,
  ...mqttFamilies,
  ...processFamilies,
];

/** The metrics of one daemon. */
export class Metrics {
  readonly #registry = new Registry();

  constructor(sources: Sources) {
    for (const family of FAMILIES) this.#registry.registerMetric(metricOf(family, sources));
  }

  /** As in the header `content-type`. */
  get type(): string {
    return this.#registry.contentType;
  }

  /** In Prometheus' text format, as it is now. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
