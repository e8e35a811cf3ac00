import { describe, expect, it } from 'vitest';
import { PerCpu } from '../lib/percpu.js';
import type { Atomic } from '../sched/coroutine.js';
import { preemptCount, smpProcessorId } from '../sched/current.js';
import { nsleep, udelay } from '../time/delay.js';
import { type FakeLineOptions, fakeLines, handledAfter } from './fake-line.spec-helper.js';
import {
  IRQ_HANDLED,
  IRQ_WAKE_THREAD,
  IRQCHIP_EOI_IF_HANDLED,
  IRQCHIP_EOI_THREADED,
  IRQF_ONESHOT,
  IRQF_SHARED,
  type IrqReturn,
} from './flags.js';
import {
  handleEdgeEoiIrq,
  handleEdgeIrq,
  handleFasteoiAckIrq,
  handleFasteoiIrq,
  handleFasteoiMaskIrq,
  handleLevelIrq,
  handlePercpuDevidIrq,
  handlePercpuIrq,
  handleSimpleIrq,
  handleUntrackedIrq,
} from './flow.js';
import { handleBadIrq } from './handle-bad.js';
import type { FlowHandler, IrqHandler } from './irqdesc.js';
import { irqSetHandler, irqSetPercpuDevid } from './line-setup.js';
import { disableIrqNosync, enableIrq } from './manage.js';
import { enablePercpuIrq, requestPercpuIrq } from './percpu.js';
import { requestIrq, requestThreadedIrq } from './request.js';

const ALL = {
  edge: handleEdgeIrq,
  level: handleLevelIrq,
  fasteoi: handleFasteoiIrq,
  'fasteoi ack': handleFasteoiAckIrq,
  'fasteoi mask': handleFasteoiMaskIrq,
  'edge eoi': handleEdgeEoiIrq,
  simple: handleSimpleIrq,
  untracked: handleUntrackedIrq,
  percpu: handlePercpuIrq,
} as const;
type Name = keyof typeof ALL;

/** A line of a flow, whose handler logs `primary` and does `more`. */
function lineOf(flow: FlowHandler, more: () => Atomic<void> = () => {}, options: FakeLineOptions = {}) {
  const lines = fakeLines({ flow, eoi: true, ...options });
  const handler: IrqHandler = () => {
    lines.log.push('primary');
    const rest = more();
    if (rest === undefined) return IRQ_HANDLED;
    return (function* () {
      yield* rest;
      return IRQ_HANDLED;
    })();
  };
  lines.machine.runTask(() => requestIrq(lines.irq, handler, 0, 'd'));
  lines.taken();
  return lines;
}

describe('a flow asks of its chip', () => {
  it.each<[Name, string[]]>([
    ['edge', ['ack', 'primary']],
    ['level', ['mask_ack', 'primary', 'unmask']],
    ['fasteoi', ['primary', 'eoi']],
    ['fasteoi ack', ['ack', 'primary', 'eoi']],
    ['fasteoi mask', ['mask_ack', 'primary', 'eoi']],
    ['edge eoi', ['primary', 'eoi']],
    ['simple', ['primary']],
    ['untracked', ['primary']],
    ['percpu', ['ack', 'primary', 'eoi']],
  ])('around a handler: %s', (name, calls) => {
    const { pulse, log, desc } = lineOf(ALL[name]);
    pulse();
    expect(log).toEqual(calls);
    expect([desc.total, desc.pending, desc.inProgress]).toEqual([name === 'untracked' ? 0 : 1, false, false]);
  });

  it.each<[Name, string[]]>([
    ['edge', ['ack', 'primary', 'ends']],
    ['level', ['mask_ack', 'primary', 'ends', 'unmask']],
    ['fasteoi', ['primary', 'ends', 'eoi']],
    ['fasteoi ack', ['ack', 'primary', 'ends', 'eoi']],
    ['fasteoi mask', ['mask_ack', 'primary', 'ends', 'eoi']],
    ['edge eoi', ['primary', 'ends', 'eoi']],
    ['percpu', ['ack', 'primary', 'ends', 'eoi']],
  ])('behind a handler that takes time, when it is done: %s', (name, calls) => {
    const { pulse, log, machine } = lineOf(ALL[name], function* () {
      yield* udelay(10);
      log.push('ends');
    });
    pulse();
    machine.advance(1_000_000);
    expect(log).toEqual(calls);
  });

  it.each<[Name, string[], boolean]>([
    ['edge', ['mask_ack'], true],
    ['level', ['mask_ack'], true],
    ['fasteoi', ['mask', 'eoi'], true],
    ['fasteoi ack', ['mask', 'eoi'], true],
    ['fasteoi mask', ['mask_ack', 'eoi'], true],
    ['edge eoi', ['eoi'], true],
    ['simple', [], true],
    ['untracked', [], true],
    ['percpu', ['ack', 'primary', 'eoi'], false],
  ])('while the line is disabled: %s', (name, calls, kept) => {
    const { pulse, log, machine, irq, desc } = lineOf(ALL[name]);
    machine.runTask(() => disableIrqNosync(irq));
    pulse();
    expect([log, desc.pending]).toEqual([calls, kept]);
  });

  it.each<[Name, string[], number]>([
    ['edge', ['ack', 'primary', 'mask_ack', 'mask_ack', 'unmask', 'primary'], 1],
    ['level', ['mask_ack', 'primary', 'mask_ack', 'mask_ack', 'unmask'], 0],
    ['fasteoi', ['primary', 'eoi', 'eoi', 'eoi'], 0],
    ['fasteoi ack', ['ack', 'primary', 'eoi', 'eoi', 'eoi'], 0],
    ['edge eoi', ['primary', 'eoi', 'eoi', 'primary', 'eoi'], 1],
    ['simple', ['primary'], 0],
    ['untracked', ['primary'], 0],
  ])('for two more that come during the first handler: %s', (name, calls, coalesced) => {
    let first = true;
    const { pulse, log, domain, desc } = lineOf(ALL[name], () => {
      if (!first) return;
      first = false;
      domain.handle(3);
      domain.handle(3);
    });
    pulse();
    expect(log).toEqual(calls);
    expect([desc.coalesced, desc.pending, desc.inProgress]).toEqual([coalesced, false, false]);
  });

  it('not to unmask a level that its own handler has disabled', () => {
    const { pulse, machine, taken, irq, desc } = lineOf(handleLevelIrq, () => {
      disableIrqNosync(desc.irq);
    });
    pulse();
    expect([taken(), desc.masked, desc.pending]).toEqual([['mask_ack', 'primary'], true, false]);
    machine.runTask(() => enableIrq(irq));
    expect(taken()).toEqual(['unmask']);
  });

  it('two calls where it has none for mask and ack together', () => {
    const { pulse, log } = lineOf(handleLevelIrq, () => {}, { full: false });
    pulse();
    expect(log).toEqual(['mask', 'ack', 'primary', 'unmask']);
  });
});

