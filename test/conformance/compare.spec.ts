import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compare, type ModelRun } from './compare.js';
import type { OracleEvent } from './events.js';
import { casesOf } from './harness.js';
import { modelText, recordedText } from './kernel-text.js';
import { parseRecording, type Recording, readRecording } from './recording.js';

const META = { scenario: 'x', cpus: 1, identical_in_all_runs: true };
const TASK: OracleEvent = { cpu: 0, ctx: 'task', irqs_off: 0, pc: [0, 0, 0], comm: 'oracle', ev: 'a' };
const HARDIRQ: OracleEvent = { cpu: 0, ctx: 'hardirq', irqs_off: 1, pc: [1, 0, 1], ev: 'b' };

function recording(events: readonly OracleEvent[], more: Partial<Recording> = {}): Recording {
  return { meta: META, events, kernel: [], user: [], ...more };
}

function parts(recorded: readonly OracleEvent[], model: readonly OracleEvent[], meta = META): string {
  return compare(recording(recorded, { meta }), { events: model, kernel: [] }).diff;
}

/** A run that did exactly what was recorded. */
function playedBack({ events, kernel }: Recording): ModelRun {
  return { events, kernel: recordedText(kernel) };
}

/** Changes to one event that the comparator must see, whatever the event is. */
const CHANGES: readonly ((event: OracleEvent) => OracleEvent)[] = [
  (event) => ({ ...event, ev: `${event.ev}!` }),
  (event) => ({ ...event, v: { ...event.v, more: 1 } }),
  (event) => ({ ...event, cpu: (event.cpu ?? 0) + 1 }),
  (event) => ({ ...event, irqs_off: 1 - (event.irqs_off ?? 0) }),
  (event) => ({ ...event, ctx: event.ctx === 'nmi' ? 'task' : 'nmi' }),
  (event) => ({ ...event, bh_off: 1 - (event.bh_off ?? 0) }),
  (event) => ({ ...event, comm: `${event.comm}!` }),
  (event) => ({ ...event, on: `${event.on}!` }),
  (event) => ({ ...event, sched: { policy: 'FIFO', rtprio: 99, nice: 0 } }),
  ({ pc, ...event }) => ({ ...event, pc: [pc?.[0] ?? 0, (pc?.[1] ?? 0) + 1, pc?.[2] ?? 0] }),
  ({ pc, ...event }) => ({ ...event, pc: [pc?.[0] ?? 0, pc?.[1] ?? 0, (pc?.[2] ?? 0) + 1] }),
];

const ALL = casesOf(fileURLToPath(new URL('./scenarios', import.meta.url))).map(({ recording: file }) =>
  readRecording(file),
);

/** Recordings whose every entry is compared in full. */
const STABLE = ALL.filter(
  ({ meta, events }) =>
    meta.identical_in_all_runs && events.every(({ ctx, cpu, pc }) => ctx !== null && cpu !== null && pc !== null),
);

const anyRecording = fc.constantFrom(...STABLE);

/** Equal, but for their places in the recording. */
function alike(a: OracleEvent, b: OracleEvent): boolean {
  return JSON.stringify({ ...a, i: 0 }) === JSON.stringify({ ...b, i: 0 });
}

