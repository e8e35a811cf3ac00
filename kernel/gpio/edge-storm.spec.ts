import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IRQ_HANDLED } from '../irq/flags.js';
import { requestIrq } from '../irq/request.js';
import { irqSetStormGuard, type StormState } from '../irq/storm.js';
import { Machine } from '../machine.js';
import { EdgeBatch } from './driver.js';
import { EdgeDomain } from './edge-domain.js';

const MSEC = 1_000_000;
const STORM = 3;
const QUIET = 4;

/** Two lines of a driver, the first of them guarded: 10 edges in 10 ms. */
function rig() {
  const printed: string[] = [];
  const machine = new Machine({ printk: (level, text) => printed.push(`${level}: ${text}`) });
  const edges = new EdgeDomain(machine, { name: 'gpiochip0', lines: 8, originNs: 0n, hasSeqno: true });
  const batch = new EdgeBatch();
  const seqnos = [0, 0, 0, 0, 0];
  const handled: number[] = [0, 0, 0, 0, 0];
  const last: number[] = [0, 0, 0, 0, 0];
  const told: (string | StormState)[] = [];
  const deliver = (...lines: number[]): void => {
    lines.forEach((line, i) => {
      const seqno = (seqnos[line] ?? 0) + 1;
      seqnos[line] = seqno;
      batch.write(i, 0, machine.clock.now(), true, line, 0, seqno);
    });
    batch.count = lines.length;
    edges.deliver(batch);
  };
  const request = (line: number): void => {
    const handler = () => {
      handled[line] = (handled[line] ?? 0) + 1;
      last[line] = edges.edge.lineSeqno;
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestIrq(edges.toIrq(line), handler, 0, `l${line}`, line));
  };
  request(STORM);
  request(QUIET);
  const irq = edges.toIrq(STORM);
  machine.runTask(() =>
    irqSetStormGuard(
      irq,
      { ratePerSec: 1_000, windowNs: 10 * MSEC, backoffNs: 20 * MSEC },
      { began: () => told.push('began'), ended: (state) => told.push(state) },
    ),
  );
  const state = (): StormState | undefined => machine.irqs.get(irq).storm?.state;
  return { machine, deliver, handled, last, seqnos, told, printed, state };
}

describe('a flood of edges from a driver', () => {
  it('is left out by the guard and counted, the last edge is handled, and the other lines are', () => {
    const { machine, deliver, handled, last, seqnos, told, printed, state } = rig();
    for (let ms = 0; ms < 1_000; ms++) {
      deliver(...new Array<number>(20).fill(STORM), QUIET);
      expect(last[QUIET]).toBe(seqnos[QUIET]);
      machine.advance(MSEC);
    }
    machine.advance(5_000 * MSEC);
    expect(handled[QUIET]).toBe(1_000);
    const { merged = 0, throttles = 0 } = state() ?? {};
    expect((handled[STORM] ?? 0) + merged).toBe(20_000);
    // What a storm may have: a budget a try.
    expect(handled[STORM]).toBeLessThanOrEqual(12 * (throttles + 1));
    expect(last[STORM]).toBe(20_000);
    expect(told).toEqual(['began', expect.objectContaining({ throttled: false, storms: 1, throttles, merged })]);
    expect(printed).toEqual([]);
  });

  it('loses no edge without counting it, whatever the bursts', () => {
    const burst = fc.record({ edges: fc.integer({ min: 1, max: 64 }), quietMs: fc.integer({ min: 0, max: 40 }) });
    fc.assert(
      fc.property(fc.array(burst, { maxLength: 20 }), (bursts) => {
        const { machine, deliver, handled, last, seqnos, state } = rig();
        for (const { edges, quietMs } of bursts) {
          deliver(...new Array<number>(edges).fill(STORM));
          machine.advance(quietMs * MSEC);
        }
        machine.advance(60_000 * MSEC);
        expect((handled[STORM] ?? 0) + (state()?.merged ?? 0)).toBe(seqnos[STORM]);
        expect(last[STORM]).toBe(seqnos[STORM]);
      }),
    );
  });
});
