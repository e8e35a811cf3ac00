import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growthPerEvent, SMALLEST_OBJECT } from '../../test/steady-heap.js';
import { irqForceAffinity, irqSetAffinity } from '../irq/affinity.js';
import { IRQ_HANDLED, IRQF_SHARED, IRQF_TRIGGER_HIGH, IRQF_TRIGGER_RISING } from '../irq/flags.js';
import { disableIrqNosync, enableIrq, freeIrq } from '../irq/manage.js';
import { showInterrupts } from '../irq/proc.js';
import { requestIrq } from '../irq/request.js';
import { Machine } from '../machine.js';
import { preemptPoint } from '../sched/core.js';
import { MonotonicClock } from '../time/clock.js';
import { udelay } from '../time/delay.js';
import { Tracepoint } from '../trace/ring.js';
import { EDGE_BATCH_MAX, EdgeBatch } from './driver.js';
import { EdgeDomain, type EdgeDomainOptions, Mark } from './edge-domain.js';

/** One edge as a driver reports it. */
interface Edge {
  readonly line: number;
  readonly rising?: boolean;
  readonly stampNs?: number;
  readonly seqno?: number;
}

const ORIGIN_NS = 0x3_ffff_ff00n;
const LINES = 8;

function rig(options: Partial<EdgeDomainOptions> = {}, cpus = 1) {
  const log: string[] = [];
  const printed: string[] = [];
  const lost: [number, number][] = [];
  const machine = new Machine({ cpus, printk: (level, text) => printed.push(`${level}: ${text}`) });
  const edges = new EdgeDomain(machine, {
    name: 'gpiochip0',
    lines: LINES,
    originNs: ORIGIN_NS,
    hasSeqno: true,
    onLost: (offset, count) => lost.push([offset, count]),
    ...options,
  });
  const batch = new EdgeBatch();
  const next = new Array<number>(LINES).fill(0);
  const deliver = (...records: Edge[]): void => {
    for (let from = 0; from < records.length; from += EDGE_BATCH_MAX) {
      const part = records.slice(from, from + EDGE_BATCH_MAX);
      part.forEach(({ line, rising = true, stampNs = 0, seqno }, i) => {
        const number = seqno ?? (next[line] ?? 0) + 1;
        next[line] = number >>> 0;
        const stamp = ORIGIN_NS + BigInt(stampNs);
        batch.write(i, Number(stamp >> 32n), Number(stamp & 0xffff_ffffn), rising, line, 0, number >>> 0);
      });
      batch.count = part.length;
      edges.deliver(batch);
    }
  };
  const seen = (line: number): void => {
    const { rising, stampNs, lineSeqno } = edges.edge;
    log.push(`${line}${rising ? '↑' : '↓'} @${stampNs} #${lineSeqno}`);
  };
  const request = (line: number, slowUs = 0): void => {
    const plain = () => {
      seen(line);
      return IRQ_HANDLED;
    };
    const generator = function* () {
      yield* udelay(slowUs);
      seen(line);
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestIrq(edges.toIrq(line), slowUs > 0 ? generator : plain, IRQF_SHARED, `l${line}`, line));
  };
  const run = (fn: () => void): void =>
    machine.runTask(function* () {
      fn();
      yield* preemptPoint();
    });
  return { machine, edges, batch, deliver, request, run, log, lost, printed };
}

