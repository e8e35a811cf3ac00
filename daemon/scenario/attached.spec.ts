// The end of a recording of a daemon: what had happened by then is in it, also what had not been read.
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { SentEvent } from '../control/event-reader.js';
import { recordDaemon } from './attached.js';
import { Recorder } from './recorder.js';

const edge = (id: string, atNs: number): SentEvent => ({
  id,
  event: { type: 'edge', line: 'door', edge: 'rising', atNs, lineSeqno: 1 },
});

/** A daemon whose newest event is `newest`, and that tells its first watcher what it is given to say. */
function daemonThatTells(newest: string) {
  const told: SentEvent[] = [];
  let heard = (): void => {};
  let watchers = 0;
  async function* first(): AsyncGenerator<SentEvent, void, void> {
    for (;;) {
      for (const sent of told.splice(0)) yield sent;
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
    }
  }
  async function* later(): AsyncGenerator<SentEvent, void, void> {
    yield { id: newest };
  }
  return {
    tell: (sent: SentEvent) => {
      told.push(sent);
      heard();
    },
    call: () => Promise.resolve({ lines: [{ name: 'door', direction: 'in', value: 0, edge: 'both' }] }),
    stream: () => (watchers++ === 0 ? first() : later()),
  };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await setImmediate();
}

it.each([
  ['after it was asked', 0],
  ['before', 2],
])('waits for the newest event of the daemon, and not for those behind it, where that comes %s', async (_, early) => {
  const daemon = daemonThatTells('e.1-2');
  let text = '';
  const from = { driver: 'sim', chip: 'gpiochip0', label: '', attached: true };
  const recorder = new Recorder('test', from, (part) => {
    text += part;
  });
  const recording = await recordDaemon(daemon, recorder, 0);
  const events = [{ id: 'e.1-0' }, edge('e.1-1', 1_000), edge('e.1-2', 2_000), edge('e.1-3', 3_000)];
  for (const sent of events.slice(0, 1 + early)) daemon.tell(sent);
  await turns();
  let over = false;
  const end = recording.upToNow().then(() => {
    over = true;
  });
  for (const sent of events.slice(1 + early)) {
    await turns();
    expect(over).toBe(text.includes('"at":"2000ns"'));
    daemon.tell(sent);
  }
  await end;
  expect(text.match(/"at":"\d+ns"/g)?.slice(0, 3)).toEqual(['"at":"0ns"', '"at":"1000ns"', '"at":"2000ns"']);
  recording.stop();
});
