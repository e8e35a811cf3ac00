// A network card at register level: a ring of receive descriptors, causes of interrupts and their enables, one interrupt line.
import type { Clock } from '../../kernel/time/clock.js';

// Register offsets.
/** Causes that are latched; write 1 to clear. */
export const INT_CAUSE = 0x00;
/** Reads as what is enabled; write 1 to enable. */
export const INT_ENABLE = 0x04;
/** Reads as what is enabled; write 1 to disable. */
export const INT_DISABLE = 0x08;
/** The descriptor that the next packet goes to. Read only. */
export const RX_HEAD = 0x10;
/** The descriptor at which the card stops: the last one that software has given back. */
export const RX_TAIL = 0x14;
/** Packets for which there was no descriptor. Read only. */
export const RX_MISSED = 0x18;

/** Bits of the interrupt registers: a packet was received; one was missed. */
export const INT_RX = 1 << 0;
export const INT_RX_MISSED = 1 << 1;

const INT_BITS = INT_RX | INT_RX_MISSED;
const RING_SIZE = 256;

/** What the card needs from its surroundings. */
export interface NicOptions {
  readonly clock: Clock;
  /** Descriptors; 2 or more, default 256. One of them is always empty. */
  readonly ringSize?: number;
  /** The interrupt line, a level; called when it changes. May access registers. */
  readonly onIrq: (asserted: boolean) => void;
  /** Told of accesses to what is no register. */
  readonly warn: (message: string) => void;
}

/**
 * The card. Packets come in by {@link receive}; software sees {@link read32} and {@link write32}, and in memory that card and
 * software share, {@link lengths} and {@link stampsNs} of the packets by descriptor.
 */
export class Nic {
  readonly ringSize: number;
  /** Bytes of the packet in each descriptor. */
  readonly lengths: Uint16Array;
  /** When it arrived. */
  readonly stampsNs: Float64Array;
  readonly #options: NicOptions;
  #cause = 0;
  #enabled = 0;
  #head = 0;
  #tail: number;
  #missed = 0;
  #irq = false;

  constructor(options: NicOptions) {
    const { ringSize = RING_SIZE } = options;
    if (!Number.isInteger(ringSize) || ringSize < 2) throw new RangeError(`a ring of ${ringSize} descriptors`);
    this.#options = options;
    this.ringSize = ringSize;
    this.lengths = new Uint16Array(ringSize);
    this.stampsNs = new Float64Array(ringSize);
    this.#tail = ringSize - 1;
  }

  /** A packet arrives on the wire. */
  receive(length: number): void {
    if (this.#head === this.#tail) {
      this.#missed++;
      this.#cause |= INT_RX_MISSED;
    } else {
      this.lengths[this.#head] = length;
      this.stampsNs[this.#head] = this.#options.clock.now();
      this.#head = this.#head + 1 === this.ringSize ? 0 : this.#head + 1;
      this.#cause |= INT_RX;
    }
    this.#update();
  }

  /** A 32-bit load. An offset where nothing is gives 0 and a warning. */
  read32(offset: number): number {
    switch (offset) {
      case INT_CAUSE:
        return this.#cause;
      case INT_ENABLE:
      case INT_DISABLE:
        return this.#enabled;
      case RX_HEAD:
        return this.#head;
      case RX_TAIL:
        return this.#tail;
      case RX_MISSED:
        return this.#missed >>> 0;
      default:
        this.#options.warn(`NIC: read of unmapped register 0x${offset.toString(16)}`);
        return 0;
    }
  }

  /** A 32-bit store. An offset where nothing is to be written takes nothing, with a warning. */
  write32(offset: number, value: number): void {
    switch (offset) {
      case INT_CAUSE:
        this.#cause &= ~value;
        break;
      case INT_ENABLE:
        this.#enabled |= value & INT_BITS;
        break;
      case INT_DISABLE:
        this.#enabled &= ~value;
        break;
      case RX_TAIL:
        this.#tail = value % this.ringSize;
        return;
      default:
        this.#options.warn(`NIC: write to unmapped or read-only register 0x${offset.toString(16)}`);
        return;
    }
    this.#update();
  }

  #update(): void {
    const irq = (this.#cause & this.#enabled) !== 0;
    if (irq === this.#irq) return;
    this.#irq = irq;
    this.#options.onIrq(irq);
  }
}
