import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import type { MachineOptions } from '../machine-options.js';
import { preemptPoint, schedSetFifoLow } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { context, current, inSoftirq, smpProcessorId } from '../sched/current.js';
import { NET_RX_SOFTIRQ } from '../softirq/vectors.js';
import { mdelay, msleep, ndelay, udelay, usleepRange } from '../time/delay.js';
import { NetDevice } from './device.js';
import {
  __napiScheduleIrqoff,
  devSetThreaded,
  NAPIF_STATE_LISTED,
  NAPIF_STATE_MISSED,
  NAPIF_STATE_SCHED,
  type NapiPollFn,
  NapiStruct,
  napiComplete,
  napiCompleteDone,
  napiDisable,
  napiDisablePending,
  napiEnable,
  napiIfScheduledMarkMissed,
  napiIsScheduled,
  napiSchedule,
  napiScheduleIrqoff,
  napiSchedulePrep,
  napiSynchronize,
  netifNapiAdd,
  netifNapiAddWeight,
  netifNapiDel,
} from './napi.js';

/** An instance with packets waiting. */
class Source extends NapiStruct {
  left = 0;
  polls = 0;
}

function rig(options: MachineOptions = {}) {
  const log: string[] = [];
  const printed: string[] = [];
  const machine = new Machine({ ...options, printk: (level, text) => printed.push(`${level}: ${text}`) });
  const dev = new NetDevice('eth0');
  /** An instance whose packets take `costNs` each. */
  const source = (name: string, { weight = 64, costNs = 0 } = {}): Source => {
    const self = new Source();
    const poll: NapiPollFn = function* poll(napi, budget) {
      self.polls++;
      const done = Math.min(self.left, budget);
      log.push(`${name} ${done} ${context()} ${current().comm}`);
      if (costNs > 0) yield* ndelay(done * costNs);
      self.left -= done;
      if (done < budget) napiCompleteDone(napi, done);
      return done;
    };
    machine.runTask(() => {
      netifNapiAddWeight(dev, self, poll, weight);
      napiEnable(self);
    });
    return self;
  };
  const hard = (fn: () => void, cpu = 0): void => {
    machine.cpus[cpu]?.callFunction(() => {
      fn();
      return 0;
    });
  };
  return { log, printed, machine, dev, source, hard };
}

