import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import { requestIrq } from '../irq/request.js';
import { Machine } from '../machine.js';
import { nsleep } from '../time/delay.js';
import { Tracepoint } from '../trace/ring.js';
import { GpioDesc, gpiodGetValue, gpiodSetValue, gpiodToIrq } from './consumer.js';
import type { Level, LineRequest } from './driver.js';

/** Sleeps to the ns, where the kernel's msleep rounds up to ticks. */
const msleep = (ms: number): ReturnType<typeof nsleep> => nsleep(ms * 1_000_000);

function rig() {
  const machine = new Machine();
  const levels = new Map<number, Level>([[4, 0]]);
  const request = {
    getValue: (offset: number) => levels.get(offset) ?? 0,
    setValue: (offset: number, value: Level) => {
      if (!levels.has(offset)) throw new KernelError('EPERM', 'an input');
      levels.set(offset, value);
    },
  } as LineRequest;
  const led = new GpioDesc('led1', 4, 'out', request);
  const traced = () =>
    [...machine.trace.read()]
      .filter(({ event }) => event === Tracepoint.gpioValue)
      .map(({ timeNs, pid, a, b, name }) => ({ timeNs, pid, a, b, name }));
  return { machine, levels, request, led, traced };
}

describe('a GPIO descriptor', () => {
  it('reads and sets its line', () => {
    const { led, levels } = rig();
    gpiodSetValue(led, 1);
    expect([gpiodGetValue(led), levels.get(4)]).toEqual([1, 1]);
  });

  it('has its interrupt from where the interrupts come from, or -1, which no request takes', () => {
    const { led, request, machine } = rig();
    const irqs = { toIrq: (offset: number) => 100 + offset, edge: { stampNs: 0, rising: true, lineSeqno: 0 } };
    expect(gpiodToIrq(new GpioDesc('button1', 17, 'in', request, irqs))).toBe(117);
    expect(gpiodToIrq(led)).toBe(-1);
    expect(() => machine.runTask(() => requestIrq(gpiodToIrq(led), () => 1, 0, 'led1'))).toThrow(/no such interrupt/);
  });

  it('leaves what the model sets in the trace, also behind an await; not what the host sets', async () => {
    const { led, machine, traced } = rig();
    led.set(1);
    const task = machine.call(async () => {
      led.set(0);
      await msleep(2);
      led.set(1);
    });
    await machine.advanceAsync(5_000_000);
    await task;
    const record = { pid: 2, a: 4, name: 'led1' };
    expect(traced()).toEqual([
      { timeNs: 0, ...record, b: 0 },
      { timeNs: 2_000_000, ...record, b: 1 },
    ]);
  });

  it('passes errors of the driver on, and traces nothing then', () => {
    const { request, machine, traced } = rig();
    const input = new GpioDesc('button1', 17, 'in', request);
    expect(() => machine.runTask(() => input.set(1))).toThrow('an input');
    expect(traced()).toEqual([]);
  });

  it('is traced by its name in each machine that sets it', () => {
    const { machine, led, traced } = rig();
    machine.runTask(() => led.set(1));
    const other = new Machine();
    other.trace.intern('not the line');
    other.runTask(() => led.set(0), 'other');
    machine.runTask(() => led.set(1));
    const names = [...other.trace.read()].filter(({ event }) => event === Tracepoint.gpioValue).map(({ name }) => name);
    expect([traced().map(({ name }) => name), names]).toEqual([['led1', 'led1'], ['led1']]);
  });
});
