// A line's interrupt over a fake request: what top half, thread and work do with edges, in order, and what it costs.

import { describe, expect, it } from 'vitest';
import {
  allocWorkqueue,
  EDGE_BATCH_MAX,
  EdgeBatch,
  EdgeDomain,
  GpioDesc,
  IRQ_HANDLED,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_RISING,
  type Level,
  type LineRequest,
  Machine,
  requestThreadedIrq,
} from '../../kernel/index.js';
import { growthPerEvent, SMALLEST_OBJECT } from '../../test/steady-heap.js';
import type { ModuleCall, ModuleEdge, ModuleWorkers } from '../actions/module-workers.js';
import { Outputs } from '../actions/outputs.js';
import type { InterruptSpec, LineSpec } from '../config/config.js';
import { isTemplate, parseTemplate, type Template } from '../config/template.js';
import type { InterruptHost } from './host.js';
import { LineInterrupt } from './line-interrupt.js';

const BUTTON: LineSpec = Object.freeze({
  name: 'button',
  gpio: 17,
  direction: 'in',
  edge: 'both',
  bias: 'pull-up',
  drive: 'push-pull',
  activeLow: true,
  debounceNs: 0,
  initial: 0,
});

const SET = { kind: 'set', line: 'led', value: 1 } as const;
const FOLLOW = { kind: 'follow', line: 'led', invert: true } as const;
/** Runs twice, and then a second later again. */
const TWICE = { kind: 'toggle', line: 'led', limit: { rate: 2, perNs: 2e9 } } as const;
const PULSE = { kind: 'pulse', line: 'led', value: 1, forNs: 1e6 } as const;

function template(text: string): Template {
  const result = parseTemplate(text);
  if (!isTemplate(result)) throw new Error(`${text} is no template`);
  return result;
}

function specOf(parts: Partial<InterruptSpec>): InterruptSpec {
  return { name: 'b1', line: 'button', topHalf: [], thread: [], work: [], handler: undefined, ...parts };
}

function rig(spec: InterruptSpec | undefined, computed: (edge: ModuleEdge) => unknown = () => undefined) {
  const machine = new Machine();
  const levels = new Map<number, Level>();
  const request = {
    getValue: (offset: number) => levels.get(offset) ?? 0,
    setValue: (offset: number, value: Level) => {
      if (offset === 5) throw new Error('no such output');
      levels.set(offset, value);
    },
  } as unknown as LineRequest;
  const log: string[] = [];
  const domain = new EdgeDomain(machine, { name: 'gpiochip0', lines: 54, originNs: 0n, hasSeqno: true });
  const offsets: Readonly<Record<string, number>> = { button: 17, led: 4, broken: 5 };
  const queue = allocWorkqueue('slow', 0, 0);
  const workers = { run: async ({ edge }: ModuleCall) => computed(edge) } as unknown as ModuleWorkers;
  const line = (name: string): GpioDesc =>
    new GpioDesc(name, offsets[name] ?? -1, name === 'button' ? 'in' : 'out', request);
  const time = { lateNs: 0 };
  const told = { values: true };
  const reports = {
    nowNs: () => machine.clock.now() + time.lateNs,
    onValue: (line: string, value: Level) => {
      if (told.values) log.push(`value ${line} ${value}`);
    },
    onError: (name: string, error: unknown) => log.push(`error ${name} ${(error as Error).message}`),
  };
  const host: InterruptHost = {
    ...reports,
    edge: domain.edge,
    originNs: 1_000_000,
    ending: new AbortController().signal,
    outputs: new Outputs(line, reports),
    exec: async (argv) => {
      log.push(`exec ${argv.join(' ')}`);
      return { leftOutBytes: 0 };
    },
    http: async ({ method, url, body }) => {
      log.push(`http ${method} ${url} ${body}`);
      return { status: 200, tries: 1 };
    },
    publish: (topic, payload) => log.push(`publish ${topic} ${payload}`),
    wallMs: () => 0,
    chord: () => false,
    line,
    queue: () => queue,
    workers: () => workers,
    onEdge: (line, { rising, lineSeqno }) => log.push(`edge ${line} ${rising ? 'rising' : 'falling'} ${lineSeqno}`),
    onLog: (interrupt, text) => log.push(`log ${interrupt} ${text}`),
    onPress: (line, pattern, count) => log.push(`press ${line} ${pattern} ${count}`),
    onLimited: (name, count) => {
      if (told.values) log.push(`limited ${name} ${count}`);
    },
    onDropped: (line, count) => log.push(`dropped ${line} ${count}`),
  };
  const interrupt = new LineInterrupt(host, BUTTON, spec);
  return { machine, domain, interrupt, log, levels, time, told };
}