describe('an instance', () => {
  it('is polled behind the interrupt that scheduled it, once', () => {
    const { log, source, hard } = rig();
    const napi = source('a');
    napi.left = 3;
    hard(() => {
      expect([napiSchedulePrep(napi), napi.state & NAPIF_STATE_SCHED]).toEqual([true, NAPIF_STATE_SCHED]);
      __napiScheduleIrqoff(napi);
    });
    expect([log, napiIsScheduled(napi)]).toEqual([['a 3 softirq swapper/0'], false]);
  });

  it('that is scheduled again before it was polled is polled once more, in the same softirq', () => {
    const { machine, log, source, hard } = rig();
    const napi = source('a');
    hard(() => {
      expect(napiSchedule(napi)).toBe(true);
      expect(napiSchedule(napi)).toBe(false);
      expect(napi.state & NAPIF_STATE_MISSED).toBe(NAPIF_STATE_MISSED);
    });
    expect([log.length, machine.bootCpu.softirqs.counts[NET_RX_SOFTIRQ]]).toEqual([2, 1]);
  });

  it('is marked as missed only while it is scheduled', () => {
    const { log, source, hard } = rig();
    const napi = source('a');
    hard(() => {
      expect(napiIfScheduledMarkMissed(napi)).toBe(false);
      napiScheduleIrqoff(napi);
      expect(napiIfScheduledMarkMissed(napi)).toBe(true);
    });
    expect([log.length, napi.state]).toEqual([2, NAPIF_STATE_LISTED]);
  });

  it('that was just added waits for napi_enable, and cannot be enabled twice', () => {
    const { machine, dev, log } = rig();
    machine.runTask(() => {
      const napi = new NapiStruct();
      netifNapiAdd(dev, napi, (self) => {
        log.push('poll');
        napiComplete(self);
        return 0;
      });
      expect([napiSchedule(napi), napi.weight]).toEqual([false, 64]);
      napiEnable(napi);
      expect(() => napiEnable(napi)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    });
    expect(log).toEqual([]);
  });

  it('is disabled when its poll has ended, and is not scheduled meanwhile', () => {
    const { machine, source, log, hard } = rig({ cpus: 2 });
    const napi = source('a', { costNs: 1_000_000 });
    napi.left = 5;
    hard(() => void napiSchedule(napi), 1);
    machine.runTask(function* () {
      const disable = napiDisable(napi);
      yield* udelay(1);
      disable.next();
      expect([napiDisablePending(napi), napiSchedule(napi), napiIfScheduledMarkMissed(napi)]).toEqual([
        true,
        false,
        true,
      ]);
      yield* msleep(1);
    });
    machine.runTask(function* () {
      yield* napiDisable(napi);
      log.push(`disabled at ${machine.clock.now()}`);
      expect(napiSchedule(napi)).toBe(false);
      napiEnable(napi);
      yield* napiSynchronize(napi);
    });
    expect(log[0]).toMatch(/^a 5/);
    expect(log[1]).toMatch(/^disabled at/);
  });

  it('that uses up its weight while it is being disabled is not polled again', () => {
    const { machine, source, log, hard } = rig({ cpus: 2 });
    const napi = source('a', { costNs: 1_000 });
    napi.left = 1_000;
    hard(() => void napiSchedule(napi), 1);
    machine.runTask(function* () {
      yield* udelay(1);
      yield* napiDisable(napi);
    });
    expect([log.length, napi.left]).toEqual([1, 936]);
  });

  it('that is deleted belongs to no device, and may be added again', () => {
    const { machine, dev, source, printed } = rig();
    const napi = source('a');
    machine.runTask(function* () {
      netifNapiAdd(dev, napi, () => 0);
      yield* napiDisable(napi);
      yield* netifNapiDel(napi);
      expect([dev.napiList, napi.state & NAPIF_STATE_LISTED]).toEqual([[], 0]);
      yield* netifNapiDel(napi);
      netifNapiAddWeight(dev, napi, () => 0, 65);
    });
    expect(printed[0]).toMatch(/^WARNING: .* netif_napi_add_weight$/m);
    expect(printed.slice(1)).toEqual(['err: eth0: netif_napi_add_weight() called with weight 65']);
  });

  it('that was put off is polled by a timer instead of by an interrupt', () => {
    const { machine, dev, source, log, hard } = rig();
    Object.assign(dev, { napiDeferHardIrqs: 2, groFlushTimeoutNs: 20_000 });
    const napi = source('a');
    napi.left = 1;
    hard(() => void napiSchedule(napi));
    expect(napiIsScheduled(napi)).toBe(false);
    machine.advance(100_000);
    expect(log.map((line) => line.slice(0, 3))).toEqual(['a 1', 'a 0', 'a 0']);
  });
});

describe('a mistake of a poll function', () => {
  const mistaken = (poll: NapiPollFn) => {
    const { machine, dev, printed, hard } = rig();
    const napi = new NapiStruct();
    machine.runTask(() => {
      netifNapiAdd(dev, napi, poll);
      napiEnable(napi);
    });
    hard(() => void napiSchedule(napi));
    machine.advance(1_000);
    return { printed, napi };
  };

  it('of handling more than its budget is reported once', () => {
    let calls = 0;
    const { printed } = mistaken(function greedy(napi) {
      if (++calls < 3) return 70;
      napiComplete(napi);
      return 0;
    });
    expect(printed).toEqual(['err: eth0: NAPI poll function greedy returned 70, exceeding its budget of 64.']);
    expect(calls).toBe(3);
  });

  it('of having itself scheduled while it uses up its budget is reported once', () => {
    let calls = 0;
    const { printed } = mistaken((napi, budget) => {
      napiComplete(napi);
      if (++calls === 3) return 0;
      napiSchedule(napi);
      return budget;
    });
    expect(printed).toEqual(['warning: eth0: Budget exhausted after napi rescheduled']);
  });

  it('of completing twice is warned of', () => {
    const { printed } = mistaken((napi) => {
      napiComplete(napi);
      napiComplete(napi);
      return 0;
    });
    expect(printed[0]).toMatch(/^WARNING: .* napi_complete_done$/m);
  });

  it('thrown is reported, and the instance stays as it was', () => {
    const { printed, napi } = mistaken(function* () {
      yield* udelay(1);
      throw new Error('no buffer');
    });
    expect(printed[0]).toMatch(/^alert: Oops: exception in NAPI poll function\nError: no buffer/);
    expect(napiIsScheduled(napi)).toBe(true);
  });
});

describe('NET_RX softirq', () => {
  it('ends when its budget of packets is used up, and counts that', () => {
    const { machine, log, source, hard } = rig();
    const napis = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => source(name));
    hard(() => {
      for (const napi of napis) {
        napi.left = 100;
        napiSchedule(napi);
      }
    });
    expect(log.map((line) => line.slice(0, 4).trim())).toEqual([
      ...['a 64', 'b 64', 'c 64', 'd 64', 'e 64'],
      ...['f 64', 'a 36', 'b 36', 'c 36', 'd 36', 'e 36', 'f 36'],
    ]);
    expect(machine.net.softnet[0]).toMatchObject({ timeSqueeze: 1, processed: 600, inNetRxAction: false });
    expect(machine.files.read('/proc/net/softnet_stat')).toBe(
      `00000258 00000000 00000001${' 00000000'.repeat(9)} 00000000 00000000 00000000\n`,
    );
  });

  it('ends after two jiffies too, and goes on in ksoftirqd', () => {
    const { machine, log, source, hard } = rig();
    const slow = source('slow', { costNs: 150_000 });
    const other = source('other');
    slow.left = 65;
    hard(() => {
      napiSchedule(slow);
      napiSchedule(other);
    });
    machine.advance(100_000_000);
    expect(log).toEqual(['slow 64 softirq swapper/0', 'other 0 softirq ksoftirqd/0', 'slow 1 softirq ksoftirqd/0']);
    expect(machine.net.softnet[0]?.timeSqueeze).toBe(1);
  });

  it('polls on the CPU that scheduled', () => {
    const { machine, dev, hard } = rig({ cpus: 2 });
    const cpus: number[] = [];
    const napi = new NapiStruct();
    machine.runTask(() => {
      netifNapiAdd(dev, napi, (self) => {
        cpus.push(smpProcessorId());
        napiComplete(self);
        return 0;
      });
      napiEnable(napi);
    });
    for (const cpu of [1, 0, 1]) hard(() => void napiSchedule(napi), cpu);
    expect(cpus).toEqual([1, 0, 1]);
  });

  it('has its budgets in files', () => {
    const { machine, log, source, hard } = rig({ hz: 1000 });
    const budget = '/proc/sys/net/core/netdev_budget';
    const usecs = '/proc/sys/net/core/netdev_budget_usecs';
    expect([machine.files.read(budget), machine.files.read(usecs)]).toEqual(['300\n', '2000\n']);
    machine.runTask(function* () {
      yield* machine.files.write(budget, '10\n');
      yield* machine.files.write(usecs, ' 4000');
    });
    for (const [path, text] of [
      [budget, 'ten'],
      [usecs, '1999'],
    ] as const) {
      const write = () => machine.runTask(() => machine.files.write(path, text));
      expect(write).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    }
    const [a, b] = [source('a', { weight: 10 }), source('b')];
    a.left = 20;
    hard(() => {
      napiSchedule(a);
      napiSchedule(b);
    });
    expect(log.map((line) => line.slice(0, 4).trim())).toEqual(['a 10', 'b 0', 'a 10', 'a 0']);
    expect([machine.net.netdevBudgetUsecs, machine.net.softnet[0]?.timeSqueeze]).toEqual([4000, 2]);
  });
});

