import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EdgeBatch } from '../gpio/driver.js';
import { EdgeDomain } from '../gpio/edge-domain.js';
import {
  IRQ_HANDLED,
  IRQ_WAKE_THREAD,
  IRQF_ONESHOT,
  IRQF_TRIGGER_HIGH,
  IRQF_TRIGGER_RISING,
  irqSetChainedHandler,
  jiffies,
  ktimeGet,
  Machine,
  modTimer,
  msleep,
  ndelay,
  requestThreadedIrq,
  scheduleWork,
  TimerList,
  TRACEPOINT_NAMES,
  Work,
} from '../index.js';
import { handleLevelIrq } from '../irq/flow.js';
import type { FlowHandler, IrqHandler, IrqThreadFn } from '../irq/irqdesc.js';
import { IrqDomain } from '../irq/irqdomain.js';
import { DONE } from '../sched/coroutine.js';
import { Durations } from '../trace/durations.js';
import { Tracepoint } from '../trace/ring.js';
import { type HostTime, MonotonicClock } from './clock.js';
import { LastLook } from './last-look.js';

/** CLOCK_MONOTONIC as a test has it: it moves on when code of others says so, and counts who looks. */
class CountedHost implements HostTime {
  timeNs = 1_000_000;
  looks = 0;
  #timer: (() => void) | undefined;

  now(): number {
    this.looks++;
    return this.timeNs;
  }

  setTimer(_delayNs: number, callback: () => void): void {
    this.#timer = callback;
  }

  clearTimer(): void {
    this.#timer = undefined;
  }

  /** Lets a timer end that is set, after so long. */
  fire(ns = 0): void {
    this.timeNs += ns;
    const timer = this.#timer;
    this.#timer = undefined;
    timer?.();
  }
}

/** A machine in the time of a {@link CountedHost}, with a line. */
function machineWithLine() {
  const host = new CountedHost();
  const clock = new MonotonicClock(host);
  const machine = new Machine({ clock, sliceNs: 1e12 });
  const domain = new EdgeDomain(machine, { name: 'chip', lines: 1, originNs: 0n, hasSeqno: true });
  let seqno = 0;
  /** Delivers edges; how often the clock was looked at for them. */
  const edges = (count: number): number => {
    const batch = new EdgeBatch();
    for (let i = 0; i < count; i++) {
      seqno++;
      batch.write(i, 0, host.timeNs, true, 0, seqno, seqno);
    }
    batch.count = count;
    const before = host.looks;
    domain.deliver(batch);
    return host.looks - before;
  };
  const request = (topHalf: IrqHandler, threadFn: IrqThreadFn | null): void => {
    void machine.call(() => requestThreadedIrq(domain.toIrq(0), topHalf, threadFn, IRQF_TRIGGER_RISING, 'line', null));
    host.fire();
  };
  const chain = (handler: FlowHandler): void => {
    void machine.call(() => irqSetChainedHandler(domain.toIrq(0), handler));
    host.fire();
  };
  return { host, machine, edges, request, chain };
}

