// What a daemon that runs reports of its edges, recorded as a scenario.
import { KernelError } from '../../kernel/errno.js';
import type { Level } from '../../kernel/index.js';
import type { ControlClient } from '../control/client.js';
import type { GapEvent } from '../control/events.js';
import type { ControlEvent, LineStatus } from '../control/target.js';
import type { Recorder, Recording } from './recorder.js';

/** What a daemon is asked. */
type DaemonTold = Pick<ControlClient, 'call' | 'stream'>;

/** Records the edges that a daemon reports. */
export async function recordDaemon(client: DaemonTold, recorder: Recorder, startNs: number): Promise<Recording> {
  const { lines } = (await client.call('GET', '/v1/lines')) as { readonly lines: readonly LineStatus[] };
  const both = new Set(lines.filter(({ edge }) => edge === 'both').map(({ name }) => name));
  const last = new Map<string, Level>();
  for (const { name, direction, value } of lines) {
    if (direction === 'in' && value !== 'unknown') recorder.level(0, name, value);
  }
  let lost = 0;
  const note = (event: ControlEvent | GapEvent): void => {
    if (event.type === 'lost') lost += event.count;
    if (event.type !== 'edge') return;
    const value = event.edge === 'rising' ? 1 : 0;
    const atNs = Math.max(0, event.atNs - startNs);
    if (both.has(event.line)) recorder.level(atNs, event.line, value);
    else {
      last.set(event.line, value);
      recorder.only(atNs, event.line, value);
    }
  };
  const place = new StreamPlace();
  const read = async (): Promise<never> => {
    for await (const { id, event } of client.stream()) {
      if (event !== undefined) note(event);
      if (id !== undefined) place.reach(id);
    }
    throw new KernelError('EIO', 'the daemon has ended');
  };
  return {
    get lost() {
      return lost;
    },
    upToNow: () => place.reached(newestId(client)),
    stop: () => recorder.finish(last),
    failed: read(),
  };
}

/** How far a stream of events has been read. */
class StreamPlace {
  /** The newest one, and those before it since somebody waits. */
  readonly #ids = new Set<string>();
  #waiting: (() => void) | undefined;

  reach(id: string): void {
    if (this.#waiting === undefined) this.#ids.clear();
    this.#ids.add(id);
    this.#waiting?.();
  }

  /** Resolves when an event was read that is to be told; until that is known, others may be. */
  async reached(id: Promise<string | undefined>): Promise<void> {
    let wanted: string | undefined;
    const there = new Promise<void>((resolve) => {
      this.#waiting = () => {
        if (wanted !== undefined && this.#ids.has(wanted)) resolve();
      };
    });
    wanted = await id;
    this.#waiting?.();
    await there;
  }
}

/** The id of the daemon's newest event, which every stream begins with. */
async function newestId(client: DaemonTold): Promise<string | undefined> {
  for await (const { id } of client.stream()) return id;
  return undefined;
}
