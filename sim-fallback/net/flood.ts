// PacketFlood: packets that arrive at a network card at a chosen rate, the same ones on every run.
import type { Alarm, Clock } from '../../kernel/time/clock.js';
import { mulberry32, type Prng } from '../board/prng.js';
import type { Nic } from './nic.js';

const NS_PER_S = 1_000_000_000;
/** Shortest packet of Ethernet, in bytes. */
const LENGTH = 64;

export interface FloodOptions {
  readonly packetsPerSecond: number;
  /** Seed of gaps that are exponentially distributed; default: all gaps are equal. */
  readonly seed?: number;
}

/** The other end of the card's wire. */
export class PacketFlood {
  /** Packets sent. */
  sent = 0;
  readonly #nic: Nic;
  readonly #alarm: Alarm;
  readonly #clock: Clock;
  readonly #gapNs: number;
  readonly #random: Prng | undefined;
  /** Exact time of the next packet: what rounding takes from one gap the next one gets. */
  #dueNs = 0;

  constructor(clock: Clock, nic: Nic, { packetsPerSecond, seed }: FloodOptions) {
    if (!(packetsPerSecond > 0)) throw new RangeError(`a flood of ${packetsPerSecond} packets a second`);
    this.#clock = clock;
    this.#nic = nic;
    this.#gapNs = NS_PER_S / packetsPerSecond;
    this.#random = seed === undefined ? undefined : mulberry32(seed);
    this.#alarm = clock.createAlarm(() => this.#send());
  }

  /** The first packet comes one gap from now. */
  start(): void {
    this.#dueNs = this.#clock.now();
    this.#next();
  }

  stop(): void {
    this.#alarm.cancel();
  }

  #next(): void {
    const gaps = this.#random === undefined ? 1 : -Math.log(1 - this.#random());
    this.#dueNs += gaps * this.#gapNs;
    this.#alarm.schedule(Math.round(this.#dueNs));
  }

  #send(): void {
    this.sent++;
    this.#next();
    this.#nic.receive(LENGTH);
  }
}
