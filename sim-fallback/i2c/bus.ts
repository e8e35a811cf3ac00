// An I2C bus: its devices, one controller, and the time that the bits take.
import { KernelError } from '../../kernel/errno.js';
import type { Alarm, Clock } from '../../kernel/time/clock.js';

/** A device at a 7-bit address. It is called at the end of the byte that the call is about. */
export interface I2cDevice {
  readonly address: number;
  /** It was addressed, after a START or a repeated one, and has acknowledged. */
  start(reading: boolean): void;
  /** Takes a byte, 0-255; false when it does not acknowledge. */
  write(byte: number): boolean;
  /** Gives a byte, 0-255. */
  read(): number;
}

/** From one START to the next, or to the STOP. */
export interface I2cTransferPart {
  readonly address: number;
  readonly reading: boolean;
  /** The bytes to write, or where those that are read go. */
  readonly bytes: Uint8Array;
}

/** How a transfer has ended: all bytes moved, or an address or a byte was not acknowledged. */
export type I2cOutcome = 'done' | 'nack';

/** What a bus is made from. */
export interface I2cBusOptions {
  readonly clock: Clock;
  /** Of SCL: 100,000 (the default) or 400,000 are usual. */
  readonly frequencyHz?: number;
}

const NSEC_PER_SEC = 1_000_000_000;
const ADDRESS_MAX = 0x7f;
/** Eight bits and the acknowledgement. */
const BYTE_BITS = 9;
/** START, repeated START and STOP take as long as a bit. */
const CONDITION_BITS = 1;
/** Place in a part before its first byte: the address is on the wire. */
const AT_ADDRESS = -1;

/**
 * The wires with what is on them. The controller moves one transfer at a time, byte by byte in the time of the clock, whatever
 * the CPUs do meanwhile.
 */
export class I2cBus {
  /** Length of a bit in ns. */
  readonly bitNs: number;
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #devices = new Map<number, I2cDevice>();
  #parts: readonly I2cTransferPart[] = [];
  #part = 0;
  #byte = AT_ADDRESS;
  /** The STOP is on the wire, after this outcome. */
  #outcome: I2cOutcome | undefined;
  #done: ((outcome: I2cOutcome) => void) | undefined;
  #held = false;
  #stalled = false;

  /** `EINVAL` for a frequency that is none. */
  constructor({ clock, frequencyHz = 100_000 }: I2cBusOptions) {
    if (!(frequencyHz > 0 && frequencyHz <= NSEC_PER_SEC)) {
      throw new KernelError('EINVAL', `I2C: ${frequencyHz} Hz: not a frequency`, { hint: 'give 100_000 or 400_000' });
    }
    this.bitNs = Math.round(NSEC_PER_SEC / frequencyHz);
    this.#clock = clock;
    this.#alarm = clock.createAlarm(() => this.#byteOver());
  }

  /** Puts a device on the bus. `EINVAL`: no 7-bit address; `EBUSY`: another one has it. */
  attach(device: I2cDevice): void {
    const { address } = device;
    const subject = `0x${address.toString(16)}`;
    if (!Number.isInteger(address) || address < 0 || address > ADDRESS_MAX) {
      throw new KernelError('EINVAL', `I2C: ${subject}: not a 7-bit address`, { subject });
    }
    if (this.#devices.has(address)) {
      throw new KernelError('EBUSY', `I2C: a device is at ${subject} already`, {
        hint: 'give the second one another address: most have pins for that',
        subject,
      });
    }
    this.#devices.set(address, device);
  }

  /** Takes a device off the bus: nobody acknowledges its address any more. Nothing happens when it is not there. */
  detach(device: I2cDevice): void {
    if (this.#devices.get(device.address) === device) this.#devices.delete(device.address);
  }

  /** Holds SCL low as a device that hangs would, so that no transfer ends; or lets go of it. */
  holdClock(held: boolean): void {
    this.#held = held;
    if (held || !this.#stalled) return;
    this.#stalled = false;
    this.#after(CONDITION_BITS);
  }

  /**
   * Begins a transfer; `done` is told its end, from an alarm of the clock. At least one part; a part may have no byte.
   * `EBUSY` while another is under way.
   */
  transfer(parts: readonly I2cTransferPart[], done: (outcome: I2cOutcome) => void): void {
    if (this.#done !== undefined) throw new KernelError('EBUSY', 'I2C: a transfer is under way');
    this.#parts = parts;
    this.#part = 0;
    this.#byte = AT_ADDRESS;
    this.#outcome = undefined;
    this.#done = done;
    this.#after(CONDITION_BITS + BYTE_BITS);
  }

  /** Gives the present transfer up; its `done` is not called. */
  abort(): void {
    this.#done = undefined;
    this.#stalled = false;
    this.#alarm.cancel();
  }

  #after(bits: number): void {
    this.#alarm.schedule(this.#clock.now() + bits * this.bitNs);
  }

  #byteOver(): void {
    if (this.#held) {
      this.#stalled = true;
      return;
    }
    if (this.#outcome !== undefined) {
      const done = this.#done;
      this.#done = undefined;
      done?.(this.#outcome);
      return;
    }
    const part = this.#parts[this.#part];
    const device = part === undefined ? undefined : this.#devices.get(part.address);
    if (part === undefined || device === undefined || !this.#move(part, device)) this.#stop('nack');
    else if (++this.#byte < part.bytes.length) this.#after(BYTE_BITS);
    else if (++this.#part < this.#parts.length) {
      this.#byte = AT_ADDRESS;
      this.#after(CONDITION_BITS + BYTE_BITS);
    } else this.#stop('done');
  }

  /** The byte that was on the wire has arrived; false when it was not acknowledged. */
  #move(part: I2cTransferPart, device: I2cDevice): boolean {
    if (this.#byte === AT_ADDRESS) {
      device.start(part.reading);
      return true;
    }
    if (!part.reading) return device.write(part.bytes[this.#byte] ?? 0);
    part.bytes[this.#byte] = device.read();
    return true;
  }

  #stop(outcome: I2cOutcome): void {
    this.#outcome = outcome;
    this.#after(CONDITION_BITS);
  }
}
