import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Coroutine, NET_RX_SOFTIRQ, ndelay } from '../../kernel/index.js';
import { PacketFlood } from './flood.js';
import { INT_CAUSE, INT_ENABLE, RX_MISSED } from './nic.js';
import { InterruptNicDriver, NapiNicDriver } from './nic-driver.js';
import { nicMachine } from './nic-machine.js';

const MS = 1_000_000;
const DRIVERS = { napi: NapiNicDriver, interrupt: InterruptNicDriver };

/** A flood for 50 ms, beside a task of SCHED_NORMAL that always has something to do. */
function flooded(kind: keyof typeof DRIVERS, packetsPerSecond: number, seed = 1) {
  const { machine, nic, irq } = nicMachine();
  const driver = new DRIVERS[kind](nic, irq);
  machine.runTask(() => driver.open());
  const task = machine.spawn('task', function* (): Coroutine<void> {
    for (;;) yield* ndelay(MS);
  });
  const flood = new PacketFlood(machine.clock, nic, { packetsPerSecond, seed });
  flood.start();
  machine.advance(50 * MS);
  flood.stop();
  return {
    machine,
    nic,
    driver,
    flood,
    interruptsPerSecond: driver.interrupts * 20,
    packetsPerSecond: driver.packets * 20,
    cpuShare: task.sumExecNs / (50 * MS),
  };
}

describe.each(['napi', 'interrupt'] as const)('the driver (%s)', (kind) => {
  it('handles every packet below the rate that it can bear', () => {
    const { machine, nic, driver, flood } = flooded(kind, 100_000);
    machine.advance(MS);
    expect([driver.packets, nic.read32(RX_MISSED)]).toEqual([flood.sent, 0]);
    const meanNs = driver.waitedNs / driver.packets;
    expect(meanNs).toBeGreaterThan(1_000);
    expect(meanNs).toBeLessThan(6_000);
  });

  it('stops, and opens again', () => {
    const { machine, nic, irq } = nicMachine();
    const driver = new DRIVERS[kind](nic, irq);
    machine.runTask(function* () {
      yield* driver.open();
      nic.receive(64);
      yield* ndelay(MS);
      yield* driver.stop();
      nic.receive(64);
      yield* ndelay(MS);
      expect([driver.packets, nic.read32(INT_ENABLE)]).toEqual([1, 0]);
      yield* driver.open();
      yield* ndelay(MS);
    });
    expect([driver.packets, nic.read32(INT_CAUSE)]).toEqual([2, 0]);
  });

  it('leaves no packet in the ring, however they arrive', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(8_000), { maxLength: 60 }), (gaps) => {
        const { machine, nic, irq } = nicMachine({ lockdep: false });
        const driver = new DRIVERS[kind](nic, irq);
        machine.runTask(() => driver.open());
        for (const gap of gaps) {
          machine.advance(gap);
          nic.receive(64);
        }
        machine.advance(MS);
        expect([driver.packets, nic.read32(RX_MISSED)]).toEqual([gaps.length, 0]);
      }),
      { numRuns: 50 },
    );
  });

  it('does the same on every run', () => {
    const counts = () => {
      const { driver, nic, machine } = flooded(kind, 400_000, 7);
      return [driver.packets, driver.interrupts, driver.waitedNs, nic.read32(RX_MISSED), machine.bootCpu.times];
    };
    expect(counts()).toEqual(counts());
  });
});

describe('as the load rises', () => {
  it('NAPI takes fewer interrupts, down to hardly any, and the other driver ever more', () => {
    const rate = (kind: keyof typeof DRIVERS, load: number): number => flooded(kind, load).interruptsPerSecond;
    expect(rate('napi', 10_000)).toBeGreaterThan(9_000);
    expect(rate('napi', 300_000)).toBeGreaterThan(100_000);
    expect(rate('napi', 3_000_000)).toBeLessThan(1_000);
    expect(rate('interrupt', 3_000_000)).toBeGreaterThan(330_000);
  });

  it('NAPI leaves its half of the CPU to a task, and interrupts leave it nothing', () => {
    const napi = flooded('napi', 3_000_000);
    const interrupt = flooded('interrupt', 3_000_000);
    expect(napi.cpuShare).toBeGreaterThan(0.4);
    expect(interrupt.cpuShare).toBeLessThan(0.001);
    expect(napi.packetsPerSecond).toBeGreaterThan(interrupt.packetsPerSecond);
  });

  it('the softirq is left to ksoftirqd', () => {
    const { machine } = flooded('napi', 3_000_000);
    expect(machine.bootCpu.softirqs.counts[NET_RX_SOFTIRQ]).toBeGreaterThan(300);
    expect(machine.bootCpu.softirqs.thread?.sumExecNs).toBeGreaterThan(20 * MS);
  });
});
