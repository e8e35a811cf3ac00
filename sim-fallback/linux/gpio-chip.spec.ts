// The simulated chip beyond the contract of all drivers: time, context, threads, and what happens when things go wrong.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type EdgeBatch,
  IRQ_HANDLED,
  IRQF_TRIGGER_RISING,
  type LineConfig,
  type LineRequest,
  Machine,
  preemptDisable,
  preemptEnable,
  requestIrq,
  showInterrupts,
  udelay,
} from '../../kernel/index.js';
import { failsWith } from '../../test/contract/backend.js';
import { createSimulatedPi, type SimulatedPi } from './simulated-pi.js';

const MOMENT_NS = 1000;
const both = (offset: number): LineConfig => ({ offset, direction: 'in', edge: 'both' });
const output = (offset: number): LineConfig => ({ offset, direction: 'out' });

let log: string[];
let machine: Machine;
let pi: SimulatedPi;

function build(originNs = 0n): void {
  log = [];
  machine = new Machine({ printk: (level, text) => log.push(`${level}: ${text.split('\n').slice(0, 2).join(' ')}`) });
  pi = createSimulatedPi({ machine, board: {}, originNs });
}

function request(...lines: LineConfig[]): LineRequest {
  return pi.chip.requestLines({ lines, consumer: 'spec' });
}

/** Toggles a line `count` times, a moment apart, from low. */
function toggle(line: number, count: number): void {
  for (let i = 1; i <= count; i++) {
    pi.board.drive(line, i % 2 === 1 ? 1 : 0);
    machine.advance(MOMENT_NS);
  }
}

function word(batch: EdgeBatch): string {
  return Array.from({ length: batch.count }, (_, i) => `${batch.offset(i)}${batch.rising(i) ? 'R' : 'F'}`).join(' ');
}

/** Keeps the CPU from running threads for 10 µs; interrupts come in. */
function keepBusy(): void {
  machine.spawn('busy', function* () {
    preemptDisable();
    yield* udelay(10);
    preemptEnable();
  });
}

/** Tasks of the chip: set-up and interrupt threads. */
const tasks = (): string[] => [...machine.tasks].map((task) => task.comm).filter((comm) => /^(irq\/|gpio-)/.test(comm));

beforeEach(() => {
  build();
  for (let line = 0; line < 54; line++) pi.board.drive(line, 0);
  machine.advance(MOMENT_NS);
});

describe('an edge line', () => {
  it('is a requested interrupt with a thread, until it is released', () => {
    const held = request(both(17));
    const irq = pi.pinctrl.toIrq(17);
    expect(tasks()).toEqual([`irq/${irq}-spec`]);
    expect(showInterrupts(machine)).toMatch(/pinctrl-bcm2835\s+17\s.*spec/);
    held.release();
    expect(tasks()).toEqual([]);
    expect(showInterrupts(machine)).not.toContain('spec');
  });

  it('stamps in the top half: at the second sample of the detector, in CLOCK_MONOTONIC', () => {
    const originNs = 0x1_ffff_ff00n;
    build(originNs);
    pi.board.drive(17, 0);
    machine.advance(MOMENT_NS);
    const stamps: bigint[] = [];
    request(both(17)).onEdges((batch) => stamps.push(batch.timestampNs(0)));
    toggle(17, 1);
    machine.advance(5_000_000_000);
    toggle(17, 1);
    pi.board.drive(17, 0);
    machine.advance(MOMENT_NS);
    expect(stamps).toEqual([originNs + 1008n, originNs + 5_000_003_008n]);
  });

  it('reports edges that come before its thread can run as one, with the last stamp and the level found', () => {
    const seen: unknown[] = [];
    request(both(17)).onEdges((batch) => {
      for (let i = 0; i < batch.count; i++) {
        seen.push([batch.rising(i), batch.timestampNs(i), batch.seqno(i), batch.lineSeqno(i)]);
      }
    });
    keepBusy();
    toggle(17, 2);
    machine.advance(20_000);
    expect(seen).toEqual([[false, 2008n, 1, 1]]);
  });

  it('cannot have the interrupt that a handler in the model has: EBUSY names it, and no line is held', () => {
    const irq = pi.pinctrl.toIrq(17);
    machine.runTask(() => requestIrq(irq, () => IRQ_HANDLED, IRQF_TRIGGER_RISING, 'gpiomod#button1'));
    const error = failsWith('EBUSY', () => request(output(4), both(17)));
    expect(error.hint).toContain("GPIO17 is the interrupt of 'gpiomod#button1'");
    expect(pi.chip.lineInfo(4).used).toBe(false);
    const held = request({ offset: 17, direction: 'in' });
    failsWith('EBUSY', () => held.reconfigure([both(17)]));
    expect(pi.chip.lineInfo(17).edge).toBe('none');
  });

  it('keeps its interrupt from handlers in the model: EBUSY', () => {
    request(both(17));
    const irq = pi.pinctrl.toIrq(17);
    const take = (): void => machine.runTask(() => requestIrq(irq, () => IRQ_HANDLED, IRQF_TRIGGER_RISING, 'late'));
    failsWith('EBUSY', take);
  });
});

