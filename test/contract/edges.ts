// Contract of edges: which are reported, in which order, with which numbers and stamps, and how loss shows.
import { describe, expect, it } from 'vitest';
import type { LineConfig, LineRequest } from '../../kernel/gpio/driver.js';
import { type Backend, type Can, type ContractBackend, drive, Recorder, refuses, type SeenEdge } from './backend.js';
import { deliveryContract } from './delivery.js';

const both = (offset: number): LineConfig => ({ offset, direction: 'in', edge: 'both' });

/** Tests of `onEdges`. */
export function edgeContract(backend: Backend, can: Can): void {
  kindContract(backend);
  debounceContract(backend, can);
  numberContract(backend, can);
  stampContract(backend, can);
  deliveryContract(backend);
  queueContract(backend, can);
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

    it('are seen after the polarity: a falling pad is a rising edge when active low', async () => {
      const it = backend();
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
  });
}

function debounceContract(backend: Backend, can: Can): void {
  describe('debounce', () => {
    if (can.debounce) {
      it('holds edges back until the line was stable', async () => {
        const it = backend();
        it.setPad(17, 0);
        // Longer than a busy machine takes between two of the changes.
        const lines = [{ ...both(17), debounceUs: 300_000 }];
        const recorder = new Recorder(it.chip.requestLines({ lines, consumer: 'contract' }));
        for (const level of [1, 0, 1, 0, 1] as const) it.setPad(17, level);
        await it.settle(600);
        await recorder.take(it, 1);
        expect(recorder.word).toBe('R');
      });
    } else {
      it('is refused, and edges of a line without it come at once', async () => {
        const it = backend();
        it.setPad(17, 0);
        refuses(it, [{ ...both(17), debounceUs: 30_000 }]);
        const lines = [{ ...both(17), debounceUs: 0 }];
        const recorder = new Recorder(it.chip.requestLines({ lines, consumer: 'contract' }));
        await drive(it, 17, [1, 0, 1]);
        await recorder.take(it, 3);
      });
    }
  });
}

/** Two edges of line 17, one of 18, and one of 17 again. */
async function edgesOfTwoLines(it: ContractBackend): Promise<SeenEdge[]> {
  for (const offset of [17, 18]) it.setPad(offset, 0);
  const recorder = new Recorder(it.chip.requestLines({ lines: [both(18), both(17)], consumer: 'contract' }));
  await drive(it, 17, [1, 0]);
  await drive(it, 18, [1]);
  await drive(it, 17, [1]);
  const edges = await recorder.take(it, 4);
  expect(edges.map((edge) => edge.offset)).toEqual([17, 17, 18, 17]);
  return edges;
}

function numberContract(backend: Backend, can: Can): void {
  describe('numbers', () => {
    if (can.seqno) {
      it('count over the request and on each line, from 1', async () => {
        const edges = await edgesOfTwoLines(backend());
        expect(edges.map((edge) => edge.seqno)).toEqual([1, 2, 3, 4]);
        expect(edges.map((edge) => edge.lineSeqno)).toEqual([1, 2, 1, 3]);
      });
    } else {
      it('are 0, for the driver does not know them; offsets tell the lines apart', async () => {
        const edges = await edgesOfTwoLines(backend());
        for (const edge of edges) expect(edge).toMatchObject({ seqno: 0, lineSeqno: 0 });
      });
    }
  });
}

