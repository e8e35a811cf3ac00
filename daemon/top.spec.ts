// The view that is drawn anew all the time: rates from two pictures, and never more than the terminal has room for.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FakeService } from './control/fake-service.spec-helper.js';
import { renderTop, type TopSnapshot } from './top.js';

const service = new FakeService();

function snapshot(atMs: number, rising: number): TopSnapshot {
  const [button, ...others] = service.lines();
  if (button === undefined) throw new Error('the fake has lines');
  return {
    atMs,
    status: { ...service.status(), edges: { received: rising, lost: 0 } },
    lines: [{ ...button, rising }, ...others],
    interrupts: service.interrupts().interrupts.map((each) => ({ ...each, counts: [rising, 0] })),
    softirqs: [
      { name: 'HI', counts: [0, 0] },
      { name: 'TASKLET', counts: [rising, 0] },
    ],
    workqueues: [],
  };
}

it('shows what comes by second, and leaves out what has never run', () => {
  const text = renderTop(snapshot(3_000, 130), snapshot(1_000, 100));
  expect(text).toMatch(/^edges 130 \(15\.0\/s\)/m);
  expect(text).toMatch(/^button1 +17 +in +0 +130 +15\.0 +0$/m);
  expect(text).toMatch(/^led1 +4 +out +0 +0 +0 +0$/m);
  expect(text).toMatch(/^TASKLET +130 +15\.0$/m);
  expect(text).not.toMatch(/^HI/m);
  expect(text).not.toContain('WORKQUEUE');
});

it('has no rate in the first picture, nor after a restart', () => {
  expect(renderTop(snapshot(1_000, 100))).not.toContain('/s)');
  expect(renderTop(snapshot(2_000, 1), snapshot(1_000, 100))).not.toContain('/s)');
});

it('says of a line why nothing comes from it', () => {
  const now = snapshot(0, 0);
  const [button, ...others] = now.lines;
  if (button === undefined) throw new Error('the fake has lines');
  expect(renderTop({ ...now, lines: [{ ...button, waitingFor: "held by 'w1-gpio'" }, ...others] })).toContain(
    "held by 'w1-gpio'",
  );
});

it('fits the terminal, however small', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 60 }), (columns, rows) => {
      const lines = renderTop(snapshot(3_000, 130), snapshot(1_000, 100), { columns, rows }).split('\n');
      expect(lines.length).toBeLessThanOrEqual(rows);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    }),
  );
});
