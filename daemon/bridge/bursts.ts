// Counts that come in bursts, told so that a storm fills no log: the first at once, what follows as one sum a window.

const WINDOW_MS = 1_000;

/** A window in which a key was told of, with what came since. */
interface Window {
  count: number;
  timer: NodeJS.Timeout;
}

/** Sums counts up by key. Nothing is left out: what is not told yet is told when its window is over, or by {@link flush}. */
export class Bursts {
  readonly #tell: (key: string, count: number) => void;
  readonly #windowMs: number;
  readonly #windows = new Map<string, Window>();

  constructor(tell: (key: string, count: number) => void, windowMs = WINDOW_MS) {
    this.#tell = tell;
    this.#windowMs = windowMs;
  }

  add(key: string, count: number): void {
    const window = this.#windows.get(key);
    if (window === undefined) this.#open(key, count);
    else window.count += count;
  }

  /** Tells at once what waits, and waits for nothing more. */
  flush(): void {
    for (const [key, { count, timer }] of this.#windows) {
      clearTimeout(timer);
      if (count > 0) this.#tell(key, count);
    }
    this.#windows.clear();
  }

  #open(key: string, count: number): void {
    const timer = setTimeout(() => this.#over(key), this.#windowMs);
    // The end of the process need not wait for it: whoever stops flushes.
    timer.unref();
    this.#windows.set(key, { count: 0, timer });
    this.#tell(key, count);
  }

  #over(key: string): void {
    const count = this.#windows.get(key)?.count ?? 0;
    this.#windows.delete(key);
    if (count > 0) this.#open(key, count);
  }
}