describe('a threaded device', () => {
  it('is polled by a thread of its own, with bottom halves off', () => {
    const { machine, dev, source, log, hard } = rig();
    const napi = source('a');
    machine.runTask(() => devSetThreaded(dev, true));
    expect(napi.thread).toMatchObject({ comm: `napi/eth0-${napi.napiId}`, policy: 'SCHED_NORMAL' });
    napi.left = 70;
    hard(() => {
      expect(napiSchedule(napi)).toBe(true);
      expect(inSoftirq()).toBe(false);
    });
    expect(log).toEqual([`a 64 task napi/eth0-${napi.napiId}`, `a 6 task napi/eth0-${napi.napiId}`]);
    expect([machine.bootCpu.softirqs.counts[NET_RX_SOFTIRQ], napi.state & NAPIF_STATE_SCHED]).toEqual([0, 0]);
  });

  it('shares the CPU: another task runs between two polls', () => {
    const { machine, dev, source, log, hard } = rig();
    const napi = source('a', { costNs: 100_000 });
    machine.runTask(() => devSetThreaded(dev, true));
    napi.left = 64 * 6;
    hard(() => void napiSchedule(napi));
    machine.runTask(function* () {
      yield* mdelay(20);
      log.push('task');
    });
    expect(log.indexOf('task')).toBeGreaterThan(1);
    expect(log.indexOf('task')).toBeLessThan(6);
  });

  it('gives its instances their threads as they are added, and ends them with these', () => {
    const { machine, dev, source } = rig();
    machine.runTask(() => devSetThreaded(dev, true));
    const napi = source('a');
    const { thread } = napi;
    machine.runTask(function* () {
      yield* napiDisable(napi);
      yield* netifNapiDel(napi);
    });
    expect([thread?.exited, napi.thread]).toEqual([true, undefined]);
  });

  it('goes back to the softirq', () => {
    const { machine, dev, source, log, hard } = rig();
    const napi = source('a');
    machine.runTask(() => {
      devSetThreaded(dev, true);
      devSetThreaded(dev, true);
      devSetThreaded(dev, false);
    });
    hard(() => void napiSchedule(napi));
    expect(log).toEqual(['a 0 softirq swapper/0']);
  });
});

