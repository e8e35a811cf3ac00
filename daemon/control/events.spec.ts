// The event stream after a break: what was missed comes first, once and in order, or a gap says that it cannot.

import type { ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventSpan } from './event-id.js';
import { EventLog } from './event-log.js';
import { readEvents, type SentEvent } from './event-reader.js';
import { EventStream, type Watch } from './events.js';
import { FakeService } from './fake-service.spec-helper.js';
import type { ControlEvent } from './target.js';

/** A response whose other side reads at once, as far as it is asked to. */
class Reader extends PassThrough {
  text = '';
  readonly socket = { setTimeout: () => undefined };

  constructor() {
    super();
    this.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('utf8');
    });
  }

  writeHead(): void {}

  async events(): Promise<SentEvent[]> {
    const sent: SentEvent[] = [];
    for await (const event of readEvents([Buffer.from(this.text)].values() as unknown as AsyncIterable<unknown>)) {
      sent.push(event);
    }
    return sent;
  }
}

let service: FakeService;
let stream: EventStream;
const edge = (n: number, line = 'button1'): ControlEvent => ({
  type: 'edge',
  atNs: n,
  line,
  edge: 'rising',
  lineSeqno: n,
});

function watch(options: Watch = {}): Reader {
  const reader = new Reader();
  stream.add(reader as unknown as ServerResponse, options);
  return reader;
}

/** The connection breaks. @returns the id from which the reader would go on */
async function leave(reader: Reader): Promise<string> {
  const sent = await reader.events();
  reader.destroy();
  await expect.poll(() => reader.closed).toBe(true);
  return sent.at(-1)?.id ?? '';
}

/** Numbers of the edges that a reader got; a gap as what it missed. */
async function got(reader: Reader): Promise<unknown[]> {
  const sent = await reader.events();
  return sent.flatMap(({ event }): unknown[] => {
    if (event === undefined) return [];
    if (event.type === 'gap') return [{ missed: event.missed }];
    return [event.type === 'edge' ? event.lineSeqno : event.type];
  });
}

beforeEach(() => {
  service = new FakeService();
  stream = new EventStream(service, () => undefined, 60_000);
});
afterEach(() => stream.close());

describe('a watcher that comes back', () => {
  it('has what it missed first, and then what comes', async () => {
    const before = watch();
    service.emit(edge(1));
    const lastId = await leave(before);
    service.emit(edge(2));
    service.emit(edge(3));
    const after = watch({ lastId });
    service.emit(edge(4));
    expect(await got(after)).toEqual([2, 3, 4]);
  });

  it('has missed nothing when nothing has come, even before its first event', async () => {
    const lastId = await leave(watch());
    expect(await got(watch({ lastId }))).toEqual([]);
    service.emit(edge(1));
    const again = watch({ lastId });
    expect(await got(again)).toEqual([1]);
  });

  it('is told how many it missed when they are no longer kept', async () => {
    const before = watch();
    service.emit(edge(0));
    const lastId = await leave(before);
    const text = 'x'.repeat(1000);
    for (let i = 0; i < 1000; i++) service.emit({ type: 'log', atNs: i, interrupt: 'button1', text });
    const [gap, ...rest] = await got(watch({ lastId }));
    expect(gap).toEqual({ missed: 1000 - rest.length });
    expect(rest.length).toBeGreaterThan(200);
  });

  it('is not cut off for what it has missed', async () => {
    const before = watch();
    service.emit(edge(0));
    const lastId = await leave(before);
    for (let i = 1; i <= 1300; i++) service.emit({ type: 'log', atNs: i, interrupt: 'b', text: 'x'.repeat(100) });
    const after = new Reader();
    after.pause();
    stream.add(after as unknown as ServerResponse, { lastId });
    service.emit(edge(1));
    expect(stream.counts.dropped).toBe(0);
    after.resume();
    await expect.poll(() => got(after)).toHaveLength(1301);
  });

  it('is told that it cannot be known after a restart', async () => {
    const before = watch();
    service.emit(edge(1));
    const lastId = await leave(before);
    stream.close();
    stream = new EventStream(service, () => undefined, 60_000);
    expect(await got(watch({ lastId }))).toEqual([{ missed: 'unknown' }]);
  });

  it.each(['', 'x', '1', 'abc-1', '0123456789ab.1-99999999999999999999'])(
    'with the id %j is told so too',
    async (lastId) => {
      expect(await got(watch({ lastId }))).toEqual([{ missed: 'unknown' }]);
    },
  );

  it('with an id that is still to come is told so too', async () => {
    const lastId = (await leave(watch())).replace(/\d+$/, '7');
    expect(await got(watch({ lastId }))).toEqual([{ missed: 'unknown' }]);
  });
});

