// The route of the metrics. What makes them is loaded with the first request: most daemons are never asked.
import { RawAnswer, type Route, route } from '../control/route.js';
import type { Sources } from './families.js';
import type { Metrics } from './metrics.js';

/** `GET /metrics`, for Prometheus and whoever reads its text format. */
export function metricsRoute(sources: () => Sources): Route {
  let metrics: Promise<Metrics> | undefined;
  const load = async (): Promise<Metrics> => new (await import('./metrics.js')).Metrics(sources());
  return route({
    method: 'GET',
    path: '/metrics',
    id: 'readMetrics',
    summary: 'Metrics in the text format of Prometheus; docs/metrics.md lists them.',
    answer: { types: ['text/plain'] },
    handle: async () => {
      metrics ??= load();
      const { type, text } = await metrics.then(async (all) => ({ type: all.type, text: await all.text() }));
      return new RawAnswer(type, text);
    },
  });
}
