// Contract of delivery: batches, the one sink, and what a sink may do with the lines whose edge it is given.
import { describe, expect, it } from 'vitest';
import { EDGE_BATCH_MAX, type Level, type LineConfig } from '../../kernel/gpio/driver.js';
import { type Backend, drive, failsWith, Recorder } from './backend.js';

const both = (offset: number): LineConfig => ({ offset, direction: 'in', edge: 'both' });

/** Tests of what `onEdges` calls, and when. */
export function deliveryContract(backend: Backend): void {
  describe('delivery', () => {
    it('uses one batch again and again, never with more than its records', async () => {
      const it = backend();
      it.setPad(17, 0);
      const recorder = new Recorder(it.chip.requestLines({ lines: [both(17)], consumer: 'contract' }));
      await drive(it, 17, [1, 0, 1, 0]);
      await recorder.take(it, 4);
      expect(new Set(recorder.batches).size).toBe(1);
      for (const count of recorder.counts) {
        expect(count).toBeGreaterThanOrEqual(1);
        expect(count).toBeLessThanOrEqual(EDGE_BATCH_MAX);
      }
    });

    it('goes to one sink: a second one is EBUSY', () => {
      const request = backend().chip.requestLines({ lines: [both(17)], consumer: 'contract' });
      request.onEdges(() => {});
      failsWith('EBUSY', () => request.onEdges(() => {}));
    });

    it('ends with the release, also when that comes from the sink', async () => {
      const it = backend();
      it.setPad(17, 0);
      const request = it.chip.requestLines({ lines: [both(17)], consumer: 'contract' });
      let calls = 0;
      request.onEdges(() => {
        calls += 1;
        request.release();
      });
      await drive(it, 17, [1, 0, 1]);
      expect(calls).toBe(1);
      expect(it.chip.lineInfo(17).used).toBe(false);
    });

    it('goes on in a request that the sink has made of the same line, with the next edge', async () => {
      const it = backend();
      it.setPad(17, 0);
      const first = it.chip.requestLines({ lines: [both(17)], consumer: 'contract' });
      let recorder: Recorder | undefined;
      first.onEdges(() => {
        first.release();
        recorder = new Recorder(it.chip.requestLines({ lines: [both(17)], consumer: 'again' }));
      });
      await drive(it, 17, [1]);
      for (let i = 0; i < 3; i++) await it.settle();
      expect(recorder?.word).toBe('');
      await drive(it, 17, [0, 1]);
      await recorder?.take(it, 2);
      expect(recorder?.word).toBe('FR');
    });

    it('ends with the chip, also when the sink closes it', async () => {
      const it = backend();
      it.setPad(17, 0);
      const chip = it.otherChip();
      const request = chip.requestLines({ lines: [both(17)], consumer: 'contract' });
      let calls = 0;
      request.onEdges(() => {
        calls += 1;
        chip.close();
      });
      await drive(it, 17, [1, 0, 1]);
      expect(calls).toBe(1);
      failsWith('EBADF', () => request.getValue(17));
      expect(it.chip.lineInfo(17).used).toBe(false);
    });

    it('finds the level of the edge when the sink reads the line', async () => {
      const it = backend();
      it.setPad(17, 0);
      const request = it.chip.requestLines({ lines: [both(17)], consumer: 'contract' });
      const levels: Level[] = [];
      request.onEdges(() => levels.push(request.getValue(17)));
      await drive(it, 17, [1, 0]);
      expect(levels).toEqual([1, 0]);
    });
  });
}