describe('edges of a batch', () => {
  it('are one interrupt each, with stamp, direction and number, in order', () => {
    const { deliver, request, log, machine, edges } = rig();
    request(2);
    request(5);
    const before = machine.bootCpu.interrupts;
    deliver(
      { line: 5, stampNs: 100 },
      { line: 2, rising: false, stampNs: 0x1_0000_0000 },
      { line: 5, rising: false, stampNs: 0x1_0000_0001 },
    );
    expect(log).toEqual(['5↑ @100 #1', '2↓ @4294967296 #1', '5↓ @4294967297 #2']);
    expect(machine.bootCpu.interrupts - before).toBe(3);
    expect(edges.countsOf(5)).toEqual({ received: 2, lost: 0, dropped: 0 });
    expect(showInterrupts(machine)).toContain('          2  gpiochip0   5 Edge      l5\n');
  });

  it('are all handled in order, 64 at once, by handlers that give the CPU back and by others', () => {
    const records = fc.array(fc.record({ line: fc.nat({ max: LINES - 1 }), rising: fc.boolean() }), { maxLength: 200 });
    const speeds = fc.array(fc.nat({ max: 3 }), { minLength: LINES, maxLength: LINES });
    fc.assert(
      fc.property(records, speeds, (edges, slow) => {
        const { deliver, request, log, machine, lost } = rig();
        for (const [line, us] of slow.entries()) request(line, us);
        deliver(...edges.map((edge, i) => ({ ...edge, stampNs: i })));
        machine.advance(10_000_000);
        const numbers = new Array<number>(LINES).fill(0);
        const expected = edges.map(({ line, rising }, i) => {
          numbers[line] = (numbers[line] ?? 0) + 1;
          return `${line}${rising ? '↑' : '↓'} @${i} #${numbers[line]}`;
        });
        expect([log, lost]).toEqual([expected, []]);
      }),
      { numRuns: 40 },
    );
  });

  it('that the driver reports of a line that is not there are told, and the others handled', () => {
    const { deliver, request, log, printed } = rig();
    request(1);
    deliver({ line: 8 }, { line: 1 });
    expect(printed).toEqual(['err: gpiochip0: the driver reports an edge of line 8, of which there is none']);
    expect(log).toEqual(['1↑ @0 #1']);
  });

  it('are edges: a level is refused', () => {
    const { machine, edges } = rig();
    const ask = (flags: number) => () => machine.runTask(() => requestIrq(edges.toIrq(1), () => 1, flags, 'x'));
    expect(ask(IRQF_TRIGGER_HIGH)).toThrow(/gpiochip0 line 1: the kernel reports edges, not levels/);
    expect(ask(IRQF_TRIGGER_RISING)).not.toThrow();
    expect(() => edges.toIrq(LINES)).toThrow(/gpiochip0 has no line 8/);
  });
});

describe('lost edges', () => {
  it('are the gaps in the numbers of each line, told once a batch', () => {
    const { deliver, edges, lost } = rig();
    deliver({ line: 1, seqno: 3 }, { line: 2, seqno: 1 }, { line: 1, seqno: 6 }, { line: 1, seqno: 7 });
    expect(lost).toEqual([[1, 4]]);
    expect(edges.countsOf(1)).toEqual({ received: 3, lost: 4, dropped: 0 });
    expect(edges.countsOf(2)).toEqual({ received: 1, lost: 0, dropped: 0 });
  });

  it('are counted across the wrap at 2^32', () => {
    const gaps = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 5_000 })), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.integer({ min: 0xffff_f000, max: 0xffff_ffff }), gaps, (start, missing) => {
        const { deliver, edges, lost } = rig();
        // Half of the numbers is the most that can be missing at once, so the start is reached in steps.
        deliver({ line: 1, seqno: 0x7fff_ffff }, { line: 1, seqno: start });
        const reached = edges.countsOf(1).lost ?? 0;
        expect(reached).toBe(start - 2);
        lost.length = 0;
        let seqno = start;
        for (const gap of missing) {
          seqno = (seqno + 1 + gap) % 2 ** 32;
          deliver({ line: 1, seqno });
        }
        const all = missing.reduce((sum, gap) => sum + gap, 0);
        expect(edges.countsOf(1).lost).toBe(reached + all);
        expect(lost).toEqual(missing.filter((gap) => gap > 0).map((gap) => [1, gap]));
      }),
    );
  });

  it('are not made of numbers that begin anew', () => {
    const { deliver, edges } = rig();
    deliver({ line: 1, seqno: 1 }, { line: 1, seqno: 2 });
    edges.restart(1);
    deliver({ line: 1, seqno: 4 });
    expect(edges.countsOf(1).lost).toBe(3);
    deliver({ line: 1, seqno: 2 });
    expect(edges.countsOf(1).lost).toBe(4);
  });

  it('are unknown without numbers', () => {
    const { deliver, edges, lost } = rig({ hasSeqno: false });
    deliver({ line: 1, seqno: 0 }, { line: 1, seqno: 0 });
    expect([edges.countsOf(1), lost]).toEqual([{ received: 2, lost: undefined, dropped: 0 }, []]);
  });

  it('are also those for which a stuck CPU leaves no room, told once a batch', () => {
    const { deliver, request, edges, machine, log, lost } = rig();
    request(1);
    request(2, 1_000_000);
    deliver({ line: 2 });
    deliver(...Array.from({ length: 4_100 }, () => ({ line: 1 })));
    expect(edges.countsOf(1)).toEqual({ received: 4_100, lost: 4, dropped: 4 });
    expect(lost).toEqual([[1, 4]]);
    machine.advance(2_000_000_000);
    expect([log.length, log[1], log.at(-1)]).toEqual([4_097, '1↑ @0 #1', '1↑ @0 #4096']);
  });
});

