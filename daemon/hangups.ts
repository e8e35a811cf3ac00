// SIGHUP: the configuration is to be read anew, or the terminal is gone. By default it would end the process without a word.
import type { Surroundings } from './cli.js';

/** What is done at a hangup. */
export interface HangupTakers {
  reload(): void;
  /** The terminal is gone. */
  end(): void;
}

/** Hears of hangups from the start to the end: what comes before there is anybody to {@link take} it is done then. */
export class Hangups {
  readonly #forget: (() => void) | undefined;
  #takers: HangupTakers | undefined;
  #reload = false;
  #gone = false;

  constructor({ onHangup }: Pick<Surroundings, 'onHangup'>) {
    this.#forget = onHangup?.((gone) => {
      if (gone) this.#gone = true;
      else this.#reload = true;
      this.#tell();
    });
  }

  /** Has hangups done from now on. */
  take(takers: HangupTakers): void {
    this.#takers = takers;
    this.#tell();
  }

  /** Hears no more. Idempotent. */
  close(): void {
    this.#forget?.();
  }

  #tell(): void {
    if (this.#takers === undefined) return;
    if (this.#gone) this.#takers.end();
    else if (this.#reload) this.#takers.reload();
    this.#gone = false;
    this.#reload = false;
  }
}