describe('a line with a oneshot thread', () => {
  /** Two sharers; the thread of `a` takes 1 ms, that of `b` 2 ms. */
  function shared(flow: FlowHandler, options: FakeLineOptions = {}) {
    const lines = fakeLines({ flow, eoi: true, ...options });
    const { machine, irq, log } = lines;
    const add = (dev: string, ms: number): void => {
      const thread = function* () {
        yield* nsleep(ms * 1_000_000);
        log.push(`thread ${dev}`);
        return IRQ_HANDLED;
      };
      machine.runTask(() =>
        requestThreadedIrq(irq, () => IRQ_WAKE_THREAD, thread, IRQF_SHARED | IRQF_ONESHOT, dev, dev),
      );
    };
    add('a', 1);
    add('b', 2);
    lines.taken();
    return lines;
  }

  it.each<[Name, string[]]>([
    ['level', ['mask_ack', 'thread a', 'thread b', 'unmask']],
    ['fasteoi', ['mask', 'eoi', 'thread a', 'thread b', 'unmask']],
    ['fasteoi ack', ['mask', 'ack', 'eoi', 'thread a', 'thread b', 'unmask']],
    ['fasteoi mask', ['mask_ack', 'eoi', 'thread a', 'thread b', 'unmask']],
    ['edge', ['ack', 'thread a', 'thread b']],
    ['simple', ['thread a', 'thread b']],
  ])('stays masked until the last thread is done, or is not masked at all: %s', (name, calls) => {
    const { pulse, machine, taken } = shared(ALL[name]);
    pulse();
    machine.advance(10_000_000);
    expect(taken()).toEqual(calls);
  });

  it('is ended by its threads on a chip that wants that', () => {
    const { pulse, machine, taken } = shared(handleFasteoiIrq, { chip: { flags: IRQCHIP_EOI_THREADED } });
    pulse();
    machine.advance(10_000_000);
    expect(taken()).toEqual(['mask', 'thread a', 'thread b', 'eoi', 'unmask']);
  });

  it.each<[Name, string[]]>([
    ['level', ['mask_ack', 'primary', 'unmask']],
    ['fasteoi', ['mask', 'primary', 'eoi', 'unmask']],
  ])('is unmasked at once when its handler wakes none: %s', (name, calls) => {
    const { machine, irq, log, pulse, taken } = fakeLines({ flow: ALL[name], eoi: true });
    const primary = handledAfter(() => log.push('primary'));
    machine.runTask(() => requestThreadedIrq(irq, primary, () => IRQ_HANDLED, IRQF_ONESHOT, 'd'));
    taken();
    pulse();
    expect(taken()).toEqual(calls);
  });

  it('stays masked when it was disabled while its thread ran', () => {
    const { pulse, machine, taken, irq, desc } = shared(handleLevelIrq);
    pulse();
    machine.runTask(() => disableIrqNosync(irq));
    machine.advance(10_000_000);
    expect([taken(), desc.masked, desc.threadsOneshot]).toEqual([['mask_ack', 'thread a', 'thread b'], true, 0]);
    machine.runTask(() => enableIrq(irq));
    expect(taken()).toEqual(['unmask']);
  });
});

