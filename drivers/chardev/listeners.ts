// Listeners of rare events: a chip that went away, a line whose info changed. One that throws does not stop the others.
import type { GoneListener } from '../../kernel/gpio/driver.js';

/** Calls all listeners; what one throws becomes an `uncaughtException` after all were called. */
export function callEach<T>(listeners: Iterable<(value: T) => void>, value: T): void {
  for (const listener of listeners) {
    try {
      listener(value);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** Tells each listener once that the chip went away, also one that comes after the fact. */
export class GoneNotice {
  readonly #listeners: GoneListener[] = [];
  #error: Error | undefined;

  /** The chip is known to be gone. */
  get told(): boolean {
    return this.#error !== undefined;
  }

  add(listener: GoneListener): void {
    const error = this.#error;
    if (error === undefined) this.#listeners.push(listener);
    else queueMicrotask(() => listener(error));
  }

  tell(error: Error): void {
    this.#error = error;
    callEach(this.#listeners.splice(0), error);
  }
}
