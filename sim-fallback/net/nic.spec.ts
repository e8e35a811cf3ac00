import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../kernel/index.js';
import { PacketFlood } from './flood.js';
import { INT_CAUSE, INT_DISABLE, INT_ENABLE, INT_RX, INT_RX_MISSED, Nic, RX_HEAD, RX_MISSED, RX_TAIL } from './nic.js';

function rig(ringSize?: number) {
  const clock = new VirtualClock();
  const irq: boolean[] = [];
  const warned: string[] = [];
  const nic = new Nic({
    clock,
    ...(ringSize === undefined ? {} : { ringSize }),
    onIrq: (asserted) => irq.push(asserted),
    warn: (message) => warned.push(message),
  });
  return { clock, nic, irq, warned };
}

describe('the card', () => {
  it('latches the cause, and holds its line up while the cause is there and enabled', () => {
    const { nic, irq } = rig();
    nic.receive(64);
    expect([nic.read32(INT_CAUSE), irq]).toEqual([INT_RX, []]);
    nic.write32(INT_ENABLE, INT_RX);
    nic.receive(64);
    nic.write32(INT_DISABLE, INT_RX);
    nic.write32(INT_ENABLE, 0xffff_ffff);
    expect(nic.read32(INT_DISABLE)).toBe(INT_RX | INT_RX_MISSED);
    nic.write32(INT_CAUSE, INT_RX);
    expect(irq).toEqual([true, false, true, false]);
  });

  it('puts packets into descriptors in a ring, with length and time', () => {
    const { clock, nic } = rig(4);
    for (const length of [64, 1500]) {
      clock.advance(100);
      nic.receive(length);
    }
    expect([nic.read32(RX_HEAD), [...nic.lengths], [...nic.stampsNs]]).toEqual([2, [64, 1500, 0, 0], [100, 200, 0, 0]]);
  });

  it('misses what there is no descriptor for, until one is given back', () => {
    const { nic } = rig(4);
    for (let i = 0; i < 5; i++) nic.receive(64);
    expect([nic.read32(RX_HEAD), nic.read32(RX_MISSED), nic.read32(INT_CAUSE)]).toEqual([3, 2, INT_RX | INT_RX_MISSED]);
    nic.write32(RX_TAIL, 0);
    nic.receive(64);
    expect([nic.read32(RX_HEAD), nic.read32(RX_TAIL), nic.read32(RX_MISSED)]).toEqual([0, 0, 2]);
  });

  it('warns of what is no register, or not to be written', () => {
    const { nic, warned } = rig();
    expect(nic.read32(0x0c)).toBe(0);
    nic.write32(RX_HEAD, 1);
    expect(warned).toEqual(['NIC: read of unmapped register 0xc', 'NIC: write to unmapped or read-only register 0x10']);
    expect(() => rig(1)).toThrow(RangeError);
  });
});

describe('a flood', () => {
  it('sends at its rate without drifting, though gaps are whole nanoseconds', () => {
    const { clock, nic } = rig();
    const flood = new PacketFlood(clock, nic, { packetsPerSecond: 300_000 });
    flood.start();
    clock.advance(1_000_000_000);
    flood.stop();
    clock.advance(1_000_000);
    expect(flood.sent).toBe(300_000);
    expect(() => new PacketFlood(clock, nic, { packetsPerSecond: 0 })).toThrow(RangeError);
  });

  it('with a seed has gaps at random, the same on every run', () => {
    const times = (seed: number): number[] => {
      const { clock, nic } = rig(4096);
      const flood = new PacketFlood(clock, nic, { packetsPerSecond: 100_000, seed });
      flood.start();
      clock.advance(10_000_000);
      return [...nic.stampsNs.slice(0, flood.sent)];
    };
    expect(times(1)).toEqual(times(1));
    expect(times(1)).not.toEqual(times(2));
    expect(times(1).length).toBeGreaterThan(900);
    expect(times(1).length).toBeLessThan(1_100);
  });
});