describe('the time for records and accounts', () => {
  it('costs one look at the clock for an edge, and one for its handler', () => {
    const { edges, request } = machineWithLine();
    request(() => IRQ_HANDLED, null);
    expect(edges(1)).toBe(2);
    expect(edges(64)).toBe(65);
  });

  it('costs one look more for the thread that a top half wakes', () => {
    const { edges, request } = machineWithLine();
    request(
      () => IRQ_WAKE_THREAD,
      () => IRQ_HANDLED,
    );
    expect(edges(1)).toBe(3);
    expect(edges(64)).toBe(66);
  });

  it('costs two looks within a handler that queues a work item, and one for the item', () => {
    const { edges, request } = machineWithLine();
    const work = new Work(() => {}, 'work');
    request(() => {
      scheduleWork(work);
      return IRQ_HANDLED;
    }, null);
    edges(1);
    expect(edges(1)).toBe(5);
  });

  it('is that of the records of handlers, threads and items that take their time', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(...[0, 0, 0].map(() => fc.nat(50_000_000))), { maxLength: 20 }), (times) => {
        const { host, machine, edges, request } = machineWithLine();
        const durations = new Durations(1);
        machine.trace.durations = durations;
        let [top, thread, item] = [0, 0, 0];
        const work = new Work(() => {
          host.timeNs += item;
        }, 'work');
        request(
          () => {
            host.timeNs += top;
            scheduleWork(work);
            return IRQ_WAKE_THREAD;
          },
          () => {
            host.timeNs += thread;
            return IRQ_HANDLED;
          },
        );
        const before = machine.bootCpu.times;
        const sums = [0, 0, 0];
        for (const three of times) {
          [top = 0, thread = 0, item = 0] = three;
          edges(1);
          three.forEach((ns, i) => {
            sums[i] = (sums[i] ?? 0) + ns;
          });
        }
        const of = (context: string) => durations.read().find((counts) => counts.context === context)?.sumNs;
        expect([of('hardirq'), of('thread'), of('work')]).toEqual(sums);
        const { hardirqNs, taskNs } = machine.bootCpu.times;
        expect(hardirqNs - before.hardirqNs).toBe(sums[0]);
        expect(taskNs - before.taskNs).toBe((sums[1] ?? 0) + (sums[2] ?? 0));
      }),
    );
  });

  it('is a new look for each record that code of others makes, and for each time that it asks for', () => {
    const { host, machine, edges, request } = machineWithLine();
    const works = [new Work(() => {}, 'first'), new Work(() => {}, 'second')];
    const asked: number[] = [];
    request(() => {
      for (const work of works) {
        host.timeNs += 7_000;
        scheduleWork(work);
        asked.push(ktimeGet());
      }
      return IRQ_HANDLED;
    }, null);
    const from = machine.trace.written;
    edges(1);
    const queued = [...machine.trace.read(from)].filter(
      ({ event }) => TRACEPOINT_NAMES[event] === 'workqueue_queue_work',
    );
    expect(queued.map(({ timeNs }) => timeNs)).toEqual(asked);
    expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBe(7_000);
  });

  it('is a new look behind each part of a generator, which are code of others too', () => {
    const { host, machine, edges, request } = machineWithLine();
    const durations = new Durations(1);
    machine.trace.durations = durations;
    request(
      () => IRQ_WAKE_THREAD,
      function* () {
        host.timeNs += 3_000;
        yield* msleep(1);
        host.timeNs += 4_000;
        return IRQ_HANDLED;
      },
    );
    const before = machine.bootCpu.times.taskNs;
    edges(1);
    host.fire(8_000_000);
    const thread = durations.read().find(({ context }) => context === 'thread');
    expect(thread?.sumNs).toBe(8_007_000);
    expect(machine.bootCpu.times.taskNs - before).toBe(7_000);
  });

  it('is a new look when the CPUs go on, and for whoever asks while none runs', () => {
    const { host, machine, edges, request } = machineWithLine();
    request(() => IRQ_HANDLED, null);
    edges(1);
    const before = machine.bootCpu.times.idleNs;
    host.timeNs += 5_000;
    expect(machine.bootCpu.times.idleNs - before).toBe(5_000);
    host.timeNs += 6_000;
    const from = machine.trace.written;
    edges(1);
    expect([...machine.trace.read(from)].map(({ timeNs }) => timeNs)).toEqual([host.timeNs, host.timeNs]);
    expect(machine.bootCpu.times.idleNs - before).toBe(11_000);
  });

  it('is a new look behind each timer, also behind those that follow a generator', () => {
    const { host, machine } = machineWithLine();
    const slow = (ns: number) => () => {
      host.timeNs += ns;
    };
    const timers = [slow(5_000), slow(7_000), slow(11_000)].map((fn) => new TimerList(fn));
    // A bucket runs newest first.
    timers.push(
      new TimerList(function* () {
        yield* ndelay(0);
      }),
    );
    void machine.call(() => {
      for (const timer of timers) modTimer(timer, jiffies() + 1);
    });
    const from = machine.trace.written;
    host.fire(8_000_000);
    const { timerExpireEntry, timerExpireExit } = Tracepoint;
    const took: number[] = [];
    let entryNs = 0;
    for (const { event, timeNs } of machine.trace.read(from)) {
      if (event === timerExpireEntry) entryNs = timeNs;
      if (event === timerExpireExit) took.push(timeNs - entryNs);
    }
    expect(took).toEqual([0, 11_000, 7_000, 5_000]);
  });

  it('is a new look behind a chip that takes its time, and behind its bus', () => {
    for (const withBus of [false, true]) {
      const { host, machine } = machineWithLine();
      const slow = () => {
        host.timeNs += 5_000;
      };
      const bus = withBus ? { busLock: slow, busSyncUnlock: slow } : {};
      const chip = { name: 'slow', mask: () => {}, unmask: slow, ...bus };
      const domain = new IrqDomain(machine, { name: 'slow', size: 1, chip, flow: handleLevelIrq });
      const irq = domain.createMapping(0);
      void machine.call(() =>
        requestThreadedIrq(irq, null, () => IRQ_HANDLED, IRQF_TRIGGER_HIGH | IRQF_ONESHOT, 'line', null),
      );
      host.fire();
      const before = machine.bootCpu.times.taskNs;
      machine.bootCpu.callFunction(() => domain.handle(0));
      expect(machine.bootCpu.times.taskNs - before).toBe(withBus ? 15_000 : 5_000);
    }
  });

  it('is a new look behind a chained handler, and behind the root handler of a controller', () => {
    const { host, machine, edges, chain } = machineWithLine();
    chain(() => {
      host.timeNs += 5_000;
      return DONE;
    });
    const before = machine.bootCpu.times.hardirqNs;
    edges(2);
    expect(machine.bootCpu.times.hardirqNs - before).toBe(10_000);

    const rooted = new Machine({ clock: new MonotonicClock(host), sliceNs: 1e12 });
    rooted.setHandleIrq((cpu) => {
      cpu.setIrqLine(false);
      host.timeNs += 7_000;
      return DONE;
    });
    rooted.bootCpu.setIrqLine(true);
    expect(rooted.bootCpu.times.hardirqNs).toBe(7_000);
  });

  it('is looked for again now and then where nothing but the model runs', () => {
    const host = new CountedHost();
    const look = new LastLook(new MonotonicClock(host));
    look.othersDone();
    for (let i = 0; i < 1_000; i++) look.renew();
    expect(host.looks).toBeGreaterThan(10);
    expect(host.looks).toBeLessThan(100);
  });
});