type Rig = ReturnType<typeof rig>;

/** Requests the line's interrupt, with a handler in place of its top half if one is given. */
function request({ machine, domain, interrupt }: Rig, handler = interrupt.topHalf): void {
  const flags = IRQF_TRIGGER_RISING | IRQF_TRIGGER_FALLING;
  const { threadFn, name } = interrupt;
  machine.runTask(() => requestThreadedIrq(domain.toIrq(17), handler, threadFn, flags, name, interrupt));
}

/** Brings edges of the button, rising first, a millisecond apart, numbered from `first`. */
function feed({ domain }: Rig, count: number, first = 1): void {
  const batch = new EdgeBatch();
  for (let done = 0; done < count; done += batch.count) {
    batch.count = Math.min(EDGE_BATCH_MAX, count - done);
    for (let at = 0; at < batch.count; at++) {
      const seqno = first + done + at;
      batch.write(at, 0, seqno * 1_000_000, seqno % 2 === 1, 17, seqno, seqno);
    }
    domain.deliver(batch);
  }
}

/** As {@link feed}, and lets the CPUs come to rest. */
function deliver(rig: Rig, count: number, first = 1): void {
  feed(rig, count, first);
  rig.machine.advance(1);
}

describe('a line without an interrupt in the configuration', () => {
  it('counts its edges and tells of them, under its own name', () => {
    const it = rig(undefined);
    request(it);
    deliver(it, 3);
    expect(it.interrupt).toMatchObject({
      name: 'button',
      rising: 2,
      falling: 1,
      lineSeqno: 3,
      lastStampNs: 3e6,
      dropped: 0,
    });
    expect(it.log).toEqual(['edge button rising 1', 'edge button falling 2', 'edge button rising 3']);
  });
});

