// The dashboard and the alert rules of examples/: each query is about metrics that there are, with labels that they have.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FAMILIES } from './metrics.js';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

const dashboard = JSON.parse(readFileSync('examples/grafana/gpio-irqd.json', 'utf8')) as {
  readonly uid: string;
  readonly panels: readonly Panel[];
};
const alerts = parse(readFileSync('examples/prometheus/alerts.yaml', 'utf8')) as {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
};

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string };
}

/** What a scrape itself adds. */
const SCRAPED = ['instance', 'job'];
const byName = new Map(FAMILIES.map((family) => [family.name, family]));

/** Names of metrics in a query. */
function metricsIn(expr: string): string[] {
  return [...expr.matchAll(/\b(?:gpio_irqd|process|nodejs)_[a-z_]+/g)].map(([name]) => name);
}

function familyOf(name: string) {
  const family = byName.get(name) ?? byName.get(name.replace(/_(bucket|sum|count)$/, ''));
  if (family === undefined) throw new Error(`there is no metric ${name}`);
  return family;
}

/** Every label that a query asks for, groups by, or shows. */
function labelsIn(expr: string, shown: string): string[] {
  const asked = [...expr.matchAll(/([a-z]+)=~?"/g)].map(([, label]) => label ?? '');
  const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(', '));
  return [
    ...asked,
    ...grouped,
    ...[...shown.matchAll(/\{\{(?: \$labels\.)?\s*([a-z]+)\s*\}\}/g)].map(([, label]) => label ?? ''),
  ];
}

function check(expr: string, shown: string): void {
  const families = metricsIn(expr).map(familyOf);
  for (const family of families) {
    const known = [...SCRAPED, ...(family.labels ?? []), ...(family.kind === 'histogram' ? ['le'] : [])];
    for (const label of labelsIn(expr, shown))
      expect([family.name, label, known]).toEqual([family.name, label, expect.arrayContaining([label])]);
    const counts = family.kind !== 'gauge';
    const asRate = new RegExp(`(rate|increase)\\(${family.name}`).test(expr);
    expect([expr, asRate]).toEqual([expr, counts]);
  }
}

describe('the dashboard', () => {
  const drawn = dashboard.panels.filter(({ type }) => type !== 'row');

  it('asks for metrics that there are, with their labels, and for rates of what counts', () => {
    for (const { targets = [] } of drawn) for (const { expr, legendFormat } of targets) check(expr, legendFormat);
    expect(drawn.every(({ targets = [] }) => targets.length > 0)).toBe(true);
  });

  it('can be imported: ids are its own, and no panel lies on another', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });
});

describe('the alert rules', () => {
  it('ask for metrics that there are, with their labels', () => {
    const rules = alerts.groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(8);
    for (const { expr, annotations } of rules) if (!expr.startsWith('up{')) check(expr, annotations.summary);
  });
});
