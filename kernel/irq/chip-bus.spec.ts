import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import { Mutex, mutexLock, mutexUnlock } from '../locking/mutex.js';
import { preemptPoint } from '../sched/core.js';
import { nsleep } from '../time/delay.js';
import { type FakeLineOptions, fakeLines, handledAfter, thrownBy } from './fake-line.spec-helper.js';
import { IRQ_HANDLED, IRQF_NO_AUTOEN, IRQF_ONESHOT, IRQF_TRIGGER_RISING } from './flags.js';
import { irqSetIrqType } from './line-setup.js';
import { disableHardirq, disableIrq, disableIrqNosync, enableIrq, freeIrq } from './manage.js';
import { requestIrq, requestThreadedIrq } from './request.js';

const US = 1_000;

/** Lines behind a bus whose lock is a mutex, and whose registers take 100 µs to be written. */
function behindBus(options: FakeLineOptions = {}) {
  const calls: string[] = [];
  const bus = new Mutex('bus');
  const lines = fakeLines({
    ...options,
    chip: {
      *busLock() {
        yield* mutexLock(bus);
        calls.push('lock');
      },
      *busSyncUnlock() {
        yield* nsleep(100 * US);
        calls.push('sync');
        mutexUnlock(bus);
      },
      mask: () => calls.push('mask'),
      unmask: () => calls.push('unmask'),
      setType: (_desc, type) => {
        calls.push(`type ${type}`);
      },
      ...options.chip,
    },
  });
  const taken = (): string[] => calls.splice(0);
  return { ...lines, bus, calls, taken };
}

function request({ machine, irq }: { machine: ReturnType<typeof fakeLines>['machine']; irq: number }, flags = 0): void {
  machine.runTask(() => requestIrq(irq, () => IRQ_HANDLED, flags, 'demo'));
}