describe('top half', () => {
  it('sets lines before anything else, and each level is told as it was, also when edges follow at once', () => {
    const it = rig(
      specOf({
        topHalf: [
          { kind: 'toggle', line: 'led' },
          { kind: 'set', line: 'led', value: 1 },
        ],
      }),
    );
    request(it);
    deliver(it, 2);
    expect(it.levels.get(4)).toBe(1);
    expect(it.log).toEqual([
      'edge button rising 1',
      'value led 1',
      'value led 1',
      'edge button falling 2',
      'value led 0',
      'value led 1',
    ]);
  });

  it('reports an action that fails, and deals with the edge all the same', () => {
    const it = rig(
      specOf({
        topHalf: [
          { kind: 'set', line: 'broken', value: 1 },
          { kind: 'set', line: 'led', value: 1 },
        ],
        thread: [{ kind: 'log', text: template('thread {seqno}') }],
        work: [{ queue: 'slow', actions: [{ kind: 'log', text: template('work {seqno}') }] }],
      }),
    );
    request(it);
    deliver(it, 1);
    expect(it.log).toEqual([
      'error b1 no such output',
      'edge button rising 1',
      'value led 1',
      'log b1 thread 1',
      'log b1 work 1',
    ]);
  });

  it('leaves out what is more than the limit of an action, and the thread tells how often', () => {
    const it = rig(specOf({ topHalf: [TWICE, { kind: 'follow', line: 'led', invert: false }] }));
    request(it);
    deliver(it, 4);
    expect(it.log).toEqual([
      ...['edge button rising 1', 'value led 1', 'value led 1'],
      ...['edge button falling 2', 'value led 0', 'value led 0'],
      ...['edge button rising 3', 'value led 1'],
      ...['edge button falling 4', 'value led 0'],
      'limited b1 2',
    ]);
    it.log.length = 0;
    it.time.lateNs = 1e9;
    deliver(it, 2, 5);
    expect(it.log).toEqual([
      ...['edge button rising 5', 'value led 1', 'value led 1'],
      ...['edge button falling 6', 'value led 0'],
      'limited b1 1',
    ]);
  });

  it.each(['tasklet', 'thread'] as const)('leaves likewise out what is more than the limit in a %s', (place) => {
    const it = rig(specOf({ [place]: [TWICE] }));
    request(it);
    deliver(it, 4);
    expect(it.log.filter((told) => told.startsWith('value'))).toEqual(['value led 1', 'value led 0']);
    const limited = it.log.filter((told) => told.startsWith('limited')).map((told) => Number(told.split(' ').at(-1)));
    expect(limited.reduce((sum, count) => sum + count, 0)).toBe(2);
  });

  it("has the name of the interrupt, or the daemon's where a handler module has that", () => {
    expect(rig(specOf({})).interrupt.name).toBe('b1');
    expect(rig(specOf({ handler: '/h.js' })).interrupt.name).toBe('gpio-irqd');
  });

  it.each<[string, Partial<InterruptSpec>]>([
    ['sets, follows and toggles', { topHalf: [SET, FOLLOW, { kind: 'toggle', line: 'led' }] }],
    ['pulses', { topHalf: [PULSE] }],
    ['pulses and cuts the pulse off', { topHalf: [PULSE, FOLLOW] }],
    ['is limited, in the top half and in a tasklet', { topHalf: [TWICE, SET], tasklet: [TWICE] }],
    ['hands over to a tasklet', { topHalf: [SET], tasklet: [SET, FOLLOW, PULSE] }],
  ])('keeps the heap as it is when it %s', (_, parts) => {
    const it = rig(specOf(parts));
    it.told.values = false;
    // The thread, which may allocate, is not woken: the ring fills up, and edges are counted as dropped.
    request(it, () => {
      it.interrupt.topHalf();
      return IRQ_HANDLED;
    });
    const batch = new EdgeBatch();
    let seqno = 0;
    const burst = (): void => {
      for (let i = 0; i < 64; i++) {
        batch.count = EDGE_BATCH_MAX;
        for (let at = 0; at < EDGE_BATCH_MAX; at++) {
          seqno++;
          batch.write(at, 0, seqno, seqno % 2 === 1, 17, seqno, seqno);
        }
        it.domain.deliver(batch);
      }
    };
    expect(growthPerEvent(64 * EDGE_BATCH_MAX, burst)).toBeLessThan(SMALLEST_OBJECT);
    expect(it.interrupt.rising + it.interrupt.falling).toBe(seqno);
    expect(it.interrupt.dropped).toBe(seqno - 1024);
  });
});