describe('the comparator', () => {
  it('finds every recording equal to itself', () => {
    for (const one of STABLE) expect(compare(one, playedBack(one)).diff).toBe('');
  });

  it('finds any single altered event', () => {
    fc.assert(
      fc.property(anyRecording, fc.nat(), fc.constantFrom(...CHANGES), (one, pick, change) => {
        const { events } = one;
        const at = pick % events.length;
        const altered = events.map((event, i) => (i === at ? change(event) : event));
        const { equal, diff } = compare(one, { ...playedBack(one), events: altered });
        expect(equal).toBe(false);
        expect(diff).toContain(`event ${at}: `);
      }),
      { numRuns: 500 },
    );
  });

  it('finds an altered event also where context or order are left open', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ALL), fc.nat(), fc.boolean(), (one, pick, name) => {
        const { events } = one;
        const at = pick % events.length;
        const change = (event: OracleEvent): OracleEvent =>
          name ? { ...event, ev: `${event.ev}!` } : { ...event, v: { ...event.v, more: 1 } };
        const altered = events.map((event, i) => (i === at ? change(event) : event));
        expect(compare(one, { ...playedBack(one), events: altered }).equal).toBe(false);
      }),
    );
  });

  it('finds any change of preempt_count in a task, and within an interrupt behind its first event', () => {
    fc.assert(
      fc.property(anyRecording, fc.nat(), fc.constantFrom(-1, 1), (one, pick, by) => {
        const { events } = one;
        const at = pick % events.length;
        const [before, event] = [events[at - 1], events[at]];
        if (event === undefined || event.pc === null) return;
        fc.pre(event.ctx === 'task' || (before?.ctx === event.ctx && !event.ev.startsWith('hw.')));
        const [preempt = 0, ...rest] = event.pc;
        const altered = events.map((other, i) => (i === at ? { ...other, pc: [preempt + by, ...rest] } : other));
        const { diff } = compare(one, { ...playedBack(one), events: altered });
        expect(diff).toContain(`event ${at}: preempt_count`);
      }),
      { numRuns: 500 },
    );
  });

  it('finds an event that is missing, one too many, and two that changed places', () => {
    fc.assert(
      fc.property(anyRecording, fc.nat(), fc.constantFrom('missing', 'twice', 'swapped'), (one, pick, how) => {
        const { events } = one;
        const at = pick % events.length;
        const [event, next] = [events[at], events[at + 1]];
        if (event === undefined) return;
        const altered = [...events];
        if (how === 'missing') altered.splice(at, 1);
        else if (how === 'twice') altered.splice(at, 0, event);
        else if (next === undefined || alike(next, event)) return;
        else altered.splice(at, 2, next, event);
        expect(compare(one, { ...playedBack(one), events: altered }).equal).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('finds any line of the kernel text that is altered, missing or too many', () => {
    const talking = STABLE.filter(({ kernel }) => kernel.length > 0);
    fc.assert(
      fc.property(
        fc.constantFrom(...talking),
        fc.nat(),
        fc.constantFrom('altered', 'missing', 'more'),
        (one, pick, how) => {
          const run = playedBack(one);
          const at = pick % run.kernel.length;
          const kernel = [...run.kernel];
          if (how === 'altered') kernel[at] = `${kernel[at]}!`;
          else if (how === 'missing') kernel.splice(at, 1);
          else kernel.splice(at, 0, 'more');
          expect(compare(one, { ...run, kernel }).equal).toBe(false);
        },
      ),
    );
  });

  it('compares all of preempt_count in a task', () => {
    expect(parts([TASK], [{ ...TASK, pc: [1, 0, 0] }])).toContain('preempt_count');
  });

  it('compares the first field of preempt_count in an interrupt by its changes only', () => {
    const chip: OracleEvent = { ...HARDIRQ, pc: [2, 0, 1], ev: 'c' };
    const lower = [
      { ...HARDIRQ, pc: [0, 0, 1] },
      { ...chip, pc: [1, 0, 1] },
    ];
    expect(parts([HARDIRQ, chip], lower)).toBe('');
    expect(parts([HARDIRQ, chip], [HARDIRQ, { ...chip, pc: [1, 0, 1] }])).toContain('event 1: preempt_count');
  });

  it('compares all of preempt_count in a softirq that interrupts nothing', () => {
    const softirq: OracleEvent = { ...HARDIRQ, ctx: 'softirq', pc: [1, 1, 0], on: 'inline' };
    const model: OracleEvent = { ...softirq, pc: [0, 1, 0] };
    expect(parts([softirq], [model])).toBe('');
    expect(parts([softirq], [{ ...model, ownCount: true }])).toContain('event 0: preempt_count');
  });

  it('begins anew with each delivery by the hardware', () => {
    const deliver: OracleEvent = { ...HARDIRQ, ev: 'hw.deliver' };
    expect(parts([HARDIRQ, deliver], [HARDIRQ, { ...deliver, pc: [0, 0, 1] }])).toBe('');
  });

  it('does not compare what a recording leaves open', () => {
    const open: OracleEvent = { cpu: null, ctx: 'hardirq', irqs_off: 1, pc: null, ev: 'b' };
    expect(parts([open], [{ ...HARDIRQ, cpu: 1 }])).toBe('');
    expect(parts([{ ...open, ctx: null, irqs_off: null }], [{ ...TASK, ev: 'b' }])).toBe('');
    expect(parts([open], [{ ...HARDIRQ, ev: 'c' }])).toContain('event 0: event');
  });

  it('lets the model do more where entries were taken out of the recording, but nothing less', () => {
    const unstable = { ...META, identical_in_all_runs: false };
    const more: OracleEvent = { ...TASK, ev: 'more' };
    expect(parts([TASK, HARDIRQ], [more, TASK, more, HARDIRQ, more], unstable)).toBe('');
    expect(parts([TASK, HARDIRQ], [HARDIRQ, TASK], unstable)).toContain('event 1 does not come');
  });

  it('shows both sides where they part, behind what was equal', () => {
    const later = { ...TASK, ev: 'later', v: { n: 2 } };
    expect(parts([TASK, later], [TASK, { ...later, v: { n: 3 } }])).toBe(
      [
        'event 1: values',
        '    cpu0 task    [0 0 0] oracle: a',
        '  - cpu0 task    [0 0 0] oracle: later n=2',
        '  + cpu0 task    [0 0 0] oracle: later n=3',
      ].join('\n'),
    );
  });
});

describe('kernel text', () => {
  const names = new Map([[7, 'A']]);

  it('knows the lines of the scenario by their names', () => {
    expect(modelText(['irq 7: nobody cared', 'Disabling IRQ #7', 'irq 8: other'], names)).toEqual([
      'irq <A>: nobody cared',
      'Disabling IRQ #<A>',
      'irq 8: other',
    ]);
  });

  it('has no stacks, places, process ids and addresses, but the function that warned', () => {
    const warning = [
      '------------[ cut here ]------------',
      'Unbalanced enable for IRQ 7',
      'WARNING: CPU: 0 PID: 12 at /a b/x.ts:3 __enable_irq',
      'CPU: 0 PID: 12 Comm: oracle',
      'Call Trace:',
      ' <TASK>',
      '  at main (/a/x.ts:3:7)',
      ' </TASK>',
      '---[ end trace 0000000000000000 ]---',
    ].join('\n');
    expect(modelText([warning], names)).toEqual(
      recordedText([
        '------------[ cut here ]------------',
        'Unbalanced enable for IRQ <A>',
        'WARNING: CPU: C PID: P at kernel/irq/manage.c:791 __enable_irq+OFF/LEN',
      ]),
    );
  });
});

describe('a recording', () => {
  it('is refused, with the line, when it is not one', () => {
    expect(() => parseRecording('{"meta": {}}\nx', 'f')).toThrow('f:2: not a line of JSON');
    expect(() => parseRecording('{"meta": {}}\n{}', 'f')).toThrow('f:2: neither an event nor text');
    expect(() => parseRecording('{"kernel": ""}', 'f')).toThrow('f: has no line {"meta": …}');
  });
});

describe('what a user process has read', () => {
  const recorded = recording([TASK], { user: ['a ', 'b'] });
  const run = (...user: string[]) => compare(recorded, { events: [TASK], kernel: [], user });

  it('is compared byte for byte, and to its end', () => {
    expect(run('a ', 'b')).toMatchObject({ equal: true, compared: 3 });
    expect(run('a', 'b').diff).toContain('had read, line 0');
    expect(run('a ').diff).toContain('(nothing more)');
    expect(run('a ', 'b', 'c').equal).toBe(false);
  });

  it('is left out where the scenario reads nothing', () => {
    expect(run()).toMatchObject({ equal: true, compared: 1 });
  });
});
