// How many of a kind may run at once: the others wait in line.
import { KernelError } from '../../kernel/index.js';

/** Is told when somebody begins to wait for nothing but time or another's end, and, the moment that it is over, of that. */
export interface Idling {
  begins(): void;
  ends(): void;
}

/** Places for tasks that wait for something outside; first come, first served. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  readonly #idling: Idling | undefined;

  /** @param idling is told of who waits in line */
  constructor(count: number, idling?: Idling) {
    this.#free = count;
    this.#idling = idling;
  }

  /** Tasks that wait for a place. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs a task as soon as there is a place. @throws what the task does; KernelError EINTR when `signal` is aborted before it begins */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        this.#idling?.ends();
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        this.#idling?.ends();
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        reject(new KernelError('EINTR', 'had not begun, since too many ran already, when the daemon stopped'));
      };
      this.#waiting.push(begin);
      this.#idling?.begins();
      if (signal.aborted) giveUp();
      else signal.addEventListener('abort', giveUp, { once: true });
    });
  }
}