describe('thread and work', () => {
  it('run for each edge in order, with what the edge was', () => {
    const text = '{name} {line} {gpio} {edge} {value} {seqno} {since_last} {timestamp}';
    const it = rig(
      specOf({
        thread: [{ kind: 'log', text: template(text) }],
        work: [
          {
            queue: 'slow',
            actions: [
              { kind: 'set', line: 'led', value: 1 },
              { kind: 'log', text: template('work {seqno}') },
            ],
          },
        ],
      }),
    );
    request(it);
    deliver(it, 2);
    expect(it.log).toEqual([
      'edge button rising 1',
      'log b1 b1 button 17 rising 1 1 - 2000000',
      'edge button falling 2',
      'log b1 b1 button 17 falling 0 2 1ms 3000000',
      'value led 1',
      'log b1 work 1',
      'value led 1',
      'log b1 work 2',
    ]);
  });

  it('call a module with the edge, one after the other, and log what it returns', async () => {
    const seen: unknown[] = [];
    const results = ['said', undefined, { peaks: [1, 2] }];
    const module = { kind: 'module', path: '/m.js', timeoutNs: 1e9 } as const;
    const it = rig(specOf({ work: [{ queue: 'slow', actions: [module] }] }), (edge) => {
      seen.push(edge);
      return results[edge.seqno - 1];
    });
    request(it);
    feed(it, 3);
    await it.machine.advanceAsync(1e6);
    expect(it.log.filter((line) => line.startsWith('log'))).toEqual(['log b1 said', 'log b1 { peaks: [ 1, 2 ] }']);
    expect(seen[1]).toEqual({
      line: 'button',
      gpio: 17,
      name: 'b1',
      edge: 'falling',
      value: 0,
      timestamp: 3_000_000,
      sinceLast: 1_000_000,
      seqno: 2,
    });
  });

  it('report a module that fails, and call it with the next edge', async () => {
    const module = { kind: 'module', path: '/m.js', timeoutNs: 1e9 } as const;
    const it = rig(specOf({ work: [{ queue: 'slow', actions: [module] }] }), ({ seqno }) => {
      if (seqno === 1) throw new Error('died');
      return 'alive';
    });
    request(it);
    feed(it, 2);
    await it.machine.advanceAsync(1e6);
    expect(it.log.slice(-2)).toEqual(['error b1 died', 'log b1 alive']);
  });

  it('report an action that fails, and go on with the next', () => {
    const actions = [
      { kind: 'set', line: 'broken', value: 1 } as const,
      { kind: 'log', text: template('after') } as const,
    ];
    const it = rig(specOf({ thread: actions, work: [{ queue: 'slow', actions }] }));
    request(it);
    deliver(it, 1);
    expect(it.log).toEqual([
      'edge button rising 1',
      'error b1 no such output',
      'log b1 after',
      'error b1 no such output',
      'log b1 after',
    ]);
  });

  it('tell how many edges they had no room for', () => {
    const it = rig(specOf({ thread: [{ kind: 'log', text: template('{seqno}') }] }));
    let woken = false;
    // A thread that is asleep while edges come.
    request(it, () => {
      const answer = it.interrupt.topHalf();
      return woken ? answer : IRQ_HANDLED;
    });
    deliver(it, 1030);
    expect(it.interrupt.dropped).toBe(6);
    woken = true;
    deliver(it, 1, 1031);
    expect(it.log.filter((line) => line.startsWith('edge'))).toHaveLength(1024);
    expect(it.log.at(-1)).toBe('dropped button 7');
    deliver(it, 1, 1032);
    expect(it.log.at(-1)).toBe('log b1 1032');
    expect(it.interrupt.rising + it.interrupt.falling).toBe(1032);
  });
});

describe('presses', () => {
  const work = { queue: 'slow', actions: [] };
  const rule = { ...work, afterNs: 800e6, withinNs: 300e6, everyNs: 200e6 };
  const spec = specOf({
    patterns: [
      { ...rule, on: 'single' },
      { ...rule, on: 'double' },
    ],
  });

  it('are told by the stamps of edges that are read only after the time for them, by an event loop that was held up', () => {
    const it = rig(spec);
    request(it);
    const edge = (atNs: number, rising: boolean, seqno: number): void => {
      const batch = new EdgeBatch();
      batch.count = 1;
      batch.write(0, 0, atNs, rising, 17, seqno, seqno);
      it.domain.deliver(batch);
    };
    edge(10e6, true, 1);
    edge(60e6, false, 2);
    it.machine.advance(300e6);
    it.time.lateNs = 100e6;
    // The single one is due at 360 ms. Timers of the event loop come before its descriptors.
    it.machine.clock.createAlarm(() => edge(300e6, true, 3)).schedule(360.5e6);
    it.machine.advance(100e6);
    expect(it.log.filter((line) => line.startsWith('press'))).toEqual(['press button double 1']);
  });
});
