// What goes to the device, and what is answered from what was written before.
import { beforeEach, describe, expect, it } from 'vitest';
import { type Coroutine, Machine } from '../../kernel/index.js';
import { I2cBus, type I2cDevice } from '../i2c/bus.js';
import { Bcm2835I2cAlgorithm } from './i2c-bcm2835.js';
import { I2cAdapter } from './i2c-core.js';
import { Regmap } from './regmap.js';

const KEPT = 0x10;
const OTHER = 0x12;
const VOLATILE = 0x20;

/** Notes what is written to it, and reads as 0x0201, 0x0403 … */
class Device implements I2cDevice {
  readonly address = 0x20;
  readonly traffic: number[][] = [];
  #next = 1;

  start(): void {
    this.traffic.push([]);
  }

  write(byte: number): boolean {
    this.traffic.at(-1)?.push(byte);
    return true;
  }

  read(): number {
    return this.#next++;
  }
}

describe('Regmap', () => {
  let log: string[];
  let machine: Machine;
  let bus: I2cBus;
  let device: Device;
  let map: Regmap;
  const run = <R>(body: () => Coroutine<R>): R => machine.runTask(body);

  beforeEach(() => {
    log = [];
    machine = new Machine({ printk: (level, text) => log.push(`${level}: ${text}`) });
    bus = new I2cBus({ clock: machine.clock });
    device = new Device();
    bus.attach(device);
    const client = { adapter: new I2cAdapter(machine, 1, new Bcm2835I2cAlgorithm(bus)), addr: device.address };
    const regDefaults = [
      [KEPT, 0x1234],
      [OTHER, 0],
    ] as const;
    map = new Regmap(client, 'driver', { regDefaults });
  });

  it('reads a register that is kept without the device, and another one from it', () => {
    expect(run(() => map.read(KEPT))).toBe(0x1234);
    expect(device.traffic).toEqual([]);
    expect([run(() => map.read(VOLATILE)), run(() => map.read(VOLATILE))]).toEqual([0x0201, 0x0403]);
    expect(device.traffic).toEqual([[VOLATILE], [], [VOLATILE], []]);
  });

  it('writes to the device, the lower byte first, but no bits that are so already', () => {
    run(() => map.updateBits(KEPT, 0x0f00, 0x0200));
    run(() => map.updateBits(KEPT, 0x0ff0, 0x0ff0));
    expect(device.traffic).toEqual([[KEPT, 0xf4, 0x1f]]);
    expect(map.cached(KEPT)).toBe(0x1ff4);
  });

  it('while it is cache-only sleeps for nothing, and cannot read what is not kept', () => {
    map.cacheOnly(true);
    map.updateCachedBits(KEPT, 0xff, 0xff);
    run(() => map.write(OTHER, 7));
    expect(() => run(() => map.read(VOLATILE))).toThrow(expect.objectContaining({ code: 'EBUSY' }));
    expect(device.traffic).toEqual([]);
    expect(machine.clock.now()).toBe(0);
  });

  it('writes all that is kept when it is synchronised after a change, and once', () => {
    run(() => map.sync());
    map.cacheOnly(true);
    map.updateCachedBits(KEPT, 0xff, 0x34);
    map.cacheOnly(false);
    run(() => map.sync());
    expect(device.traffic, 'nothing has changed').toEqual([]);
    map.cacheOnly(true);
    map.updateCachedBits(KEPT, 0xff, 0x56);
    map.cacheOnly(false);
    run(() => map.sync());
    run(() => map.sync());
    expect(device.traffic).toEqual([
      [KEPT, 0x56, 0x12],
      [OTHER, 0, 0],
    ]);
  });

  it('logs what it cannot synchronise, and tries it again the next time', () => {
    map.cacheOnly(true);
    map.updateCachedBits(OTHER, 1, 1);
    map.cacheOnly(false);
    bus.detach(device);
    run(() => map.sync());
    expect(log).toEqual(['err: driver 1-0020: Unable to sync register 0x10. -121']);
    bus.attach(device);
    run(() => map.sync());
    expect(device.traffic.at(-1)).toEqual([OTHER, 1, 0]);
  });
});
