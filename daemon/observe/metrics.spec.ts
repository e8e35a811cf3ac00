import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { flushWork, msleep, scheduleWork, Work } from '../../kernel/index.js';
import { ControlClient } from '../control/client.js';
import { FakeService } from '../control/fake-service.spec-helper.js';
import { startControl } from '../control/server.js';
import type { DaemonStatus, LineStatus } from '../control/target.js';
import type { Sources } from './families.js';
import { FAMILIES, Metrics } from './metrics.js';
import { metricsRoute } from './metrics-route.js';

const MQTT: NonNullable<DaemonStatus['mqtt']> = {
  ...{ broker: 'mqtt://house', connected: true, clientId: 'pi', baseTopic: 'pi', queued: 2, unconfirmed: 1 },
  ...{ published: 7, dropped: 3, superseded: 4, refused: 0, received: 9, flooded: 0, reconnects: 1 },
  ...{ commands: 5, commandsRefused: 6 },
};

/** A service of which everything can be said that there are metrics for. */
class FullService extends FakeService {
  lost: LineStatus['lost'] = 2;
  more: Pick<DaemonStatus, 'mqtt'> = {};

  override status() {
    return { ...super.status(), limited: 8, reloads: { ok: 1, failed: 2 }, ...this.more };
  }

  override lines(): LineStatus[] {
    const storm = { throttled: true, storms: 1, throttles: 2, throttledNs: 1_500_000_000, leftOut: 40 };
    return super.lines().map((line) => (line.edge === 'none' ? line : { ...line, rising: 11, lost: this.lost, storm }));
  }
}

let service: FullService;
let sources: Sources;
beforeEach(() => {
  service = new FullService();
  sources = {
    target: service,
    control: () => ({ watching: 1, dropped: 2, refused: 3, requests: 4 }),
    watchdog: () => ({ timeoutMs: 10_000, worstIntervalMs: 5_250 }),
  };
});

/** Samples by what stands before the value. */
async function samples(of: Sources = sources): Promise<Map<string, number>> {
  const text = await new Metrics(of).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

describe('metrics', () => {
  it('show what the service says of itself, in seconds and by line', async () => {
    service.more = { mqtt: MQTT };
    const all = await samples();
    const expected: Record<string, number> = {
      gpio_irqd_uptime_seconds: 61,
      'gpio_irqd_chip_healthy{chip="chip",driver="sim",label="pinctrl-bcm2835"}': 1,
      'gpio_irqd_edges_total{line="button1",edge="rising"}': 11,
      'gpio_irqd_edges_lost_total{line="button1"}': 2,
      'gpio_irqd_edges_left_out_total{line="button1"}': 40,
      'gpio_irqd_storm_throttled{line="button1"}': 1,
      'gpio_irqd_storm_throttled_seconds_total{line="button2"}': 1.5,
      'gpio_irqd_line_held{line="led1"}': 1,
      'gpio_irqd_interrupts_total{irq="49",chip="bcm2835",handlers="button1",cpu="0"}': 3,
      'gpio_irqd_workqueue_waiting{queue="events"}': 0,
      gpio_irqd_actions_limited_total: 8,
      'gpio_irqd_reloads_total{result="failed"}': 2,
      gpio_irqd_api_requests_total: 4,
      gpio_irqd_watchdog_timeout_seconds: 10,
      gpio_irqd_watchdog_worst_interval_seconds: 5.25,
      gpio_irqd_mqtt_connected: 1,
      'gpio_irqd_mqtt_commands_total{result="refused"}': 6,
    };
    for (const [sample, value] of Object.entries(expected)) expect([sample, all.get(sample)]).toEqual([sample, value]);
    expect(all.has('gpio_irqd_edges_total{line="led1",edge="rising"}')).toBe(false);
    expect(all.has('gpio_irqd_edges_total{line="button1",edge="falling"}')).toBe(false);
  });

  it('leave out what is not known, rather than to show 0', async () => {
    service.lost = 'unknown';
    const all = await samples({ ...sources, watchdog: () => undefined, control: () => undefined });
    const names = [...all.keys()].map((sample) => sample.replace(/\{.*/, ''));
    for (const name of ['edges_lost_total', 'watchdog_timeout_seconds', 'mqtt_connected', 'api_requests_total']) {
      expect(names).not.toContain(`gpio_irqd_${name}`);
    }
  });

  it('show each value once, however often they are read', async () => {
    const metrics = new Metrics(sources);
    const first = await metrics.text();
    const again = await metrics.text();
    const edges = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('gpio_irqd_edges'));
    expect(edges(again)).toEqual(edges(first));
  });

  it('have handler times in cumulative buckets, from the first time that they are read', async () => {
    const metrics = new Metrics(sources);
    expect(await metrics.text()).toContain('gpio_irqd_handler_duration_seconds_count{context="work"} 0\n');
    const { machine } = service;
    machine.runTask(function* () {
      const work = new Work(function* () {
        yield* msleep(100);
      }, 'item');
      scheduleWork(work);
      yield* flushWork(work);
    });
    const text = await metrics.text();
    const counts = [...text.matchAll(/_bucket\{context="work",le="(.*)"\} (\d+)/g)].map(([, le, count]) => [
      le,
      Number(count),
    ]);
    const all = Number(/_count\{context="work"\} (\d+)/.exec(text)?.[1]);
    expect(counts.at(-1)).toEqual(['+Inf', all]);
    expect(counts.find(([le]) => le === '0.065536')?.[1]).toBe(all - 1);
    expect(counts.find(([le]) => le === '0.262144')?.[1]).toBe(all);
    expect(Number(/_sum\{context="work"\} (\S+)/.exec(text)?.[1])).toBeGreaterThan(0.1);
  });

  it('are named as Prometheus asks: base units, _total for counters only, help for each, none twice', () => {
    expect(new Set(FAMILIES.map(({ name }) => name)).size).toBe(FAMILIES.length);
    for (const { kind, name, help, labels = [] } of FAMILIES) {
      expect(name).toMatch(/^(gpio_irqd|process|nodejs)_[a-z_]+$/);
      expect([name, name.endsWith('_total')]).toEqual([name, kind === 'counter' || name === 'nodejs_heap_size_total']);
      expect(name).not.toMatch(/_(ns|ms|us|milliseconds|kilobytes|count|sum|bucket)(_|$)/);
      expect(help).toMatch(/^[A-Z0-9s].*\.$/);
      for (const label of labels) expect(label).toMatch(/^[a-z]+$/);
    }
  });

  it('are all in docs/metrics.md, which has no others', () => {
    const page = readFileSync('docs/metrics.md', 'utf8');
    const named = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name]) => name);
    expect([...named].sort()).toEqual(FAMILIES.map(({ name }) => name).sort());
  });
});

describe('GET /metrics', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-metrics-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('answers in the text format of Prometheus', async () => {
    const path = join(directory, 'control.sock');
    const log = pino({ level: 'silent' });
    const control = await startControl({ target: service, path, log, extraRoutes: [metricsRoute(() => sources)] });
    const client = new ControlClient(path);
    try {
      const text = await client.text('GET', '/metrics');
      expect(text).toContain('# TYPE gpio_irqd_edges_total counter\n');
      expect(control.counts.requests).toBe(1);
    } finally {
      await client.close();
      await control.close();
    }
  });
});
