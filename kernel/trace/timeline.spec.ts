import { describe, expect, it } from 'vitest';
import { fakeLines } from '../irq/fake-line.spec-helper.js';
import { IRQ_HANDLED, IRQ_WAKE_THREAD } from '../irq/flags.js';
import { requestThreadedIrq } from '../irq/request.js';
import { thisCpu } from '../sched/current.js';
import { nsleep, udelay } from '../time/delay.js';
import { queueWork } from '../workqueue/queue.js';
import { Work } from '../workqueue/work.js';
import { Tracepoint, TraceRing } from './ring.js';
import { renderTimeline } from './timeline.js';

/** Sleeps to the ns, where the kernel's msleep rounds up to ticks. */
const msleep = (ms: number): ReturnType<typeof nsleep> => nsleep(ms * 1_000_000);

/** A button that lights an LED in its top half, and puts it out from a work item that its thread queues. */
function press(cpus: number) {
  const { machine, irq, pulse } = fakeLines({ cpus });
  const led = (value: number): void => {
    thisCpu().trace(Tracepoint.gpioValue, 4, value, machine.trace.intern('led1'));
  };
  const work = new Work(function* () {
    yield* udelay(300);
    yield* msleep(3);
    led(0);
  }, 'notify');
  const primary = function* () {
    led(1);
    yield* udelay(2);
    return IRQ_WAKE_THREAD;
  };
  const threadFn = function* () {
    yield* udelay(40);
    queueWork(machine.workqueues.systemWq, work);
    yield* msleep(1);
    return IRQ_HANDLED;
  };
  machine.runTask(() => requestThreadedIrq(irq, primary, threadFn, 0, 'button1'));
  machine.advance(5_000);
  const from = machine.trace.written;
  pulse();
  machine.advance(10_000_000);
  return { machine, from };
}

describe('renderTimeline', () => {
  it('draws a lane for each context, and what happens in it', () => {
    const { machine, from } = press(1);
    expect(renderTimeline(machine.trace, { from })).toBe(`\
      µs  hardirq                irq thread              kworker        idle
────────  ─────────────────────  ──────────────────────  ─────────────  ────
     0.0  ┏ 1: button1
          ┠ led1 = 1
     2.0  ┗ WAKE_THREAD
                                 ┏ 1: button1
    42.0                         ┠ queue work on events
                                 ┊                       ┏ notify
   342.0                         ┊                       ┣ kworker/0:1
                                 ┊                       ┊              │
  1042.0  ╺ wakes irq/1-button1  ┊                       ┊
                                 ┣ irq/1-button1         ┊
                                 ┗ HANDLED               ┊
                                                         ┊              │
⋮ 2.3 ms                                                 ┊              │
  3342.0  ╺ wakes kworker/0:0                            ┊
                                                         ┣ kworker/0:0
                                                         ┠ led1 = 0
                                                         ┗ notify
                                                                        │
┏ begins  ┗ ends  ┃ runs  ┊ waits  ┠ does  ┣ goes on  ╺ an interrupt  ⋮ a pause
`);
  });

  it('draws a rail for each CPU', () => {
    const { machine, from } = press(2);
    expect(renderTimeline(machine.trace, { from })).toBe(`\
      µs  hardirq                 irq thread               kworker         idle
     CPU  01                      01                       01              01
────────  ──────────────────────  ───────────────────────  ──────────────  ────
     0.0  ┏  1: button1                                                     │
          ┠  led1 = 1                                                       │
     2.0  ┗  WAKE_THREAD                                                    │
                                   ┏ 1: button1                            │
    42.0                           ┠ queue work on events                  │
                                   ┊                        ┏ notify       │
   342.0                           ┊                        ┣ kworker/1:1  │
                                   ┊                        ┊              ││
  1042.0   ╺ wakes irq/1-button1   ┊                        ┊              │
                                   ┣ irq/1-button1          ┊              │
                                   ┗ HANDLED                ┊              │
                                                            ┊              ││
⋮ 2.3 ms                                                    ┊              ││
  3342.0   ╺ wakes kworker/1:0                              ┊              │
                                                            ┣ kworker/1:0  │
                                                            ┠ led1 = 0     │
                                                            ┗ notify       │
                                                                           ││
┏ begins  ┗ ends  ┃ runs  ┊ waits  ┠ does  ┣ goes on  ╺ an interrupt  ⋮ a pause
`);
  });

  it('fits any width from 60 columns on, the legend where there is room', () => {
    const { machine } = press(2);
    for (const width of [60, 72, 90, 100, 132]) {
      const lines = renderTimeline(machine.trace, { width }).split('\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
      expect(lines.at(-2)?.includes('begins')).toBe(width >= 90);
    }
    expect(() => renderTimeline(machine.trace, { width: 59 })).toThrow(/at least 60/);
    expect(() => renderTimeline(machine.trace, { width: Number.NaN })).toThrow(/at least 60/);
  });

  it('says when there is nothing to see, and how much is gone', () => {
    const ring = new TraceRing(16);
    expect(renderTimeline(ring)).toBe('nothing has happened yet\n');
    for (let i = 0; i < 20; i++)
      ring.record(Tracepoint.irqHandlerEntry, i * 100, 0, 0x1_0000, 0, 7, 0, ring.intern('x'));
    const text = renderTimeline(ring);
    expect(text).toMatch(/^\(4 older records were overwritten\)\n/);
    expect(text).toContain('     1.5  ┏ 7: x\n');
  });

  it('draws as many records as a large trace has', () => {
    const ring = new TraceRing(2 ** 17);
    for (let i = 0; i < ring.capacity; i++) ring.record(Tracepoint.gpioValue, i, 0, 0, 1, 4, i & 1, 0);
    expect(renderTimeline(ring).split('\n').length).toBeGreaterThan(ring.capacity);
  }, 30_000);
});
