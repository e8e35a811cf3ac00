import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  ListHead,
  listAdd,
  listAddTail,
  listDelInit,
  listMoveTail,
  listSpliceInit,
  listSpliceTailInit,
} from './list.js';

const NODES = 6;
const what = fc.constantFrom('add', 'add tail', 'delete', 'move tail', 'splice', 'splice tail');
const step = fc.record({ what, node: fc.nat(NODES - 1), list: fc.nat(1) });

it('two lists hold what two arrays hold, whatever is done to them', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const nodes = Array.from({ length: NODES }, (_, i) => new ListHead(i));
      const heads = [new ListHead<number>(), new ListHead<number>()] as const;
      const arrays: [number[], number[]] = [[], []];
      for (const { what, node: i, list } of steps) {
        const node = nodes[i] ?? new ListHead<number>();
        const [head, other] = list === 0 ? heads : [heads[1], heads[0]];
        const [mine, others] = list === 0 ? arrays : [arrays[1], arrays[0]];
        const linked = arrays.find((array) => array.includes(i));
        const drop = (): void => {
          linked?.splice(linked.indexOf(i), 1);
        };
        if (what === 'add' && linked === undefined) {
          listAdd(node, head);
          mine.unshift(i);
        } else if (what === 'add tail' && linked === undefined) {
          listAddTail(node, head);
          mine.push(i);
        } else if (what === 'delete') {
          listDelInit(node);
          drop();
        } else if (what === 'move tail') {
          listMoveTail(node, head);
          drop();
          mine.push(i);
        } else if (what === 'splice') {
          listSpliceInit(other, head);
          mine.unshift(...others.splice(0));
        } else if (what === 'splice tail') {
          listSpliceTailInit(other, head);
          mine.push(...others.splice(0));
        }
        expect(heads.map((at) => [...at])).toEqual(arrays);
        for (const [at, array] of [
          [heads[0], arrays[0]],
          [heads[1], arrays[1]],
        ] as const) {
          expect([at.empty, at.first, at.last]).toEqual([array.length === 0, array[0], array[array.length - 1]]);
        }
        expect(nodes.map((at) => at.empty)).toEqual(nodes.map((_, n) => !arrays.some((array) => array.includes(n))));
      }
    }),
  );
});
