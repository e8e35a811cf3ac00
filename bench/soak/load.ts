// What the daemon is made to do during the soak: presses at a steady rate, and a watcher that counts what it is told.
import type { ControlClient } from '../../daemon/control/client.js';

/** Buttons of soak.yaml. */
const BUTTONS = 16;
const HOLD_NS = 20e6;
/** Between letting a button go and pressing it again, at least: more than its debounce. */
const PAUSE_MS = 5;
const EDGES_A_PRESS = 2;
const MS_PER_S = 1_000;

/** Presses all buttons in turn, at so many edges a second. */
export class Presses {
  /** Presses that were answered: everything that they set off had run. */
  answered = 0;
  readonly failures: string[] = [];
  /** How late the latest press began, in ms. */
  worstLagMs = 0;
  readonly #client: ControlClient;
  readonly #gapMs: number;
  readonly #running: Promise<void>[];
  #over = false;

  /** @param edgesPerS over all buttons */
  constructor(client: ControlClient, edgesPerS: number) {
    this.#client = client;
    this.#gapMs = (BUTTONS * EDGES_A_PRESS * MS_PER_S) / edgesPerS;
    const startMs = performance.now();
    this.#running = Array.from({ length: BUTTONS }, (_, button) =>
      this.#press(button, startMs + (this.#gapMs * button) / BUTTONS),
    );
  }

  get edges(): number {
    return this.answered * EDGES_A_PRESS;
  }

  /** Ends it; resolves when the last press is answered. */
  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#running);
  }

  /** One button: each press at its own time, and soon when that has passed, so that the rate is met over long. */
  async #press(button: number, firstMs: number): Promise<void> {
    for (let dueMs = firstMs; !this.#over; dueMs += this.#gapMs) {
      const waitMs = dueMs - performance.now();
      await new Promise((resolve) => setTimeout(resolve, Math.max(waitMs, PAUSE_MS)));
      this.worstLagMs = Math.max(this.worstLagMs, -waitMs);
      try {
        await this.#client.call('POST', `/v1/buttons/button${button}/press`, { forNs: HOLD_NS });
        this.answered++;
      } catch (error) {
        this.failures.push(String(error));
      }
    }
  }
}

/** Reads all events, and counts them. */
export class Watcher {
  edges = 0;
  others = 0;
  readonly errors: string[] = [];
  /** Why the stream ended. */
  ended: string | undefined;

  /** Resolves when the daemon has it among its watchers. */
  static async start(client: ControlClient): Promise<Watcher> {
    const watcher = new Watcher();
    await new Promise<void>((resolve, reject) => {
      watcher.#read(client, resolve).then(
        () => {
          watcher.ended = 'the daemon ended it';
        },
        (error: unknown) => {
          watcher.ended = String(error);
          reject(error);
        },
      );
    });
    return watcher;
  }

  async #read(client: ControlClient, isWatching: () => void): Promise<void> {
    for await (const { event } of client.stream()) {
      isWatching();
      if (event === undefined) continue;
      if (event.type === 'edge') this.edges++;
      else this.others++;
      if (event.type === 'error') this.errors.push(`${event.interrupt}: ${event.message}`);
      else if (event.type === 'gap') this.errors.push(`missed ${event.missed} events`);
    }
  }
}