function stampContract(backend: Backend, can: Can): void {
  describe('stamps', () => {
    it('never go back', async () => {
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

    const moment = can.kernelTimestamps ? 'the edge itself' : 'hearing of the edge, after it was made';
    it(`are of the monotonic clock, in the moment of ${moment}`, async () => {
      const it = backend();
      it.setPad(17, 0);
      const recorder = new Recorder(it.chip.requestLines({ lines: [both(17)], consumer: 'contract' }));
      const before = it.now();
      it.setPad(17, 1);
      const made = it.now();
      const [edge] = await recorder.take(it, 1);
      const [from, to] = can.kernelTimestamps ? [before, made] : [made, it.now()];
      expect(edge?.timestampNs).toBeGreaterThanOrEqual(from);
      expect(edge?.timestampNs).toBeLessThanOrEqual(to);
    });

    if (can.realtimeClock) {
      it('are of the wall clock on request', async () => {
        const it = backend();
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
    } else {
      it('of the wall clock are refused', () => refuses(backend(), [both(17)], { eventClock: 'realtime' }));
    }
  });
}

/** Makes `count` edges, the first one rising, without giving anybody a turn. */
function burst(it: ContractBackend, offset: number, count: number): void {
  for (let i = 0; i < count; i++) it.setPad(offset, i % 2 === 0 ? 1 : 0);
}

function queueContract(backend: Backend, can: Can): void {
  describe('edges that wait', () => {
    const unread = (it: ContractBackend, eventBufferSize?: number): LineRequest => {
      it.setPad(17, 0);
      const options = eventBufferSize === undefined ? {} : { eventBufferSize };
      return it.chip.requestLines({ lines: [both(17)], consumer: 'contract', ...options });
    };

    if (can.edgeQueue === 'merge') mergeContract(backend, unread);
    else {
      it('come first when there is a sink', async () => {
        const it = backend();
        const request = unread(it);
        await drive(it, 17, [1, 0, 1]);
        const recorder = new Recorder(request);
        await recorder.take(it, 3);
        expect(recorder.word).toBe('RFR');
      });
    }
    if (can.edgeQueue === 'drop-newest') dropNewestContract(backend, unread);
    if (can.edgeQueue === 'drop-oldest') dropOldestContract(backend, unread);
  });
}

type Unread = (it: ContractBackend, eventBufferSize?: number) => LineRequest;

function dropOldestContract(backend: Backend, unread: Unread): void {
  it('are all there: 300 in a FIFO of 512', async () => {
    const it = backend();
    const request = unread(it, 512);
    burst(it, 17, 300);
    const recorder = new Recorder(request);
    const edges = await recorder.take(it, 300);
    expect(edges.map((edge) => edge.lineSeqno)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    expect(recorder.word).toBe('RF'.repeat(150));
  });

  it('lose the oldest when the FIFO is full, and the numbers show exactly how many', async () => {
    const it = backend();
    const request = unread(it, 16);
    const kept = request.eventBufferSize;
    const sent = kept + 24;
    burst(it, 17, sent);
    await it.settle();
    const edges = await new Recorder(request).take(it, kept);
    expect(edges[0]).toMatchObject({ seqno: 25, lineSeqno: 25 });
    expect(edges.at(-1)).toMatchObject({ seqno: sent, lineSeqno: sent });
  });
}

function dropNewestContract(backend: Backend, unread: Unread): void {
  it('are the first ones when the FIFO is full, and nothing tells of those that came after', async () => {
    const it = backend();
    const request = unread(it);
    const from = it.now();
    burst(it, 17, 15);
    const middle = it.now();
    burst(it, 17, 24);
    await it.settle();
    const edges = await new Recorder(request).take(it, request.eventBufferSize);
    expect(edges[0]?.timestampNs).toBeGreaterThanOrEqual(from);
    expect(edges[14]?.timestampNs).toBeLessThanOrEqual(middle);
    for (const edge of edges) expect(edge).toMatchObject({ seqno: 0, lineSeqno: 0 });
  });

  it('wait for each line by itself: a full FIFO takes no room from another line', async () => {
    const it = backend();
    it.setPad(17, 0);
    it.setPad(18, 0);
    const request = it.chip.requestLines({ lines: [both(17), both(18)], consumer: 'contract' });
    burst(it, 17, 40);
    burst(it, 18, 3);
    await it.settle();
    const recorder = new Recorder(request);
    const edges = await recorder.take(it, request.eventBufferSize + 3);
    expect(edges.filter((edge) => edge.offset === 18).map((edge) => edge.rising)).toEqual([true, false, true]);
  });

  it('come in again after the FIFO was full and read', async () => {
    const it = backend();
    const request = unread(it);
    burst(it, 17, 40);
    await it.settle();
    const recorder = new Recorder(request);
    await recorder.take(it, 16);
    await drive(it, 17, [1, 0]);
    await recorder.take(it, 18);
    expect(recorder.word.slice(-2)).toBe('RF');
  });
}

function mergeContract(backend: Backend, unread: Unread): void {
  it.each([
    [3, 'R'],
    [4, 'F'],
  ])('are one when there is a sink: %i edges give %s, the level that the line has', async (count, word) => {
    const it = backend();
    const request = unread(it);
    burst(it, 17, count);
    await it.settle();
    const recorder = new Recorder(request);
    await recorder.take(it, 1);
    expect(recorder.word).toBe(word);
  });

  it('are one while JavaScript is busy, and each by itself again afterwards', async () => {
    const it = backend();
    const recorder = new Recorder(unread(it));
    burst(it, 17, 5);
    await recorder.take(it, 1);
    await drive(it, 17, [0, 1]);
    await recorder.take(it, 3);
    expect(recorder.word).toBe('RFR');
  });

  it('of one kind are none when the line is back where it was', async () => {
    const it = backend();
    it.setPad(17, 0);
    const lines = [{ ...both(17), edge: 'rising' } as const];
    const recorder = new Recorder(it.chip.requestLines({ lines, consumer: 'contract' }));
    burst(it, 17, 2);
    await recorder.take(it, 0);
    await drive(it, 17, [1]);
    await recorder.take(it, 1);
    expect(recorder.word).toBe('R');
  });

  it('wait for each line by itself', async () => {
    const it = backend();
    it.setPad(17, 0);
    it.setPad(18, 0);
    const request = it.chip.requestLines({ lines: [both(17), both(18)], consumer: 'contract' });
    burst(it, 17, 3);
    burst(it, 18, 2);
    await it.settle();
    const edges = await new Recorder(request).take(it, 2);
    const seen = edges.map((edge) => [edge.offset, edge.rising] as const).sort(([a], [b]) => a - b);
    expect(seen).toEqual([
      [17, true],
      [18, false],
    ]);
  });
}