it('no packet is left behind and no instance polled twice at once, whatever comes when and where', () => {
  const step = fc.record({
    wait: fc.nat(300),
    cpu: fc.nat(1),
    napi: fc.nat(2),
    packets: fc.nat(200),
    what: fc.constantFrom('packets', 'packets', 'packets', 'disable', 'threaded'),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
      const { machine, dev, hard } = rig({ cpus: 2 });
      let most = 0;
      const left = [0, 0, 0];
      const running = [0, 0, 0];
      const napis = left.map(() => new NapiStruct());
      const poll = function* (n: number, napi: NapiStruct, budget: number): Coroutine<number> {
        running[n] = (running[n] ?? 0) + 1;
        most = Math.max(most, running[n] ?? 0);
        const done = Math.min(left[n] ?? 0, budget);
        left[n] = (left[n] ?? 0) - done;
        yield* udelay(done);
        running[n] = (running[n] ?? 0) - 1;
        if (done < budget) napiCompleteDone(napi, done);
        return done;
      };
      machine.runTask(function* () {
        schedSetFifoLow(current());
        for (const [n, napi] of napis.entries()) {
          netifNapiAdd(dev, napi, (self, budget) => poll(n, self, budget));
          napiEnable(napi);
        }
        for (const { wait, cpu, napi: n, packets, what } of steps) {
          const napi = napis[n];
          if (napi === undefined) continue;
          yield* usleepRange(wait, wait);
          if (what === 'threaded') devSetThreaded(dev, !dev.threaded);
          else if (what === 'disable') {
            yield* napiDisable(napi);
            expect(running[n]).toBe(0);
            napiEnable(napi);
          }
          hard(() => {
            left[n] = (left[n] ?? 0) + packets;
            napiSchedule(napi);
          }, cpu);
          yield* preemptPoint();
        }
        yield* usleepRange(100, 100);
        for (const napi of napis) yield* napiSynchronize(napi);
      });
      expect([left, most, napis.some(napiIsScheduled)]).toEqual([[0, 0, 0], 1, false]);
    }),
    { numRuns: 200 },
  );
});
