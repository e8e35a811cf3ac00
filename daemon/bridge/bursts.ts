// Counts that come in bursts, told so that a storm fills no log: the first at once, what follows as one sum a window.

const WINDOW_MS = 1_000;

/** Calls back once after so many ms. @returns takes the call back */
export type StartTimer = (callback: () => void, ms: number) => () => void;

/** The event loop's timer; the end of the process need not wait for it: whoever stops flushes. */
export const hostTimer: StartTimer = (callback, ms) => {
  const timer = setTimeout(callback, ms).unref();
  return () => clearTimeout(timer);
};

/** A window in which a key was told of, with what came since. */
interface Window {
  count: number;
  cancel: () => void;
}

/** Sums counts up by key. Nothing is left out: what is not told yet is told when its window is over, or by {@link flush}. */
export class Bursts {
  readonly #tell: (key: string, count: number) => void;
  readonly #windowMs: number;
  readonly #startTimer: StartTimer;
  readonly #windows = new Map<string, Window>();

  constructor(tell: (key: string, count: number) => void, windowMs = WINDOW_MS, startTimer = hostTimer) {
    this.#tell = tell;
    this.#windowMs = windowMs;
    this.#startTimer = startTimer;
  }

  add(key: string, count: number): void {
    const window = this.#windows.get(key);
    if (window === undefined) this.#open(key, count);
    else window.count += count;
  }

  /** Tells at once what waits, and waits for nothing more. */
  flush(): void {
    for (const [key, { count, cancel }] of this.#windows) {
      cancel();
      if (count > 0) this.#tell(key, count);
    }
    this.#windows.clear();
  }

  #open(key: string, count: number): void {
    const cancel = this.#startTimer(() => this.#over(key), this.#windowMs);
    this.#windows.set(key, { count: 0, cancel });
    this.#tell(key, count);
  }

  #over(key: string): void {
    const count = this.#windows.get(key)?.count ?? 0;
    this.#windows.delete(key);
    if (count > 0) this.#open(key, count);
  }
}
