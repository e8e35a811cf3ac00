// Contract of edges: which are reported, in which order, with which numbers and stamps, and how loss shows.
import { describe, expect, it } from 'vitest';
import { EDGE_BATCH_MAX, type Level, type LineConfig } from '../../kernel/gpio/driver.js';
import { type Backend, drive, failsWith, Recorder } from './backend.js';

const both = (offset: number): LineConfig => ({ offset, direction: 'in', edge: 'both' });

/** Tests of `onEdges`. */
export function edgeContract(backend: Backend): void {
  kindContract(backend);
  numberContract(backend);
  deliveryContract(backend);
}

function kindContract(backend: Backend): void {
  describe('kinds of edges', () => {
    const kinds = [
      ['none', ''],
      ['rising', 'RR'],
      ['falling', 'FF'],
      ['both', 'RFRF'],
    ] as const;
    for (const [edge, word] of kinds) {
      it(`${edge}: a line that goes up and down twice reports ${word === '' ? 'nothing' : word}`, async () => {
        const it = backend();
        it.setPad(17, 0);
        const request = it.chip.requestLines({ lines: [{ offset: 17, direction: 'in', edge }], consumer: 'contract' });
        const recorder = new Recorder(request);
        await drive(it, 17, [1, 0, 1, 0]);
        await recorder.take(it, word.length);
        expect(recorder.word).toBe(word);
      });
    }

    it('are seen after the polarity: a falling pad is a rising edge when active low', async ({ skip }) => {
      const it = backend();
      if (!it.chip.capabilities.activeLow) skip();
      it.setPad(17, 1);
      const lines = [{ offset: 17, direction: 'in', edge: 'rising', activeLow: true } as const];
      const recorder = new Recorder(it.chip.requestLines({ lines, consumer: 'contract' }));
      await drive(it, 17, [0, 1]);
      await recorder.take(it, 1);
      expect(recorder.word).toBe('R');
    });

    it('do not come from driving a pad to the level it has', async () => {
      const it = backend();
      it.setPad(17, 1);
      const recorder = new Recorder(it.chip.requestLines({ lines: [both(17)], consumer: 'contract' }));
      await drive(it, 17, [1, 1, 0, 0]);
      await recorder.take(it, 1);
      expect(recorder.word).toBe('F');
    });

    it('do not come from lines that were not asked for', async () => {
      const it = backend();
      it.setPad(17, 0);
      it.setPad(18, 0);
      const recorder = new Recorder(it.chip.requestLines({ lines: [both(17)], consumer: 'contract' }));
      await drive(it, 18, [1, 0]);
      await drive(it, 17, [1]);
      expect((await recorder.take(it, 1)).map((edge) => edge.offset)).toEqual([17]);
    });

    it('are held back by debounce until the line was stable', async ({ skip }) => {
      const it = backend();
      if (!it.chip.capabilities.debounce) skip();
      it.setPad(17, 0);
      const lines = [{ ...both(17), debounceUs: 30_000 }];
      const recorder = new Recorder(it.chip.requestLines({ lines, consumer: 'contract' }));
      for (const level of [1, 0, 1, 0, 1] as const) it.setPad(17, level);
      await it.settle(100);
      await recorder.take(it, 1);
      expect(recorder.word).toBe('R');
    });
  });
}