describe('the fasteoi flow', () => {
  it('ends no interrupt that it has not handled, on a chip that wants it so', () => {
    const { pulse, log, machine, irq } = lineOf(handleFasteoiIrq, () => {}, {
      chip: { flags: IRQCHIP_EOI_IF_HANDLED },
    });
    machine.runTask(() => disableIrqNosync(irq));
    pulse();
    expect(log).toEqual(['mask']);
  });

  it('has one that another CPU takes meanwhile come again, on a line that asks for it', () => {
    const lines = lineOf(
      handleFasteoiIrq,
      function* () {
        yield* udelay(100);
        log.push('ends');
      },
      { cpus: 2 },
    );
    const { pulse, log, machine, desc } = lines;
    desc.resendWhenInProgress = true;
    pulse(3, 0);
    machine.advance(50_000);
    pulse(3, 1);
    machine.advance(1_000_000);
    expect(log).toEqual(['primary', 'eoi', 'ends', 'eoi', 'retrigger', 'primary', 'ends', 'eoi']);
  });
});

describe('a line that each CPU has for itself', () => {
  it('is handled by several CPUs at the same time, unlocked', () => {
    const seen: unknown[] = [];
    const note = (what: string): void => void seen.push([what, smpProcessorId(), preemptCount() & 0xff]);
    const { pulse, machine } = lineOf(
      handlePercpuIrq,
      function* () {
        note('begins');
        yield* udelay(10);
        note('ends');
      },
      { cpus: 2, chip: { ack: () => note('ack') } },
    );
    pulse(3, 0);
    pulse(3, 1);
    machine.advance(1_000_000);
    const order = (cpu: number): unknown[] => seen.filter((entry) => Array.isArray(entry) && entry[1] === cpu);
    // An idle CPU has preemption off once.
    for (const cpu of [0, 1]) {
      expect(order(cpu)).toEqual([
        ['ack', cpu, 1],
        ['begins', cpu, 1],
        ['ends', cpu, 1],
      ]);
    }
    expect(seen[4]).toEqual(['ends', 0, 1]);
  });

  it('hands its handler the data of the CPU', () => {
    const { machine, irq, pulse, taken, log, desc } = fakeLines({ flow: handlePercpuDevidIrq, eoi: true, cpus: 2 });
    const data = new PerCpu((cpu) => `data of ${cpu}`);
    machine.runTask(function* () {
      irqSetPercpuDevid(irq);
      yield* requestPercpuIrq(irq, handler, 'timer', data);
      enablePercpuIrq(irq);
    });
    function handler(_irq: number, devId: unknown): Atomic<IrqReturn> {
      log.push(`${devId}`);
      if (smpProcessorId() === 0) return IRQ_HANDLED;
      return (function* () {
        yield* udelay(5);
        log.push('ends');
        return IRQ_HANDLED;
      })();
    }
    taken();
    pulse(3, 0);
    pulse(3, 1);
    machine.advance(1_000_000);
    expect(taken()).toEqual(['ack', 'data of 0', 'eoi', 'ack', 'data of 1', 'ends', 'eoi']);
    expect([...desc.counts]).toEqual([1, 1]);
  });

  it('is disabled on a CPU where it fires and nobody has requested it; that is said once', () => {
    const { machine, irq, pulse, taken, printed, desc } = fakeLines({ flow: handlePercpuDevidIrq, eoi: true });
    machine.runTask(() => {
      irqSetPercpuDevid(irq);
      enablePercpuIrq(irq);
    });
    expect([taken(), desc.percpuEnabled]).toEqual([['unmask'], 1]);
    pulse();
    expect([taken(), desc.percpuEnabled]).toEqual([['ack', 'mask', 'eoi'], 0]);
    machine.bootCpu.callFunction(() => desc.handleIrq(desc));
    expect(taken()).toEqual(['ack', 'eoi']);
    const told = printed.filter((text) => text.includes('Spurious'));
    expect(told).toEqual([`err: Spurious and unmasked percpu IRQ${irq} on CPU0`]);
  });
});

describe('a line without a flow handler', () => {
  it('reports itself, at most five times in five seconds, and is counted', () => {
    const { machine, irq, pulse, printed, desc } = fakeLines();
    machine.runTask(() => irqSetHandler(irq, null));
    expect(desc.handleIrq).toBe(handleBadIrq);
    for (let n = 0; n < 7; n++) machine.bootCpu.callFunction(() => desc.handleIrq(desc));
    expect(printed.length).toBe(5);
    expect(printed[0]?.split('\n')).toEqual([
      `warning: irq ${irq}, desc: fake/3, depth: 1, count: 0, unhandled: 0`,
      '->handle_irq():  handleBadIrq',
      '->irq_data.chip(): fake',
      '->action(): 0',
    ]);
    expect([desc.total, machine.irqs.errCount]).toEqual([7, 7]);
    machine.advance(6_000_000_000);
    machine.bootCpu.callFunction(() => desc.handleIrq(desc));
    expect(printed.slice(5, 6)).toEqual(['warning: print_irq_desc: 2 callbacks suppressed']);
    pulse();
  });
});