describe('a line that nobody listens to', () => {
  it('gives nothing of its past to who requests it', () => {
    const { deliver, request, run, log, machine, edges } = rig();
    deliver({ line: 1 }, { line: 1 });
    request(1);
    expect(log).toEqual([]);
    deliver({ line: 1, stampNs: 7 });
    machine.runTask(() => freeIrq(edges.toIrq(1), 1));
    deliver({ line: 1 });
    request(1);
    expect(log).toEqual(['1↑ @7 #3']);
    run(() => disableIrqNosync(edges.toIrq(1)));
    deliver({ line: 1, stampNs: 9 });
    run(() => enableIrq(edges.toIrq(1)));
    expect(log).toEqual(['1↑ @7 #3', '1↑ @9 #5']);
    expect(edges.countsOf(1)).toEqual({ received: 5, lost: 0, dropped: 0 });
  });
});

describe('a disabled line', () => {
  it('keeps its first edge and its last, each with its own stamp, and gives them before what comes after', () => {
    const { deliver, request, run, log, edges, machine } = rig();
    request(1);
    request(2);
    const irq = edges.toIrq(1);
    run(() => disableIrqNosync(irq));
    for (let i = 1; i <= 5; i++) deliver({ line: 1, rising: i % 2 === 1, stampNs: i * 10 });
    deliver({ line: 2, stampNs: 60 });
    expect(log).toEqual(['2↑ @60 #1']);
    run(() => enableIrq(irq));
    expect(log).toEqual(['2↑ @60 #1', '1↑ @10 #1', '1↑ @50 #5']);
    expect([machine.irqs.get(irq).coalesced, machine.irqs.get(irq).total]).toEqual([3, 2]);
    deliver({ line: 1, stampNs: 70 });
    expect(log.at(-1)).toBe('1↑ @70 #6');
  });

  it('never loses the last edge, and never gives one twice or out of order', () => {
    const step = fc.constantFrom('edge', 'disable', 'enable');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat({ max: 2 }), (steps, slow) => {
        const { deliver, request, run, log, edges, machine } = rig();
        request(1, slow);
        const irq = edges.toIrq(1);
        let sent = 0;
        let depth = 0;
        for (const what of steps) {
          if (what === 'edge') {
            sent++;
            deliver({ line: 1, rising: sent % 2 === 1, stampNs: sent });
          } else if (what === 'disable') {
            depth++;
            run(() => disableIrqNosync(irq));
          } else if (depth > 0) {
            depth--;
            run(() => enableIrq(irq));
          }
        }
        for (; depth > 0; depth--) run(() => enableIrq(irq));
        machine.advance(10_000_000);
        const numbers = log.map((entry) => Number(entry.split('#')[1]));
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        expect(numbers.at(-1) ?? 0).toBe(sent);
        for (const entry of log) {
          const [, direction, stamp, number] = /^1(.) @(\d+) #(\d+)$/.exec(entry) ?? [];
          expect([stamp, direction]).toEqual([number, Number(number) % 2 === 1 ? '↑' : '↓']);
        }
      }),
    );
  });
});

