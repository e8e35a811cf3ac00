// What goes wrong between a chip and the daemon: exactly so much is lost, late or gone, and the numbers of the edges tell.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EdgeBatch, KernelError, type LineRequest, Machine, VirtualClock } from '../../kernel/index.js';
import { createSimulatedPi } from '../linux/simulated-pi.js';
import { FaultyDevice } from './faulty-device.js';

const MS = 1_000_000;
const LINES = [17, 18].map((offset) => ({ offset, direction: 'in' as const, edge: 'both' as const }));

function rig(eventBufferSize = 1024) {
  const clock = new VirtualClock();
  const machine = new Machine({ clock });
  const pi = createSimulatedPi({
    machine,
    board: { pulls: LINES.map(({ offset }) => ({ gpio: offset, pull: 'down' })) },
  });
  const device = new FaultyDevice(clock, () => pi.chip.open());
  const edges: { atNs: number; offset: number; stampNs: number; lineSeqno: number }[] = [];
  const sink = (batch: EdgeBatch): void => {
    for (let i = 0; i < batch.count; i++) {
      const stampNs = batch.timestampSince(i, 0, 0);
      edges.push({ atNs: clock.now(), offset: batch.offset(i), stampNs, lineSeqno: batch.lineSeqno(i) });
    }
  };
  const take = (): LineRequest => {
    const request = device.open().requestLines({ lines: LINES, consumer: 'test', eventBufferSize });
    request.onEdges(sink);
    return request;
  };
  const levels = new Map<number, 0 | 1>();
  /** Edges of a line, 1 ms apart. */
  const turn = (offset: number, count: number): void => {
    for (let i = 0; i < count; i++) {
      const level = levels.get(offset) === 1 ? 0 : 1;
      levels.set(offset, level);
      pi.board.drive(offset, level);
      clock.advance(MS);
    }
  };
  return { clock, pi, device, edges, take, turn };
}

function codeOf(call: () => unknown): string {
  try {
    call();
    return 'none';
  } catch (error) {
    return error instanceof KernelError ? error.code : String(error);
  }
}

describe('FaultyDevice', () => {
  it('passes edges on at once while nothing is wrong', () => {
    const { edges, take, turn } = rig();
    take();
    turn(17, 3);
    expect(edges.map(({ lineSeqno }) => lineSeqno)).toEqual([1, 2, 3]);
    expect(edges.every(({ atNs, stampNs }) => atNs === stampNs)).toBe(true);
  });

  it('loses as many edges of a line as it is told, and no other', () => {
    const { device, edges, take, turn } = rig();
    take();
    turn(17, 1);
    device.lose(17, 2);
    turn(18, 2);
    turn(17, 3);
    expect(edges.map(({ offset, lineSeqno }) => `${offset}#${lineSeqno}`)).toEqual(['17#1', '18#1', '18#2', '17#4']);
  });

  it('delivers late edges in their order, with the stamps of when they came', () => {
    const { clock, device, edges, take, turn } = rig();
    take();
    device.delay(5 * MS, 2 * MS);
    const start = clock.now();
    turn(17, 4);
    expect(edges).toEqual([]);
    clock.advance(10 * MS);
    expect(edges.map(({ lineSeqno }) => lineSeqno)).toEqual([1, 2, 3, 4]);
    expect(edges.map(({ stampNs }) => stampNs - start)).toEqual([8, MS + 8, 2 * MS + 8, 3 * MS + 8]);
    // Those after the bad time come no earlier than those of it.
    expect(edges.map(({ atNs }) => atNs - start)).toEqual([5 * MS + 8, 6 * MS + 8, 6 * MS + 8, 6 * MS + 8]);
  });

  it('keeps in a stall what the FIFO has room for, the newest, and the numbers tell how many are lost', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.constantFrom(4, 16, 32), (count, entries) => {
        const { clock, device, edges, take, turn } = rig(entries);
        const request = take();
        device.stall(100 * MS);
        turn(17, count);
        expect(edges).toEqual([]);
        clock.advance(100 * MS);
        const kept = Math.min(count, request.eventBufferSize);
        expect(edges.map(({ lineSeqno }) => lineSeqno)).toEqual(
          Array.from({ length: kept }, (_, i) => count - kept + i + 1),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('tells each holder once that the chip is gone, refuses everything, and is as new when it is back', () => {
    const { clock, device, edges, take, turn } = rig();
    const request = take();
    const chip = device.open();
    const told: string[] = [];
    request.onGone(() => told.push('request'));
    chip.onGone(() => told.push('chip'));
    turn(17, 1);
    device.unplug();
    expect(told).toEqual([]);
    clock.advance(0);
    expect(told.sort()).toEqual(['chip', 'request']);
    expect(codeOf(() => request.getValue(17))).toBe('ENODEV');
    expect(codeOf(() => chip.lineInfo(17))).toBe('ENODEV');
    expect(codeOf(() => device.open())).toBe('ENODEV');
    turn(17, 2);
    expect(edges.length).toBe(1);
    device.plug();
    expect(codeOf(() => request.getValue(17))).toBe('ENODEV');
    request.release();
    expect(codeOf(() => request.getValue(17))).toBe('EBADF');
    take();
    turn(17, 1);
    expect(edges.at(-1)?.lineSeqno).toBe(1);
  });
});
