// Ids of events: which span of watching they are of, and their number. Numbers of different spans tell nothing of each other.

/** 2^48: an epoch has 12 digits. */
const EPOCHS = 0x1_0000_0000_0000;
const ID = /^([0-9a-f]{12}\.\d{1,10})-(\d{1,15})$/;

/** A time in which every event was seen, from the first watcher until some time after the last one. */
export class EventSpan {
  /** Another one at every start of the daemon. No secret: node:crypto would take a start longer. */
  readonly #epoch = Math.floor(Math.random() * EPOCHS)
    .toString(16)
    .padStart(12, '0');
  #span = 1;

  /** `EPOCH.SPAN-NUMBER` */
  idOf(number: number): string {
    return `${this.#epoch}.${this.#span}-${number}`;
  }

  /** Events were not seen for a while. */
  next(): void {
    this.#span++;
  }

  /** @returns the number in an id of this span; `undefined` for one of another, or for what is no id. */
  numberIn(id: string): number | undefined {
    const match = ID.exec(id);
    return match?.[1] === `${this.#epoch}.${this.#span}` ? Number(match[2]) : undefined;
  }
}
