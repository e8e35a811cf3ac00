// The ring against a plain list: nothing is lost uncounted, nothing comes out of order or changed.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Level } from '../../kernel/index.js';
import { type EdgeRecord, EdgeRing } from './edge-ring.js';

const CAPACITY = 8;

const edge: fc.Arbitrary<EdgeRecord> = fc.record({
  stampNs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  rising: fc.boolean(),
  lineSeqno: fc.integer({ min: 0, max: 0xffff_ffff }),
  sinceLastNs: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
  doneNs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  levels: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  failed: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
});

/** What happens to a ring: an edge goes in, the oldest comes out, or all do. */
const step = fc.oneof(
  { weight: 3, arbitrary: edge },
  { weight: 2, arbitrary: fc.constant('take' as const) },
  fc.constant('take level' as const),
  fc.constant('clear' as const),
);

function levelOf(record: EdgeRecord | undefined): Level | undefined {
  return record && (record.rising ? 1 : 0);
}

describe('EdgeRing', () => {
  it('is a list with an end, that counts what did not fit', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const ring = new EdgeRing(CAPACITY);
        const list: EdgeRecord[] = [];
        let dropped = 0;
        for (const what of steps) {
          if (what === 'take') expect(ring.take()).toEqual(list.shift());
          else if (what === 'take level') expect(ring.takeLevel()).toBe(levelOf(list.shift()));
          else if (what === 'clear') expect(ring.clear()).toBe(list.splice(0).length);
          else {
            ring.add(what);
            if (list.length < CAPACITY) list.push(what);
            else dropped++;
          }
          expect([ring.length, ring.dropped]).toEqual([list.length, dropped]);
        }
      }),
    );
  });

  it('keeps 1,024 edges unless told otherwise', () => {
    const ring = new EdgeRing();
    for (let i = 0; i < 1030; i++) ring.push(i, true, i, -1, i, 0, 0);
    expect([ring.length, ring.dropped]).toEqual([1024, 6]);
    expect(ring.take()?.lineSeqno).toBe(0);
  });
});
