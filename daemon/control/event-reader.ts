// Server-sent events as the daemon sends them, read from a stream.

import type { GapEvent } from './events.js';
import type { ControlEvent } from './target.js';

/** An event of the stream, a gap in it, or that time passed: then there is the id alone. */
export interface SentEvent {
  /** Of the newest event that has been seen; to go on from there. */
  readonly id: string | undefined;
  readonly event?: ControlEvent | GapEvent;
  /** How long to wait, in ms, before the stream is asked for again; with the first alone. */
  readonly retryMs?: number;
}

/** What may come in one event; the daemon's are far below. */
const EVENT_MAX = 1024 * 1024;

/** Reads the fields of one event. */
function parse(block: string, lastId: string | undefined): SentEvent {
  let id = lastId;
  let event: ControlEvent | GapEvent | undefined;
  let retryMs: number | undefined;
  for (const line of block.split('\n')) {
    const colon = line.indexOf(': ');
    const value = line.slice(colon + 2);
    const field = line.slice(0, Math.max(colon, 0));
    if (field === 'id') id = value;
    else if (field === 'data') event = JSON.parse(value);
    else if (field === 'retry' && /^\d{1,6}$/.test(value)) retryMs = Number(value);
  }
  return { id, ...(event === undefined ? {} : { event }), ...(retryMs === undefined ? {} : { retryMs }) };
}

/** Reads events until the stream ends. */
export async function* readEvents(stream: AsyncIterable<unknown>): AsyncGenerator<SentEvent, void, void> {
  const decoder = new TextDecoder();
  let waiting = '';
  let id: string | undefined;
  for await (const chunk of stream) {
    waiting += decoder.decode(chunk as Uint8Array, { stream: true });
    const blocks = waiting.split('\n\n');
    waiting = blocks.pop() ?? '';
    if (waiting.length > EVENT_MAX) throw new Error('an event without end');
    for (const block of blocks) {
      const sent = parse(block, id);
      id = sent.id;
      yield sent;
    }
  }
}