function numberContract(backend: Backend): void {
  describe('numbers and stamps', () => {
    it('count over the request and on each line, from 1', async ({ skip }) => {
      const it = backend();
      if (!it.chip.capabilities.seqno) skip();
      for (const offset of [17, 18]) it.setPad(offset, 0);
      const recorder = new Recorder(it.chip.requestLines({ lines: [both(18), both(17)], consumer: 'contract' }));
      await drive(it, 17, [1, 0]);
      await drive(it, 18, [1]);
      await drive(it, 17, [1]);
      const edges = await recorder.take(it, 4);
      expect(edges.map((edge) => edge.offset)).toEqual([17, 17, 18, 17]);
      expect(edges.map((edge) => edge.seqno)).toEqual([1, 2, 3, 4]);
      expect(edges.map((edge) => edge.lineSeqno)).toEqual([1, 2, 1, 3]);
    });

    it('are 0 where the driver does not know', async ({ skip }) => {
      const it = backend();
      if (it.chip.capabilities.seqno) skip();
      it.setPad(17, 0);
      const recorder = new Recorder(it.chip.requestLines({ lines: [both(17)], consumer: 'contract' }));
      await drive(it, 17, [1]);
      expect((await recorder.take(it, 1))[0]).toMatchObject({ seqno: 0, lineSeqno: 0 });
    });

    it('stamps never go back', async () => {
      const it = backend();
      it.setPad(17, 0);
      const recorder = new Recorder(it.chip.requestLines({ lines: [both(17)], consumer: 'contract' }));
      await drive(it, 17, [1, 0, 1, 0, 1, 0]);
      const edges = await recorder.take(it, 6);
      edges.reduce((before, edge) => {
        expect(edge.timestampNs).toBeGreaterThanOrEqual(before);
        return edge.timestampNs;
      }, 0n);
    });

    it('stamps are of the wall clock on request', async ({ skip }) => {
      const it = backend();
      if (!it.chip.capabilities.realtimeClock) skip();
      it.setPad(17, 0);
      const monotonic = new Recorder(it.chip.requestLines({ lines: [both(17)], consumer: 'contract' }));
      const wall = new Recorder(
        it.chip.requestLines({ lines: [both(18)], consumer: 'contract', eventClock: 'realtime' }),
      );
      it.setPad(18, 0);
      await drive(it, 17, [1]);
      await drive(it, 18, [1]);
      const [first] = await monotonic.take(it, 1);
      const rising = wall.edges.filter((edge) => edge.rising);
      expect(rising).toHaveLength(1);
      expect(Number((rising[0]?.timestampNs ?? 0n) - (first?.timestampNs ?? 0n))).toBeGreaterThan(0);
    });
  });
}

function deliveryContract(backend: Backend): void {
  describe('delivery', () => {
    it('begins with the edges that came before there was a sink', async () => {
      const it = backend();
      it.setPad(17, 0);
      const request = it.chip.requestLines({ lines: [both(17)], consumer: 'contract' });
      await drive(it, 17, [1, 0, 1]);
      const recorder = new Recorder(request);
      await recorder.take(it, 3);
      expect(recorder.word).toBe('RFR');
    });

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

    it('loses none of 300 edges that wait in a FIFO of 512', async ({ skip }) => {
      const it = backend();
      if (!it.chip.capabilities.eventBufferSize || !it.chip.capabilities.seqno) skip();
      it.setPad(17, 0);
      const request = it.chip.requestLines({ lines: [both(17)], consumer: 'contract', eventBufferSize: 512 });
      for (let i = 0; i < 300; i++) it.setPad(17, i % 2 === 0 ? 1 : 0);
      const recorder = new Recorder(request);
      const edges = await recorder.take(it, 300);
      expect(edges.map((edge) => edge.lineSeqno)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
      expect(recorder.word).toBe('RF'.repeat(150));
    });

    it('drops the oldest when the FIFO is full, and the numbers show exactly how many', async ({ skip }) => {
      const it = backend();
      if (!it.chip.capabilities.eventBufferSize || !it.chip.capabilities.seqno) skip();
      it.setPad(17, 0);
      const request = it.chip.requestLines({ lines: [both(17)], consumer: 'contract', eventBufferSize: 16 });
      const kept = request.eventBufferSize;
      const sent = kept + 24;
      for (let i = 0; i < sent; i++) it.setPad(17, i % 2 === 0 ? 1 : 0);
      await it.settle();
      const edges = await new Recorder(request).take(it, kept);
      expect(edges[0]).toMatchObject({ seqno: 25, lineSeqno: 25 });
      expect(edges.at(-1)).toMatchObject({ seqno: sent, lineSeqno: sent });
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
