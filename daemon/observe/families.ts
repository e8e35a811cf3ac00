// Families of metrics: what each is called, what it means, and where its values come from.
import { Counter, Gauge, Histogram } from 'prom-client';
import type { ControlCounts } from '../control/server.js';
import type { ControlTarget, DaemonStatus, LineStatus } from '../control/target.js';

/** What watches the event loop, as the metrics see it; daemon/run.ts has it from systemd/watchdog.ts. */
export interface WatchdogView {
  /** Within this a ping has to come. */
  readonly timeoutMs: number;
  /** The longest time between two pings so far. */
  readonly worstIntervalMs: number;
}

/** Where values come from; asked at each scrape. */
export interface Sources {
  readonly target: ControlTarget;
  readonly control: () => ControlCounts | undefined;
  /** `undefined` when systemd has set no watchdog. */
  readonly watchdog: () => WatchdogView | undefined;
}

type Labels = Readonly<Record<string, string>>;

/** Takes a value in; with the same labels again it is added to the first. */
type Add = (labels: Labels, value: number) => void;

/** One family whose values are single numbers. */
export interface NumberFamily {
  readonly kind: 'counter' | 'gauge';
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  collect(sources: Sources, add: Add): void;
}

/** A histogram that is counted elsewhere: for each labels its buckets, one more than bounds, and the sum. */
export interface HistogramFamily {
  readonly kind: 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper ends, included. */
  readonly bounds: readonly number[];
  collect(sources: Sources, add: (labels: Labels, buckets: readonly number[], sum: number) => void): void;
}

export type Family = NumberFamily | HistogramFamily;

type HistogramValues = Awaited<ReturnType<Histogram<string>['get']>>;

/** A histogram for prom-client, made of buckets that were counted elsewhere. */
class ViewedHistogram extends Histogram<string> {
  readonly #family: HistogramFamily;
  readonly #sources: Sources;
  /** Without values: for all that is shown besides them. */
  readonly #empty: Histogram<string>;

  constructor(family: HistogramFamily, sources: Sources) {
    const { name, help, labels, bounds } = family;
    const options = { name, help, labelNames: [...labels], buckets: [...bounds], registers: [] };
    super(options);
    this.#empty = new Histogram(options);
    this.#family = family;
    this.#sources = sources;
  }

  override async get(): Promise<HistogramValues> {
    const { name, bounds } = this.#family;
    const values: HistogramValues['values'] = [];
    this.#family.collect(this.#sources, (labels, buckets, sum) => {
      let count = 0;
      for (const [number, inside] of buckets.entries()) {
        count += inside;
        values.push({
          metricName: `${name}_bucket`,
          labels: { ...labels, le: bounds[number] ?? '+Inf' },
          value: count,
        });
      }
      values.push({ metricName: `${name}_sum`, labels, value: sum });
      values.push({ metricName: `${name}_count`, labels, value: count });
    });
    return { ...(await this.#empty.get()), values };
  }

  /** What the registry asks for text in place of {@link get}. */
  getForPromString(): Promise<HistogramValues> {
    return this.get();
  }
}

/** The metric of prom-client for a family; it is in no registry yet. */
export function metricOf(family: Family, sources: Sources): Counter<string> | Gauge<string> | Histogram<string> {
  if (family.kind === 'histogram') return new ViewedHistogram(family, sources);
  const { kind, name, help, labels = [] } = family;
  const options = { name, help, labelNames: [...labels], registers: [] };
  const fill = (metric: Counter<string> | Gauge<string>): void => {
    metric.reset();
    // Without labels a reset leaves 0; what is not known is not shown.
    if (labels.length === 0) metric.remove();
    family.collect(sources, (of, value) => metric.inc(of, value));
  };
  if (kind === 'counter') {
    return new Counter({
      ...options,
      collect() {
        fill(this);
      },
    });
  }
  return new Gauge({
    ...options,
    collect() {
      fill(this);
    },
  });
}

const PER_S = 1e9;

/** Seconds of ns. */
export function seconds(ns: number): number {
  return ns / PER_S;
}

/** A family of lines: a value for each that has one. */
export function ofLines(
  kind: NumberFamily['kind'],
  name: string,
  help: string,
  value: (line: LineStatus) => number | undefined,
): NumberFamily {
  return {
    kind,
    name,
    help,
    labels: ['line'],
    collect: ({ target }, add) => {
      for (const line of target.lines()) {
        const of = value(line);
        if (of !== undefined) add({ line: line.name }, of);
      }
    },
  };
}

/** A family of one number, or none. */
export function single(
  kind: NumberFamily['kind'],
  name: string,
  help: string,
  value: (sources: Sources) => number | undefined,
): NumberFamily {
  return {
    kind,
    name,
    help,
    collect: (sources, add) => {
      const of = value(sources);
      if (of !== undefined) add({}, of);
    },
  };
}

/** A family of one number of the daemon's status, or none. */
export function ofStatus(
  kind: NumberFamily['kind'],
  name: string,
  help: string,
  value: (status: DaemonStatus) => number | undefined,
): NumberFamily {
  return single(kind, name, help, ({ target }) => value(target.status()));
}