describe('what is kept', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] }));
  afterEach(() => vi.useRealTimers());

  it('is forgotten a minute after the last watcher, and nothing is listened to any more', async () => {
    const reader = watch();
    const [{ id: lastId = '' } = {}] = await reader.events();
    reader.destroy();
    await new Promise((settle) => setImmediate(settle));
    expect(service.listeners).toBe(1);
    vi.advanceTimersByTime(59_999);
    expect(service.listeners).toBe(1);
    vi.advanceTimersByTime(1);
    expect(service.listeners).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(await got(watch({ lastId }))).toEqual([{ missed: 'unknown' }]);
  });

  it('stays when another watcher comes before that', async () => {
    const reader = watch();
    const [{ id: lastId = '' } = {}] = await reader.events();
    reader.destroy();
    await new Promise((settle) => setImmediate(settle));
    vi.advanceTimersByTime(59_999);
    watch();
    vi.advanceTimersByTime(120_000);
    service.emit(edge(1));
    expect(await got(watch({ lastId }))).toEqual([1]);
  });
});

describe('a filter', () => {
  it('lets events of its types and lines through, and no others', async () => {
    const all = watch();
    const edges = watch({ types: new Set(['edge']) });
    const ofLed = watch({ lines: new Set(['led1']) });
    const both = watch({ types: new Set(['value']), lines: new Set(['led1']) });
    service.emit(edge(1));
    service.emit({ type: 'value', atNs: 2, line: 'led1', value: 1 });
    service.emit({ type: 'log', atNs: 3, interrupt: 'button1', text: 'x' });
    expect(await got(all)).toEqual([1, 'value', 'log']);
    expect(await got(edges)).toEqual([1]);
    expect(await got(ofLed)).toEqual(['value']);
    expect(await got(both)).toEqual(['value']);
  });

  it('holds for what was missed too, and gaps pass it', async () => {
    const before = watch({ lines: new Set(['led1']) });
    const lastId = await leave(before);
    service.emit(edge(1));
    service.emit(edge(2, 'led1'));
    expect(await got(watch({ lastId, lines: new Set(['led1']) }))).toEqual([2]);
    expect(await got(watch({ lastId: 'x', lines: new Set(['led1']) }))).toEqual([{ missed: 'unknown' }]);
  });
});

it('whenever a watcher breaks off and comes back, it has every event once and in order, or a gap of just those', async () => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ emit: fc.integer({ min: 1, max: 40 }), size: fc.integer({ min: 0, max: 2000 }) }),
    },
    { weight: 1, arbitrary: fc.constant('breaks' as const) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const log = new EventLog(new EventSpan(), 20_000);
      let number = 0;
      let seen = 0;
      let counted = 0;
      for (const what of steps) {
        if (what === 'breaks') {
          const events = log.after(seen);
          const missed = (events[0]?.number ?? log.newest + 1) - seen - 1;
          expect(missed).toBeGreaterThanOrEqual(0);
          expect(events.map((event) => event.number)).toEqual(events.map((_, i) => seen + missed + 1 + i));
          counted += missed + events.length;
          seen = log.newest;
          expect(counted).toBe(number);
        } else {
          for (let i = 0; i < what.emit; i++) {
            number++;
            log.add({ type: 'log', atNs: number, interrupt: 'x', text: 'x'.repeat(what.size) });
            expect(log.bytes).toBeLessThanOrEqual(20_000);
          }
        }
      }
    }),
    { numRuns: 200 },
  );
});

it('an event that comes in pieces is read whole', async () => {
  const text =
    'retry: 1000\nid: a-0\n\nid: a-1\nevent: log\ndata: {"type":"log","atNs":1,"interrupt":"x","text":"µé\\n\\n"}\n\nid: a-2\n\n';
  const bytes = Buffer.from(text);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 20 }), async (cuts) => {
      const ends = [...cuts, bytes.length].sort((a, b) => a - b);
      const chunks = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
      const sent: SentEvent[] = [];
      for await (const event of readEvents(chunks.values() as unknown as AsyncIterable<unknown>)) sent.push(event);
      expect(sent).toEqual([
        { id: 'a-0', retryMs: 1000 },
        { id: 'a-1', event: { type: 'log', atNs: 1, interrupt: 'x', text: 'µé\n\n' } },
        { id: 'a-2' },
      ]);
    }),
  );
});
