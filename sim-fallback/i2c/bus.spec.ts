// The bus alone: how long transfers take, who acknowledges, and what a stuck clock does.
import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../kernel/time/clock.js';
import { I2cBus, type I2cDevice, type I2cOutcome, type I2cTransferPart } from './bus.js';

const SECOND = 1_000_000_000;

class Memory implements I2cDevice {
  readonly address: number;
  readonly calls: string[] = [];
  readonly #clock: VirtualClock;
  #next = 0;

  constructor(address: number, clock: VirtualClock) {
    this.address = address;
    this.#clock = clock;
  }

  start(reading: boolean): void {
    this.calls.push(`${this.#clock.now() / 1000} start ${reading ? 'r' : 'w'}`);
  }

  write(byte: number): boolean {
    this.calls.push(`${this.#clock.now() / 1000} write ${byte}`);
    return byte !== 0xee;
  }

  read(): number {
    this.calls.push(`${this.#clock.now() / 1000} read`);
    return this.#next++;
  }
}

describe('I2cBus', () => {
  let clock: VirtualClock;
  let bus: I2cBus;
  let memory: Memory;
  let ends: [I2cOutcome, number][];
  const done = (outcome: I2cOutcome): void => {
    ends.push([outcome, clock.now() / 1000]);
  };
  const write = (...bytes: number[]): I2cTransferPart => ({
    address: 0x20,
    reading: false,
    bytes: Uint8Array.from(bytes),
  });
  const read = (length: number): I2cTransferPart => ({ address: 0x20, reading: true, bytes: new Uint8Array(length) });

  beforeEach(() => {
    clock = new VirtualClock();
    bus = new I2cBus({ clock });
    memory = new Memory(0x20, clock);
    bus.attach(memory);
    ends = [];
  });

  it('moves a byte in nine bits of 10 µs, with one more for START, repeated START and STOP', () => {
    const answer = read(2);
    bus.transfer([write(0x12), answer], done);
    clock.advance(SECOND);
    expect(memory.calls).toEqual(['100 start w', '190 write 18', '290 start r', '380 read', '470 read']);
    expect([...answer.bytes]).toEqual([0, 1]);
    expect(ends).toEqual([['done', 480]]);
  });

  it('is four times as fast at 400 kHz', () => {
    const fast = new I2cBus({ clock, frequencyHz: 400_000 });
    fast.attach(memory);
    fast.transfer([write(1, 2, 3)], done);
    clock.advance(SECOND);
    expect(ends).toEqual([['done', (38 * 2500) / 1000]]);
  });

  it('ends with a NACK behind an address where nobody is, and behind a byte that is refused', () => {
    bus.transfer([{ address: 0x21, reading: true, bytes: new Uint8Array(3) }], done);
    clock.advance(SECOND);
    bus.transfer([write(1, 0xee, 3), read(1)], done);
    clock.advance(SECOND);
    expect(ends).toEqual([
      ['nack', 110],
      ['nack', 1_000_000 + 290],
    ]);
    expect(memory.calls.map((call) => call.split(' ').slice(1).join(' '))).toEqual(['start w', 'write 1', 'write 238']);
  });

  it('has a device on it until it is detached', () => {
    bus.detach(memory);
    bus.transfer([write(1)], done);
    clock.advance(SECOND);
    bus.attach(memory);
    bus.detach(new Memory(0x20, clock));
    bus.transfer([write(1)], done);
    clock.advance(SECOND);
    expect(ends.map(([outcome]) => outcome)).toEqual(['nack', 'done']);
  });

  it('waits while its clock is held, and goes on when it is let go of', () => {
    bus.transfer([write(7)], done);
    clock.advance(150_000);
    bus.holdClock(true);
    clock.advance(SECOND);
    expect(ends).toEqual([]);
    bus.holdClock(false);
    clock.advance(SECOND);
    expect(memory.calls.at(-1)).toBe(`${(150_000 + SECOND + 10_000) / 1000} write 7`);
    expect(ends).toHaveLength(1);
  });

  it('can be given up, and is free for the next transfer then', () => {
    bus.holdClock(true);
    bus.transfer([write(7)], done);
    expect(() => bus.transfer([write(7)], done)).toThrow(expect.objectContaining({ code: 'EBUSY' }));
    clock.advance(SECOND);
    bus.abort();
    bus.holdClock(false);
    clock.advance(SECOND);
    expect(ends).toEqual([]);
    bus.transfer([write(8)], done);
    clock.advance(SECOND);
    expect(ends).toHaveLength(1);
  });

  it('refuses what cannot be: two devices at an address, an address of 8 bits, no frequency', () => {
    expect(() => bus.attach(new Memory(0x20, clock))).toThrow(expect.objectContaining({ code: 'EBUSY' }));
    expect(() => bus.attach(new Memory(0x80, clock))).toThrow('I2C: 0x80: not a 7-bit address');
    expect(() => new I2cBus({ clock, frequencyHz: 0 })).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });
});