describe('delivery', () => {
  it('is in batches of at most 64, oldest first', () => {
    const held = request(both(17));
    toggle(17, 150);
    const counts: number[] = [];
    held.onEdges((batch) => counts.push(batch.count));
    machine.advance(0);
    expect(counts).toEqual([64, 64, 22]);
  });

  it('goes on after a sink that throws, and the log tells', () => {
    const seen: string[] = [];
    request(both(17)).onEdges((batch) => {
      seen.push(word(batch));
      if (seen.length === 1) throw new Error('no more disk');
    });
    toggle(17, 2);
    expect(seen).toEqual(['17R', '17F']);
    expect(log).toEqual(['alert: Oops: exception in edge sink of spec Error: no more disk']);
  });

  it('drops what waits at a release', () => {
    const held = request(both(17));
    const seen: string[] = [];
    toggle(17, 3);
    held.onEdges((batch) => seen.push(word(batch)));
    held.release();
    machine.advance(MOMENT_NS);
    expect(seen).toEqual([]);
  });

  it('is over at a release between the top half and the thread', () => {
    const held = request(both(17));
    const seen: string[] = [];
    held.onEdges((batch) => seen.push(word(batch)));
    keepBusy();
    toggle(17, 1);
    held.release();
    expect(pi.chip.lineInfo(17).used).toBe(false);
    const again = request(both(17));
    machine.advance(20_000);
    expect(seen).toEqual([]);
    expect(tasks()).toHaveLength(1);
    again.onEdges((batch) => seen.push(word(batch)));
    toggle(17, 2);
    expect(seen).toEqual(['17F']);
  });

  it('drops an edge whose line has become an output before the thread ran', () => {
    const held = request(both(17));
    const seen: string[] = [];
    held.onEdges((batch) => seen.push(word(batch)));
    keepBusy();
    toggle(17, 1);
    held.reconfigure([output(17)]);
    machine.advance(20_000);
    expect(seen).toEqual([]);
  });

  it('of line info is over at the end of a watch, also for a change from before', () => {
    const seen: string[] = [];
    const end = pi.chip.watchLineInfo(17, (change) => seen.push(change.kind));
    request(both(17));
    end();
    machine.advance(MOMENT_NS);
    expect(seen).toEqual([]);
  });

  it('loses exactly what the numbers say, whatever comes on which line', () => {
    const script = fc.array(fc.tuple(fc.constantFrom(5, 17, 40), fc.nat(3)), { maxLength: 60 });
    fc.assert(
      fc.property(script, fc.integer({ min: 1, max: 16 }), (steps, eventBufferSize) => {
        build();
        const lines = [5, 17, 40];
        for (const line of lines) pi.board.drive(line, 0);
        machine.advance(MOMENT_NS);
        const held = pi.chip.requestLines({ lines: lines.map(both), consumer: 'spec', eventBufferSize });
        const sent: { offset: number; rising: boolean; lineSeqno: number }[] = [];
        const level = new Map(lines.map((line) => [line, 0]));
        const seqno = new Map(lines.map((line) => [line, 0]));
        for (const [line, times] of steps) {
          for (let i = 0; i < times; i++) {
            const next = level.get(line) === 0 ? 1 : 0;
            level.set(line, next);
            seqno.set(line, (seqno.get(line) ?? 0) + 1);
            sent.push({ offset: line, rising: next === 1, lineSeqno: seqno.get(line) ?? 0 });
            pi.board.drive(line, next);
            machine.advance(MOMENT_NS);
          }
        }
        const seen: unknown[] = [];
        held.onEdges((batch) => {
          for (let i = 0; i < batch.count; i++) {
            const [offset, rising, lineSeqno] = [batch.offset(i), batch.rising(i), batch.lineSeqno(i)];
            seen.push({ offset, rising, lineSeqno, seqno: batch.seqno(i) });
          }
        });
        machine.advance(0);
        const numbered = sent.map((edge, i) => ({ ...edge, seqno: i + 1 }));
        expect(seen).toEqual(numbered.slice(-held.eventBufferSize));
      }),
      { numRuns: 60 },
    );
  });
});

