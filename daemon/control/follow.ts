// Following the events of a daemon over breaks of the connection and restarts of the daemon.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlClient, EventQuery } from './client.js';
import { ControlClientError } from './client-error.js';
import type { GapEvent } from './events.js';
import type { ControlEvent } from './target.js';

/** How a follower goes on when the stream ends. */
export interface FollowOptions extends EventQuery {
  /** How long a daemon may be away, in ms; 0 ends with the stream. */
  readonly waitMs: number;
  /** Told when the stream ended, and when it goes on. */
  readonly onBreak?: (away: boolean) => void;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

const RETRY_MS = 1_000;
/** Of the connection, not of the request: they pass. */
const PASSING = new Set([
  'ENOENT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'TOO_MANY_WATCHERS',
]);

/**
 * Events, in order, each once; a `gap` where some are missing. Goes on from the last one when the stream breaks.
 *
 * Throws ControlClientError `ENODATA` when the daemon is away for longer than it may be, and what a request is refused with.
 */
export async function* followEvents(
  client: ControlClient,
  options: FollowOptions,
): AsyncGenerator<ControlEvent | GapEvent, void, void> {
  const { waitMs, signal } = options;
  let { lastId } = options;
  let retryMs = RETRY_MS;
  let connected = false;
  let awaySince: number | undefined;
  const ended = (): boolean => signal?.aborted === true;
  while (!ended()) {
    try {
      for await (const sent of client.stream({ ...options, lastId })) {
        if (awaySince !== undefined) options.onBreak?.(false);
        connected = true;
        awaySince = undefined;
        lastId = sent.id ?? lastId;
        retryMs = sent.retryMs ?? retryMs;
        if (sent.event !== undefined) yield sent.event;
      }
    } catch (error) {
      const passes = error instanceof ControlClientError && PASSING.has(error.code);
      if (!connected || !passes) throw error;
    }
    if (ended()) return;
    if (awaySince === undefined && waitMs > 0) options.onBreak?.(true);
    awaySince ??= performance.now();
    if (performance.now() - awaySince >= waitMs) {
      throw new ControlClientError('ENODATA', 'the daemon ended the events', 'It was stopped; start it again.');
    }
    await sleep(retryMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}