describe('a line behind a bus that sleeps', () => {
  it('is requested and freed with the bus locked, and written out before the caller goes on', () => {
    const lines = behindBus();
    const { machine, irq, taken } = lines;
    request(lines, IRQF_TRIGGER_RISING);
    expect([taken(), machine.clock.now()]).toEqual([['lock', 'type 1', 'unmask', 'sync'], 100 * US]);
    machine.runTask(() => freeIrq(irq));
    // Once for the line, and once more for what its last action had.
    expect(taken()).toEqual(['lock', 'mask', 'sync', 'lock', 'sync']);
  });

  it('is enabled and disabled by who takes the call with yield*', () => {
    const lines = behindBus();
    const { machine, irq, desc, taken } = lines;
    request(lines);
    taken();
    const depths: number[] = [];
    machine.runTask(function* () {
      yield* disableIrqNosync(irq);
      depths.push(desc.depth);
      yield* enableIrq(irq);
      depths.push(desc.depth);
      yield* disableIrq(irq);
      yield* disableHardirq(irq);
      depths.push(desc.depth);
      yield* irqSetIrqType(irq, 2);
    });
    expect([depths, desc.type]).toEqual([[1, 0, 2], 2]);
    expect(taken().filter((call) => call === 'sync').length).toBe(5);
  });

  it('is enabled by who awaits the call, and by who hands it on', async () => {
    const lines = behindBus();
    const { machine, irq, desc } = lines;
    request(lines, IRQF_NO_AUTOEN);
    const enabled = machine.call(async () => {
      await enableIrq(irq);
      return desc.depth;
    });
    await machine.advanceAsync(1_000 * US);
    expect(await enabled).toBe(0);
    machine.runTask(() => disableIrqNosync(irq));
    expect(desc.depth).toBe(1);
  });

  it('is left as it is by a generator that forgets the star, which is told so', () => {
    const lines = behindBus();
    const { machine, irq, desc, taken } = lines;
    request(lines);
    taken();
    const error = thrownBy(() =>
      machine.runTask(function* () {
        disableIrqNosync(irq);
        yield* preemptPoint();
      }),
    );
    expect(error).toBeInstanceOf(KernelError);
    expect(error).toMatchObject({
      code: 'EAGAIN',
      message: `disable_irq_nosync() of irq ${irq} waits for the bus that its chip is behind`,
      hint: expect.stringContaining('yield*'),
    });
    expect([desc.depth, taken(), machine.runTask(() => freeIrq(irq))]).toEqual([0, [], 'demo']);
  });

  it('tells a generator where it yields next, which can catch it and do it right', () => {
    const lines = behindBus();
    const { machine, irq, desc } = lines;
    request(lines);
    const codes = machine.runTask(function* () {
      const caught: unknown[] = [];
      try {
        disableIrqNosync(irq);
        yield* preemptPoint();
      } catch (error) {
        caught.push(error instanceof KernelError ? error.code : error);
      }
      yield* disableIrqNosync(irq);
      return caught;
    });
    expect([codes, desc.depth]).toEqual([['EAGAIN'], 1]);
  });

  it('is left as it is by a plain thread function, whose thread goes on', () => {
    const lines = behindBus();
    const { machine, domain, printed, pulse } = lines;
    request(lines);
    const other = domain.createMapping(4);
    const desc = machine.irqs.get(other);
    desc.chip = { name: 'soc', mask: () => {}, unmask: () => {} };
    let runs = 0;
    const threadFn = handledAfter(() => {
      if (runs++ === 0) disableIrqNosync(lines.irq);
    });
    machine.runTask(() => requestThreadedIrq(other, null, threadFn, IRQF_ONESHOT, 'thread'));
    pulse(4);
    pulse(4);
    expect([runs, lines.desc.depth, printed.length]).toEqual([2, 0, 1]);
    expect(printed[0]).toMatch(
      /exception in thread function thread [\s\S]*disable_irq_nosync\(\) of irq \d+ waits for the bus/,
    );
  });

  it('is left as it is by a handler, where nothing can wait', () => {
    const lines = behindBus();
    const { machine, domain, printed, pulse } = lines;
    request(lines);
    const other = domain.createMapping(4);
    const handler = handledAfter(() => {
      enableIrq(lines.irq);
    });
    machine.irqs.get(other).chip = { name: 'soc', mask: () => {}, unmask: () => {} };
    machine.runTask(() => requestIrq(other, handler, 0, 'top half'));
    pulse(4);
    expect(printed.at(-1)).toMatch(/exception in handler top half [\s\S]*enable_irq\(\) of irq \d+ waits for the bus/);
    expect([lines.desc.depth, lines.bus.owner]).toEqual([0, undefined]);
  });

  it('unlocks the bus after a change that failed', () => {
    const refuse = (): never => {
      throw new KernelError('EINVAL', 'no');
    };
    const { machine, irq, bus, calls } = behindBus({ chip: { setType: refuse } });
    const error = thrownBy(() => machine.runTask(() => irqSetIrqType(irq, 1)));
    expect([error, calls, bus.owner]).toEqual([
      expect.objectContaining({ code: 'EINVAL' }),
      ['lock', 'sync'],
      undefined,
    ]);
  });

  it('is unmasked over the bus by its ONESHOT thread', () => {
    const lines = behindBus();
    const { machine, irq, desc, pulse, taken } = lines;
    machine.runTask(() => requestThreadedIrq(irq, null, () => IRQ_HANDLED, IRQF_ONESHOT, 'demo'));
    taken();
    pulse();
    machine.advance(1_000 * US);
    expect([taken(), desc.threadsOneshot]).toEqual([['lock', 'sync'], 0]);
  });
});

describe('a bus that is locked without waiting', () => {
  it('lets a line be changed by a plain call', () => {
    const log: string[] = [];
    const lines = behindBus({
      chip: {
        busLock: () => {
          log.push('lock');
        },
        busSyncUnlock: () => {
          log.push('sync');
        },
      },
    });
    request(lines);
    log.length = 0;
    lines.machine.runTask(() => {
      disableIrqNosync(lines.irq);
      enableIrq(lines.irq);
    });
    expect([log, lines.desc.depth]).toEqual([['lock', 'sync', 'lock', 'sync'], 0]);
  });
});

describe('a line without a bus', () => {
  it('is changed by the call, and yield* changes nothing more', () => {
    const { machine, irq, desc } = fakeLines();
    machine.runTask(() => requestIrq(irq, () => IRQ_HANDLED, 0, 'demo'));
    const depths: number[] = [];
    machine.runTask(function* () {
      disableIrqNosync(irq);
      depths.push(desc.depth);
      yield* disableIrqNosync(irq);
      depths.push(desc.depth);
      yield* enableIrq(irq);
      enableIrq(irq);
      depths.push(desc.depth);
    });
    expect(depths).toEqual([1, 2, 0]);
  });
});
