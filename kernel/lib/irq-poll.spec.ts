import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { context, current, smpProcessorId } from '../sched/current.js';
import { msleep, udelay } from '../time/delay.js';
import {
  IRQ_POLL_F_SCHED,
  IrqPoll,
  type IrqPollFn,
  irqPollComplete,
  irqPollDisable,
  irqPollEnable,
  irqPollInit,
  irqPollSched,
} from './irq-poll.js';

const SCHED = 1 << IRQ_POLL_F_SCHED;

/** A source with completions waiting. */
class Disk extends IrqPoll {
  left = 0;

  constructor(weight: number, poll?: IrqPollFn) {
    super();
    irqPollInit(this, weight, poll ?? ((_, budget) => this.handle(budget)));
  }

  handle(budget: number): number {
    const done = Math.min(this.left, budget);
    this.left -= done;
    if (done < budget) irqPollComplete(this);
    return done;
  }
}

function rig(cpus = 1) {
  const machine = new Machine({ cpus });
  const hard = (fn: () => void, cpu = 0): void => {
    machine.cpus[cpu]?.callFunction(() => {
      fn();
      return 0;
    });
  };
  return { machine, hard };
}

describe('irq_poll', () => {
  it('polls behind the interrupt, once however often it is scheduled', () => {
    const { hard } = rig();
    const log: string[] = [];
    const disk = new Disk(32, (iop) => {
      log.push(`${context()} ${current().comm}`);
      irqPollComplete(iop);
      return 3;
    });
    hard(() => {
      irqPollSched(disk);
      irqPollSched(disk);
      expect(disk.state).toBe(SCHED);
    });
    expect([log, disk.state]).toEqual([['softirq swapper/0'], 0]);
  });

  it('goes on with the one that is not done, and puts one that used up its weight behind the others', () => {
    const { hard } = rig();
    const log: string[] = [];
    const logged = (name: string, weight: number): Disk => {
      const disk: Disk = new Disk(weight, (_, budget) => {
        log.push(name);
        return disk.handle(budget);
      });
      return disk;
    };
    const [a, b] = [logged('a', 8), logged('b', 4)];
    a.left = 9;
    b.left = 5;
    hard(() => {
      irqPollSched(a);
      irqPollSched(b);
    });
    expect(log).toEqual(['a', 'b', 'a', 'b']);
  });

  it('leaves what is over 256 to the next softirq', () => {
    const { machine, hard } = rig();
    const disk = new Disk(64);
    disk.left = 64 * 5;
    hard(() => irqPollSched(disk));
    expect([disk.left, machine.bootCpu.softirqs.counts[5]]).toEqual([0, 2]);
  });

  it('leaves what is there after a jiffy to the next softirq, also what is polled in vain', () => {
    const { machine, hard } = rig();
    let polls = 0;
    const disk = new Disk(64, (iop) => {
      polls++;
      if (machine.clock.now() > 9_000_000) irqPollComplete(iop);
      return 0;
    });
    hard(() => irqPollSched(disk));
    machine.advance(20_000_000);
    expect([polls > 5_000, disk.state]).toEqual([true, 0]);
    expect(machine.bootCpu.softirqs.counts[5]).toBe(3);
  });

  it('may poll with a generator that takes time', () => {
    const { machine, hard } = rig();
    const disk: Disk = new Disk(16, function* (_, budget) {
      yield* udelay(10);
      return disk.handle(budget);
    });
    disk.left = 40;
    hard(() => irqPollSched(disk));
    machine.advance(100_000);
    expect([disk.left, disk.state, machine.bootCpu.times.softirqNs]).toEqual([0, 0, 30_000]);
  });

  it('polls on the CPU that scheduled', () => {
    const { hard } = rig(2);
    const cpus: number[] = [];
    const disk = new Disk(16, (iop) => {
      cpus.push(smpProcessorId());
      irqPollComplete(iop);
      return 0;
    });
    hard(() => irqPollSched(disk), 1);
    hard(() => irqPollSched(disk), 0);
    expect(cpus).toEqual([1, 0]);
  });

  it('that is disabled waits for what is under way, and is not scheduled until it is enabled', () => {
    const { machine, hard } = rig(2);
    const disk: Disk = new Disk(16, function* (_, budget) {
      yield* udelay(500);
      return disk.handle(budget);
    });
    disk.left = 16 * 20;
    hard(() => irqPollSched(disk), 1);
    machine.runTask(function* () {
      yield* irqPollDisable(disk);
      expect([disk.left > 0, disk.state]).toEqual([true, SCHED]);
      const { left } = disk;
      irqPollSched(disk);
      yield* msleep(5);
      expect(disk.left).toBe(left);
      irqPollEnable(disk);
      irqPollSched(disk);
      yield* msleep(20);
      expect([disk.left, disk.state]).toEqual([0, 0]);
      expect(() => irqPollEnable(disk)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    });
  });

  it('reports what a poll function throws', () => {
    const where: string[] = [];
    const machine = new Machine({ onOops: (place) => where.push(place) });
    let calls = 0;
    const disk = new Disk(16, (iop) => {
      if (++calls === 1) throw new Error('no');
      irqPollComplete(iop);
      return 0;
    });
    machine.bootCpu.callFunction(() => {
      irqPollSched(disk);
      return 0;
    });
    machine.advance(10_000);
    expect([where, disk.state]).toEqual([['irq_poll function'], 0]);
  });
});
