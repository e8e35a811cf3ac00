// Transfers as a driver makes them: asleep while the bits are on the wire, one at a time, with the errors of the Pi's adapter.
import { beforeEach, describe, expect, it } from 'vitest';
import { ktimeGet, Machine, mdelay } from '../../kernel/index.js';
import { I2cBus } from '../i2c/bus.js';
import { Mcp23017 } from '../i2c/mcp23017.js';
import { Bcm2835I2cAlgorithm } from './i2c-bcm2835.js';
import {
  I2C_M_RD,
  I2cAdapter,
  type I2cClient,
  i2cDevName,
  i2cSmbusReadByteData,
  i2cSmbusReadWordData,
  i2cSmbusWriteByteData,
  i2cSmbusWriteWordData,
  i2cTransfer,
} from './i2c-core.js';

const GPPUA = 0x0c;
const US = 1000;

describe('i2c', () => {
  let log: string[];
  let machine: Machine;
  let bus: I2cBus;
  let device: Mcp23017;
  let adapter: I2cAdapter;
  let client: I2cClient;

  beforeEach(() => {
    log = [];
    machine = new Machine({ printk: (level, text) => log.push(`${level}: ${text}`) });
    bus = new I2cBus({ clock: machine.clock });
    device = new Mcp23017();
    bus.attach(device);
    adapter = new I2cAdapter(machine, 1, new Bcm2835I2cAlgorithm(bus));
    client = { adapter, addr: device.address };
  });

  it('names a device as Linux does', () => {
    expect(i2cDevName(client)).toBe('1-0020');
  });

  it('reads and writes bytes and words, the lower byte first', () => {
    machine.runTask(function* () {
      yield* i2cSmbusWriteWordData(client, GPPUA, 0x1234);
      expect(yield* i2cSmbusReadByteData(client, GPPUA)).toBe(0x34);
      expect(yield* i2cSmbusReadByteData(client, GPPUA + 1)).toBe(0x12);
      yield* i2cSmbusWriteByteData(client, GPPUA, 0x56);
      expect(yield* i2cSmbusReadWordData(client, GPPUA)).toBe(0x1256);
    });
  });

  it('takes the time of the bits, in which the CPU is free', () => {
    const order: string[] = [];
    machine.runTask(function* () {
      machine.spawn('other', () => order.push('other'));
      const before = ktimeGet();
      yield* i2cSmbusReadByteData(client, GPPUA);
      order.push('read');
      // START, address, register, repeated START, address, value, STOP.
      expect(ktimeGet() - before).toBe((3 + 4 * 9) * 10 * US);
    });
    expect(order).toEqual(['other', 'read']);
  });

  it('goes on by itself while its task cannot run', () => {
    machine.runTask(function* () {
      const start = ktimeGet();
      machine.spawn(
        'busy',
        function* () {
          yield* mdelay(5);
        },
        { rtPriority: 1 },
      );
      yield* i2cSmbusWriteByteData(client, GPPUA, 1);
      expect(ktimeGet() - start).toBe(5000 * US);
    });
  });

  it('does one transfer at a time: who comes second waits for the bus', () => {
    const ends: [string, number][] = [];
    const write = (name: string) =>
      function* () {
        yield* i2cSmbusWriteByteData(client, GPPUA, 1);
        ends.push([name, ktimeGet() / US]);
      };
    machine.spawn('a', write('a'));
    machine.spawn('b', write('b'));
    machine.advance(1_000_000);
    expect(ends).toEqual([
      ['a', 290],
      ['b', 580],
    ]);
  });

  it('awaited by an async function is the same', async () => {
    const result = machine.call(async () => {
      await i2cSmbusWriteByteData(client, GPPUA, 7);
      return await i2cSmbusReadByteData(client, GPPUA);
    });
    await machine.advanceAsync(2_000_000);
    expect(await result).toBe(7);
  });

  it('of nobody ends with EREMOTEIO, and leaves the bus free', () => {
    const nobody = { adapter, addr: 0x27 };
    expect(() => machine.runTask(() => i2cSmbusReadByteData(nobody, 0))).toThrow(
      expect.objectContaining({ code: 'EREMOTEIO', errno: -121, message: 'i2c-1: 0x27 does not acknowledge' }),
    );
    expect(machine.runTask(() => i2cSmbusReadByteData(client, GPPUA))).toBe(0);
  });

  it('on a bus whose clock is held ends with ETIMEDOUT after a second, and leaves the bus free', () => {
    bus.holdClock(true);
    const before = machine.clock.now();
    expect(() => machine.runTask(() => i2cSmbusReadByteData(client, GPPUA))).toThrow(
      expect.objectContaining({ code: 'ETIMEDOUT' }),
    );
    expect(machine.clock.now() - before).toBeGreaterThanOrEqual(1_000_000_000);
    expect(machine.clock.now() - before).toBeLessThan(1_050_000_000);
    bus.holdClock(false);
    expect(machine.runTask(() => i2cSmbusReadByteData(client, GPPUA))).toBe(0);
  });

  it('refuses what the adapter cannot do: a read before another message, or no message', () => {
    const read = { addr: 0x20, flags: I2C_M_RD, buf: new Uint8Array(1) };
    expect(() => machine.runTask(() => i2cTransfer(adapter, [read, read]))).toThrow(
      expect.objectContaining({ code: 'ENOTSUP' }),
    );
    expect(log).toEqual(['warning: i2c-1: only one read message supported, has to be last']);
    expect(() => machine.runTask(() => i2cTransfer(adapter, []))).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    expect(log).toHaveLength(2);
    expect(log[1]).toContain('__i2c_transfer');
  });

  it('in a place that cannot sleep is reported', () => {
    machine.bootCpu.callFunction(() => {
      expect(() => i2cSmbusReadByteData(client, GPPUA).next()).not.toThrow();
      return 0;
    });
    machine.advance(1000);
    expect(log.some((line) => line.includes('BUG: sleeping function called from invalid context'))).toBe(true);
  });
});