describe('the way from a batch to the top half', () => {
  it('keeps the heap as it is', () => {
    const { edges, batch, machine } = rig();
    let handled = 0;
    const handler = () => {
      handled++;
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestIrq(edges.toIrq(3), handler, 0, 'hot'));
    let seqno = 0;
    const burst = (): void => {
      for (let i = 0; i < 64; i++) {
        for (let at = 0; at < EDGE_BATCH_MAX; at++) batch.write(at, 3, seqno, true, 3, seqno, ++seqno);
        batch.count = EDGE_BATCH_MAX;
        edges.deliver(batch);
      }
    };
    expect(growthPerEvent(64 * EDGE_BATCH_MAX, burst)).toBeLessThan(SMALLEST_OBJECT);
    expect(handled).toBe(seqno);
  });
});

describe('a line that is sent to another CPU', () => {
  it('interrupts that one, and the others stay', () => {
    const { machine, edges, deliver, request, run } = rig({}, 4);
    request(2);
    request(5);
    run(() => irqSetAffinity(edges.toIrq(5), 0b1100));
    deliver({ line: 5 }, { line: 2 }, { line: 5, rising: false });
    expect([...machine.irqs.get(edges.toIrq(5)).counts]).toEqual([0, 0, 2, 0]);
    expect([...machine.irqs.get(edges.toIrq(2)).counts]).toEqual([1, 0, 0, 0]);
    expect(machine.files.read(`/proc/irq/${edges.toIrq(5)}/effective_affinity_list`)).toBe('2\n');
  });

  it('finds its own edge there, whatever another CPU is taking', () => {
    const { machine, edges, deliver, request, run, log } = rig({}, 2);
    request(2, 100);
    request(5, 10);
    run(() => irqSetAffinity(edges.toIrq(5), 0b10));
    deliver({ line: 2, stampNs: 1 }, { line: 5, stampNs: 2, rising: false }, { line: 5, stampNs: 3 });
    machine.advance(1_000_000);
    expect(log).toEqual(['5↓ @2 #1', '5↑ @3 #2', '2↑ @1 #1']);
  });

  it('takes the edges with it that are on their way, in order', () => {
    const { machine, edges, deliver, request, log } = rig({}, 2);
    request(2, 100);
    request(5);
    deliver({ line: 2 }, { line: 5, stampNs: 1 }, { line: 2 }, { line: 5, stampNs: 2 });
    machine.cpus[1]?.callFunction(() => {
      irqSetAffinity(edges.toIrq(5), 0b10);
      return 0;
    });
    expect(log).toEqual(['5↑ @1 #1', '5↑ @2 #2']);
    machine.advance(1_000_000);
    expect(log.slice(2)).toEqual(['2↑ @0 #1', '2↑ @0 #2']);
    expect([...machine.irqs.get(edges.toIrq(5)).counts]).toEqual([0, 2]);
  });

  it('has a kept edge replayed there', () => {
    const { machine, edges, deliver, request, run, log } = rig({}, 2);
    request(5);
    run(() => disableIrqNosync(edges.toIrq(5)));
    deliver({ line: 5, stampNs: 7 });
    run(() => irqSetAffinity(edges.toIrq(5), 0b10));
    run(() => enableIrq(edges.toIrq(5)));
    expect(log).toEqual(['5↑ @7 #1']);
    expect([...machine.irqs.get(edges.toIrq(5)).counts]).toEqual([0, 1]);
  });

  it('cannot be forced to one that is not there', () => {
    const { edges, request, run } = rig({}, 2);
    request(5);
    expect(() => run(() => irqForceAffinity(edges.toIrq(5), 0b100))).toThrow('no such CPU');
  });

  it('loses and doubles no edge, whenever it is sent', () => {
    const step = fc.oneof(
      fc.record({ line: fc.nat({ max: LINES - 1 }) }),
      fc.record({ send: fc.nat({ max: LINES - 1 }), mask: fc.integer({ min: 1, max: 7 }) }),
      fc.record({ us: fc.nat({ max: 20 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const { machine, edges, deliver, request, run, log, lost } = rig({}, 3);
        for (let line = 0; line < LINES; line++) request(line, line % 2);
        const numbers = new Array<number>(LINES).fill(0);
        for (const doing of steps) {
          if ('line' in doing) {
            numbers[doing.line] = (numbers[doing.line] ?? 0) + 1;
            deliver(doing);
          } else if ('send' in doing) {
            run(() => irqSetAffinity(edges.toIrq(doing.send), doing.mask));
          } else {
            machine.advance(doing.us * 1000);
          }
        }
        machine.advance(10_000_000);
        const coalesced = (line: number): number => machine.irqs.get(edges.toIrq(line)).coalesced;
        for (const [line, count] of numbers.entries()) {
          const seen = log.filter((text) => text.startsWith(`${line}`)).map((text) => Number(text.split('#')[1]));
          expect(seen).toEqual([...seen].sort((a, b) => a - b));
          expect(seen.length + coalesced(line)).toBe(count);
        }
        expect(lost).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('on the way to its top half', () => {
  /** A host on which each look at the clock takes a microsecond. */
  function hostRig() {
    let looks = 0;
    const host = { now: () => ++looks * 1000, setTimer: () => {}, clearTimer: () => {} };
    const machine = new Machine({ clock: new MonotonicClock(host) });
    const edges = new EdgeDomain(machine, { name: 'gpiochip0', lines: LINES, originNs: 0n, hasSeqno: true });
    const batch = new EdgeBatch();
    const deliver = (count: number): void => {
      for (let i = 0; i < count; i++) batch.write(i, 0, 0, true, 3, i + 1, i + 1);
      batch.count = count;
      edges.deliver(batch);
    };
    return { machine, edges, deliver, looks: () => looks };
  }

  it('an edge looks at the clock once, however dear that is', async () => {
    const { machine, edges, deliver, looks } = hostRig();
    let entered = 0;
    const handler = () => {
      entered = looks();
      return IRQ_HANDLED;
    };
    await machine.call(() => requestIrq(edges.toIrq(3), handler, IRQF_TRIGGER_RISING, 'l3', null));
    const before = looks();
    deliver(1);
    expect(entered - before).toBe(1);
  });

  it('each further edge of a batch looks at it once, when its handler is done: then the next one is taken', async () => {
    const { machine, edges, deliver, looks } = hostRig();
    await machine.call(() => requestIrq(edges.toIrq(3), () => IRQ_HANDLED, IRQF_TRIGGER_RISING, 'l3', null));
    const costOf = (count: number): number => {
      const before = looks();
      deliver(count);
      return looks() - before;
    };
    expect(costOf(11) - costOf(1)).toBe(10);
  });

  it('handlers of a shared line begin when the one before has ended, and each has a time of its own', async () => {
    const { machine, edges, deliver } = hostRig();
    await machine.call(function* () {
      for (const name of ['first', 'second']) {
        yield* requestIrq(edges.toIrq(3), () => IRQ_HANDLED, IRQF_SHARED, name, name);
      }
    });
    const from = machine.trace.written;
    deliver(2);
    const times = [...machine.trace.read(from)]
      .filter(({ event }) => event === Tracepoint.irqHandlerEntry || event === Tracepoint.irqHandlerExit)
      .map(({ timeNs }) => timeNs);
    const [first = 0] = times;
    expect(times.map((ns) => (ns - first) / 1000)).toEqual([0, 1, 1, 2, 2, 3, 3, 4]);
  });
});

describe('lines that are held up', () => {
  it('keep their edges in order until they go on, though their handler was exchanged meanwhile; others go on', () => {
    const { machine, edges, deliver, request, log } = rig();
    request(1);
    request(2);
    edges.hold(1);
    deliver({ line: 1, stampNs: 1 }, { line: 2, stampNs: 2 }, { line: 1, rising: false, stampNs: 3 });
    expect(log).toEqual(['2↑ @2 #1']);
    machine.runTask(() => freeIrq(edges.toIrq(1), 1));
    deliver({ line: 1, stampNs: 4 });
    request(1);
    expect(log).toHaveLength(1);
    edges.resume(1);
    expect(log.slice(1)).toEqual(['1↑ @1 #1', '1↓ @3 #2', '1↑ @4 #3']);
  });

  it('lose nothing and change no order, whatever is held, exchanged and sent elsewhere when', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('edges' as const), line: fc.nat(2), count: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ do: fc.constantFrom('hold' as const, 'resume' as const, 'exchange' as const), line: fc.nat(2) }),
      fc.record({ do: fc.constant('send' as const), line: fc.nat(2), cpu: fc.nat(1) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { machine, edges, deliver, request, log } = rig({}, 2);
        const sent = [0, 0, 0];
        for (const line of [0, 1, 2]) request(line);
        for (const one of steps) {
          const { line } = one;
          if (one.do === 'edges') {
            deliver(...Array.from({ length: one.count }, () => ({ line })));
            sent[line] = (sent[line] ?? 0) + one.count;
          } else if (one.do === 'hold') edges.hold(line);
          else if (one.do === 'resume') edges.resume(line);
          else if (one.do === 'send') machine.runTask(() => irqForceAffinity(edges.toIrq(line), 1 << one.cpu));
          else {
            edges.hold(line);
            machine.runTask(() => freeIrq(edges.toIrq(line), line));
            request(line);
          }
        }
        for (const line of [0, 1, 2]) edges.resume(line);
        for (const line of [0, 1, 2]) {
          const numbers = log.filter((text) => text.startsWith(`${line}`)).map((text) => Number(text.split('#')[1]));
          expect(numbers).toEqual(Array.from({ length: sent[line] ?? 0 }, (_, i) => i + 1));
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('several chips on one machine', () => {
  it('have interrupts of their own for lines of the same number, and go when they are removed', () => {
    const { machine, edges, deliver, request, log } = rig();
    request(1);
    const second = new EdgeDomain(machine, { name: 'gpiochip1', lines: 4, originNs: 0n, hasSeqno: true });
    const batch = new EdgeBatch();
    batch.write(0, 0, 7, false, 1, 1, 1);
    batch.count = 1;
    const handler = () => {
      log.push(`second ${second.edge.stampNs}`);
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestIrq(second.toIrq(1), handler, 0, 'other', 'other'));
    expect(second.toIrq(1)).not.toBe(edges.toIrq(1));
    machine.runTask(function* () {
      // Both come while interrupts are taken: one after the other.
      second.deliver(batch);
      deliver({ line: 1, stampNs: 5 });
      yield* preemptPoint();
    });
    expect(log.sort()).toEqual(['1↑ @5 #1', 'second 7']);
    expect(showInterrupts(machine)).toMatch(/gpiochip0 +1 Edge +l1[\s\S]*gpiochip1 +1 Edge +other/);
    expect(() => second.remove()).toThrow(/EBUSY|still has an action/);
    machine.runTask(() => freeIrq(second.toIrq(1), 'other'));
    second.remove();
    expect(showInterrupts(machine)).not.toContain('gpiochip1');
    deliver({ line: 1, stampNs: 9 });
    expect(log).toContain('1↑ @9 #2');
    const third = new EdgeDomain(machine, { name: 'gpiochip2', lines: 4, originNs: 0n, hasSeqno: true });
    const take = () => {
      log.push('third');
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestIrq(third.toIrq(1), take, 0, 'third', 'third'));
    third.deliver(batch);
    expect(log.at(-1)).toBe('third');
  });

  it('counts the edges of a line from 0 when it is used for something else', () => {
    const { edges, deliver, request } = rig();
    request(1);
    deliver({ line: 1, seqno: 3 });
    expect(edges.countsOf(1)).toEqual({ received: 1, lost: 2, dropped: 0 });
    edges.forget(1);
    deliver({ line: 1, seqno: 4 });
    expect(edges.countsOf(1)).toEqual({ received: 1, lost: 0, dropped: 0 });
  });
});

describe('a mark of how far a line has come', () => {
  const left = (read: number, waiting: number): Uint32Array => Uint32Array.of(read, waiting);

  it('is written as edges are received and taken; what nobody takes, or waits, is received only', () => {
    const { machine, edges, deliver, request } = rig();
    const mark = left(0, 0);
    request(1);
    edges.restart(1, mark);
    deliver({ line: 1 }, { line: 1 });
    expect([...mark]).toEqual([2, 0]);
    edges.hold(1);
    deliver({ line: 1 });
    expect([...mark]).toEqual([3, 1]);
    edges.resume(1);
    expect([...mark]).toEqual([3, 0]);
    machine.runTask(() => freeIrq(edges.toIrq(1), 1));
    deliver({ line: 1 });
    expect([...mark]).toEqual([4, 1]);
  });

  it('tells whoever goes on from it what was received and not taken, and from which number gaps count', () => {
    const { edges, deliver, request, lost } = rig();
    request(1);
    const mark = left(40, 3);
    edges.restart(1, mark);
    expect(lost).toEqual([[1, 3]]);
    expect(mark[Mark.WAITING]).toBe(0);
    deliver({ line: 1, seqno: 46 });
    expect(edges.countsOf(1)).toEqual({ received: 1, lost: 8, dropped: 0 });
    expect([...mark]).toEqual([46, 0]);
  });

  it('counts on over the wrap of the numbers', () => {
    const { edges, deliver, request, lost } = rig();
    request(1);
    edges.restart(1, left(0xffff_ffff, 0));
    deliver({ line: 1, seqno: 2 });
    expect(lost).toEqual([[1, 2]]);
  });

  it('is written no more once the line is requested anew without one', () => {
    const { edges, deliver, request } = rig();
    const mark = left(7, 0);
    request(1);
    edges.restart(1, mark);
    edges.restart(1);
    deliver({ line: 1, seqno: 1 });
    expect([...mark]).toEqual([7, 0]);
    expect(edges.countsOf(1).lost).toBe(0);
  });

  it('loses nothing uncounted, wherever a process ends and the next goes on', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ count: fc.nat(5), skip: fc.nat(3), heldUp: fc.boolean() })), (lives) => {
        const mark = left(0, 0);
        let sent = 0;
        let counted = 0;
        for (const { count, skip, heldUp } of lives) {
          const { edges, deliver, request, log, lost } = rig();
          request(1);
          edges.restart(1, mark);
          if (heldUp) edges.hold(1);
          for (let i = 0; i < count; i++) {
            sent += 1 + skip;
            deliver({ line: 1, seqno: sent });
          }
          counted += log.length + lost.reduce((sum, [, edge]) => sum + edge, 0);
        }
        const { edges, lost } = rig();
        edges.restart(1, mark);
        expect(counted + lost.reduce((sum, [, edge]) => sum + edge, 0)).toBe(sent);
      }),
    );
  });
});