describe('pulls', () => {
  it('take 2 µs each before the edges of their request count', () => {
    for (const line of [3, 4]) pi.board.drive(line, 'float');
    machine.advance(MOMENT_NS);
    const held = request({ ...both(3), bias: 'pull-up' }, { ...both(4), bias: 'pull-down' });
    const seen: string[] = [];
    held.onEdges((batch) => seen.push(word(batch)));
    expect(pi.chip.lineInfo(4).bias).toBe('pull-down');
    machine.advance(3000);
    expect(tasks()).toEqual(['gpio-setup']);
    machine.advance(1000);
    expect(tasks()).toHaveLength(2);
    expect(held.getValues()).toEqual([1, 0]);
    toggle(4, 2);
    expect(seen).toEqual(['4R', '4F']);
  });

  it('that a reconfiguration leaves as they are cost no time', () => {
    const held = request({ ...both(3), bias: 'pull-up' });
    machine.advance(20_000);
    held.reconfigure([{ ...both(3), bias: 'pull-up', activeLow: true }]);
    expect(tasks()).not.toContain('gpio-setup');
    held.reconfigure([{ ...both(3), bias: 'pull-down', activeLow: true }]);
    expect(tasks()).toContain('gpio-setup');
  });

  it('that are still to be set at a release are not, and no interrupt stays behind', () => {
    for (const line of [2, 3]) pi.board.drive(line, 'float');
    request({ ...both(2), bias: 'pull-down' }, { ...both(3), bias: 'pull-down' }).release();
    machine.advance(20_000);
    expect(tasks()).toEqual([]);
    expect([2, 3].map((line) => pi.soc.gpio.level(line))).toEqual([0, 1]);
  });
});

describe('inside the model', () => {
  it('lines without edges and bias can be requested, used and released', () => {
    pi.board.drive(4, 'float');
    const seen = machine.runTask(() => {
      const held = request(output(4));
      held.setValue(4, 1);
      const level = pi.soc.gpio.level(4);
      held.release();
      return level;
    });
    expect(seen).toBe(1);
  });

  it('edges are refused with EPERM and a way out, before anything changes', () => {
    const error = machine.runTask(() => failsWith('EPERM', () => request(output(4), both(17))));
    expect(error.hint).toContain('requestThreadedIrq');
    expect(pi.chip.lineInfo(4).used).toBe(false);
  });

  it('a request is let go of by a task, and its interrupt with it', () => {
    const held = request(both(17));
    machine.runTask(() => held.release());
    machine.advance(0);
    expect(tasks()).toEqual([]);
    expect(request(both(17)).offsets).toEqual([17]);
  });
});

describe('several openers', () => {
  it('keep their lines when another one closes', () => {
    const other = pi.chip.open();
    const mine = request(both(17));
    other.requestLines({ lines: [both(18)], consumer: 'other' });
    other.close();
    expect(pi.chip.lineInfo(18).used).toBe(false);
    const seen: string[] = [];
    mine.onEdges((batch) => seen.push(word(batch)));
    toggle(17, 1);
    expect(seen).toEqual(['17R']);
  });

  it('all hear that the chip is gone, a listener that throws included, and no thread stays', () => {
    const other = pi.chip.open();
    const told: string[] = [];
    request(both(17)).onGone(() => {
      throw new Error('listener');
    });
    pi.chip.onGone(() => told.push('first'));
    other.onGone(() => told.push('other'));
    pi.chip.unplug();
    pi.chip.unplug();
    expect(told).toEqual([]);
    machine.advance(0);
    expect(told).toEqual(['first', 'other']);
    expect(log).toEqual(['alert: Oops: exception in onGone listener Error: listener']);
    expect(tasks()).toEqual([]);
    failsWith('ENODEV', () => pi.chip.open());
  });
});

describe('pads', () => {
  it('of an output go to the initial level at once, without a glitch', () => {
    pi.board.drive(4, 'float');
    const held = request({ ...output(4), initial: 1 });
    held.release();
    const changes: string[] = [];
    pi.soc.gpio.onPad(4, (level, driven) => changes.push(`${level}${driven ? ' driven' : ''}`));
    request({ ...output(4), initial: 0 });
    expect(changes).toEqual(['1', '0 driven']);
  });

  it('of an open-drain output are driven low or not at all', () => {
    pi.board.drive(4, 'float');
    const held = request({ ...output(4), drive: 'open-drain', initial: 1 });
    const changes: string[] = [];
    pi.soc.gpio.onPad(4, (_level, driven) => changes.push(driven ? 'driven' : 'let go'));
    held.setValue(4, 0);
    held.setValue(4, 1);
    expect(changes).toEqual(['let go', 'driven', 'let go']);
    expect(pi.chip.lineInfo(4).direction).toBe('out');
  });

  it('are inputs again after the release, and their debounce is over', () => {
    const held = request(output(4), { ...both(17), debounceUs: 5000 });
    held.release();
    expect(pi.pinctrl.direction(4)).toBe('in');
    pi.board.drive(17, 1);
    expect(pi.soc.gpio.level(17)).toBe(1);
  });
});
