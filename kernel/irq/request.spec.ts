import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import { preemptDisable, preemptEnable } from '../sched/core.js';
import { udelay } from '../time/delay.js';
import { fakeLines, thrownBy } from './fake-line.spec-helper.js';
import {
  IRQ_NO_BALANCING,
  IRQ_NO_DEBUG,
  IRQ_NOAUTOEN,
  IRQ_NOREQUEST,
  IRQ_NOTCONNECTED,
  IRQ_PER_CPU,
  IRQC_IS_HARDIRQ,
  IRQC_IS_NESTED,
  IRQCHIP_ONESHOT_SAFE,
  IRQF_COND_ONESHOT,
  IRQF_COND_SUSPEND,
  IRQF_NO_AUTOEN,
  IRQF_NO_DEBUG,
  IRQF_NO_SUSPEND,
  IRQF_NOBALANCING,
  IRQF_ONESHOT,
  IRQF_PERCPU,
  IRQF_PROBE_SHARED,
  IRQF_SHARED,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_HIGH,
  IRQF_TRIGGER_RISING,
} from './flags.js';
import type { IrqHandler } from './irqdesc.js';
import { irqClearStatusFlags, irqSetPercpuDevid, irqSetStatusFlags } from './line-setup.js';
import { canRequestIrq, freeIrq, irqHasAction } from './manage.js';
import { irqSetNestedThread } from './nested.js';
import { requestAnyContextIrq, requestIrq } from './request.js';
import { handled, type Request, requester } from './requester.spec-helper.js';
import { irqdSetTriggerType, irqGetTriggerType } from './trigger.js';

describe('a single request', () => {
  // As recorded from Linux 6.12 (03-request-errno).
  it.each<[string, Request, number]>([
    ['plain', { flags: 0 }, 0],
    ['no dev_id, not shared', { flags: 0, devId: null }, 0],
    ['no dev_id, shared', { flags: IRQF_SHARED, devId: null }, -22],
    ['no functions', { flags: 0, handler: false }, -22],
    ['no functions, oneshot', { flags: IRQF_ONESHOT, handler: false }, -22],
    ['thread only', { flags: 0, handler: false, thread: true }, -22],
    ['thread only, oneshot', { flags: IRQF_ONESHOT, handler: false, thread: true }, 0],
    ['both', { flags: 0, thread: true }, 0],
    ['both, oneshot', { flags: IRQF_ONESHOT, thread: true }, 0],
    ['handler only, oneshot', { flags: IRQF_ONESHOT }, 0],
    ['shared, no autoenable', { flags: IRQF_SHARED | IRQF_NO_AUTOEN }, -22],
    ['no autoenable', { flags: IRQF_NO_AUTOEN }, 0],
    ['cond suspend, not shared', { flags: IRQF_COND_SUSPEND }, -22],
    ['cond suspend, shared', { flags: IRQF_COND_SUSPEND | IRQF_SHARED }, 0],
    ['no suspend and cond suspend', { flags: IRQF_COND_SUSPEND | IRQF_NO_SUSPEND | IRQF_SHARED }, -22],
    ['rising and falling', { flags: IRQF_TRIGGER_RISING | IRQF_TRIGGER_FALLING }, 0],
    ['no such interrupt', { flags: 0, irq: 3999 }, -22],
    ['interrupt 0', { flags: 0, irq: 0 }, -22],
    ['a negative number', { flags: 0, irq: -1 }, -22],
    ['no number', { flags: 0, irq: Number.NaN }, -22],
    ['not connected', { flags: 0, irq: IRQ_NOTCONNECTED }, -107],
  ])('%s', (_, asked, errno) => {
    expect(requester().request(asked)).toBe(errno);
  });

  it('tells what a thread without a primary handler lacks', () => {
    const { request, printed, irq } = requester();
    request({ flags: 0, handler: false, thread: true });
    expect(printed).toEqual([
      `err: genirq: Threaded irq requested with handler=NULL and !ONESHOT for one (irq ${irq})`,
    ]);
  });

  it('needs no ONESHOT on a chip that is ONESHOT_SAFE', () => {
    const { request, desc } = requester({ chip: { flags: IRQCHIP_ONESHOT_SAFE } });
    expect(request({ flags: IRQF_ONESHOT, handler: false, thread: true })).toBe(0);
    expect(desc.actions[0]?.flags).toBe(0);
  });

  it('refuses with ENOSYS where there is no chip, with EINVAL where a chained handler is', () => {
    const { request, machine, domain } = requester();
    expect(request({ flags: 0, irq: machine.irqs.alloc(undefined, 0).irq })).toBe(-38);
    expect(request({ flags: 0, irq: domain.setChainedHandler(1, () => 0, 'bank').irq })).toBe(-22);
  });

  it('passes on what the chip says to a trigger type, and leaves nothing behind', () => {
    const refuse = {
      setType: () => {
        throw new KernelError('ENXIO', 'no');
      },
    };
    const { request, printed, desc, irq, machine, log } = requester({ chip: refuse });
    const tasks = machine.tasks.size;
    expect(request({ flags: IRQF_TRIGGER_HIGH, thread: true })).toBe(-6);
    expect(printed).toEqual([`err: genirq: Setting trigger mode 4 for irq ${irq} failed (setType)`]);
    expect([desc.actions.length, desc.type, desc.depth, machine.tasks.size, log]).toEqual([0, 0, 1, tasks, []]);
  });

  it('takes any trigger type on a chip that has no choice', () => {
    const { request, desc } = requester({ chip: { setType: undefined } });
    expect(request({ flags: IRQF_TRIGGER_RISING })).toBe(0);
    expect(desc.type).toBe(0);
  });

  it('refuses what is no function', () => {
    const { machine, irq } = requester();
    const bad = 'handler' as unknown as IrqHandler;
    expect(() => machine.runTask(() => requestIrq(irq, bad, 0, 'one'))).toThrow(/are functions, or null/);
  });

  it('complains in atomic context, and does it all the same, as the kernel', () => {
    const { machine, irq, printed, desc } = fakeLines();
    machine.runTask(function* () {
      preemptDisable();
      yield* requestIrq(irq, handled, 0, 'one');
      preemptEnable();
    });
    expect(printed[0]).toMatch(
      /^emerg: BUG: sleeping function called from invalid context at [\s\S]*called: request_threaded_irq/,
    );
    expect(desc.actions.length).toBe(1);
  });
});

describe('a second request', () => {
  interface Pair {
    readonly first: number;
    readonly second: number;
    readonly errno: number;
  }
  const S = IRQF_SHARED;
  const O = IRQF_ONESHOT;
  // As recorded from Linux 6.12 (03-request-errno); ONESHOT requests have a thread.
  it.each<[string, Pair]>([
    ['both shared', { first: S, second: S, errno: 0 }],
    ['exclusive, then exclusive', { first: 0, second: 0, errno: -16 }],
    ['exclusive, then shared', { first: 0, second: S, errno: -16 }],
    ['shared, then exclusive', { first: S, second: 0, errno: -16 }],
    ['shared, then exclusive that probes', { first: S, second: IRQF_PROBE_SHARED, errno: -16 }],
    ['oneshot, then plain', { first: S | O, second: S, errno: -16 }],
    ['plain, then oneshot', { first: S, second: S | O, errno: -16 }],
    ['oneshot both', { first: S | O, second: S | O, errno: 0 }],
    ['oneshot, then as you like', { first: S | O, second: S | IRQF_COND_ONESHOT, errno: 0 }],
    ['percpu, then plain', { first: S | IRQF_PERCPU, second: S, errno: -16 }],
    ['no suspend mixed', { first: S | IRQF_NO_SUSPEND, second: S, errno: 0 }],
  ])('%s', (_, { first, second, errno }) => {
    const { request, printed, irq, desc } = requester();
    const of = (flags: number, name: string): Request => ({ flags, thread: (flags & O) !== 0, name });
    expect(request(of(first, 'first'))).toBe(0);
    expect(request(of(second, 'second'))).toBe(errno);
    const hex = (flags: number): string => flags.toString(16).padStart(8, '0');
    const text = `err: genirq: Flags mismatch irq ${irq}. ${hex(second)} (second) vs. ${hex(first)} (first)`;
    const mixed = ((first ^ second) & IRQF_NO_SUSPEND) !== 0 ? ['warning:  (irq_pm_install_action)'] : [];
    expect(printed).toEqual(errno === 0 || (second & IRQF_PROBE_SHARED) !== 0 ? mixed : [text]);
    expect(desc.actions.length).toBe(errno === 0 ? 2 : 1);
  });

  it('by request_irq takes ONESHOT on from the first, and does not force it on the next', () => {
    const { request, machine, irq, desc, printed } = requester();
    request({ flags: S | O, thread: true });
    machine.runTask(() => requestIrq(irq, handled, S, 'second', 'second'));
    expect(desc.actions.map(({ oneshot }) => oneshot)).toEqual([true, true]);
    expect(request({ flags: S, name: 'third' })).toBe(-16);
    expect(printed.length).toBe(1);
  });

  it('by request_irq is reported with all flags that it then has', () => {
    const { request, machine, irq, printed } = requester();
    request({ flags: 0, name: 'first' });
    thrownBy(() => machine.runTask(() => requestIrq(irq, handled, 0, 'second')));
    expect(printed).toEqual([`err: genirq: Flags mismatch irq ${irq}. 00200000 (second) vs. 00000000 (first)`]);
  });

  it('names who is in the way, and what to do', () => {
    const { request, machine, irq } = requester();
    request({ flags: 0, name: 'first' });
    const error = thrownBy(() => machine.runTask(() => requestIrq(irq, handled, 0, 'second')));
    expect(error).toMatchObject({ code: 'EBUSY', subject: 'first', hint: expect.stringContaining("'first'") });
  });

  it('that comes without ONESHOT and a primary mismatches first', () => {
    const { request } = requester();
    expect(request({ flags: S | O, handler: false, thread: true })).toBe(0);
    expect(request({ flags: S, handler: false, thread: true })).toBe(-16);
  });

  it('fixes the trigger type that nobody had fixed, even against the first', () => {
    const { request, desc, printed, irq } = requester();
    expect([request({ flags: S | IRQF_TRIGGER_RISING, name: 'three' }), desc.type]).toEqual([0, 1]);
    expect([request({ flags: S | IRQF_TRIGGER_FALLING, name: 'three' }), desc.type]).toEqual([0, 2]);
    expect([request({ flags: S | IRQF_TRIGGER_RISING, name: 'three' }), desc.type]).toEqual([-16, 2]);
    expect(printed).toEqual([`err: genirq: Flags mismatch irq ${irq}. 00000081 (three) vs. 00000081 (three)`]);
  });

  it('must take the type that firmware has fixed, and inherits it when it asks for none', () => {
    const { request, machine, desc, printed, irq } = requester();
    irqdSetTriggerType(desc, IRQF_TRIGGER_RISING);
    expect(machine.runTask(() => [irqGetTriggerType(irq), irqGetTriggerType(99)])).toEqual([1, 0]);
    expect(request({ flags: S, name: 'first' })).toBe(0);
    expect(request({ flags: S | IRQF_TRIGGER_FALLING, name: 'second' })).toBe(-16);
    expect(request({ flags: S | IRQF_TRIGGER_RISING })).toBe(0);
    expect(printed).toEqual([`err: genirq: Flags mismatch irq ${irq}. 00000082 (second) vs. 00000081 (first)`]);
  });

  it('keeps the type of a freed line', () => {
    const { request, desc, machine, irq } = requester();
    expect(request({ flags: IRQF_TRIGGER_FALLING, devId: 1 })).toBe(0);
    machine.runTask(() => freeIrq(irq, 1));
    expect(desc.type).toBe(2);
    expect(request({ flags: S })).toBe(0);
    expect(desc.actions[0]?.flags).toBe(S | 2);
  });

  it('is the last ONESHOT one at 64', () => {
    const { request } = requester();
    const asked = { flags: S | O, handler: false, thread: true };
    const answers = Array.from({ length: 65 }, () => request(asked));
    expect(answers).toEqual([...new Array<number>(64).fill(0), -16]);
  });

  it('is taken exactly if it agrees in sharing, trigger, oneshot and percpu', () => {
    const flags = fc
      .tuple(
        fc.constantFrom(0, IRQF_SHARED),
        fc.constantFrom(0, 1, 2),
        fc.constantFrom(0, IRQF_ONESHOT),
        fc.constantFrom(0, IRQF_PERCPU),
      )
      .map((parts) => parts.reduce<number>((all, part) => all | part, 0));
    fc.assert(
      fc.property(flags, flags, flags, (a, b, c) => {
        const { request, desc } = requester();
        expect(request({ flags: a })).toBe(0);
        for (const next of [b, c]) {
          const before = [...desc.actions];
          const type = desc.typeFixed ? desc.type : (next & 3) !== 0 ? next & 3 : desc.type;
          const agrees =
            (a & next & S) !== 0 && ((next & 3) === 0 || (next & 3) === type) && ((a ^ next) & (O | IRQF_PERCPU)) === 0;
          expect(request({ flags: next })).toBe(agrees ? 0 : -16);
          expect(desc.actions.length).toBe(before.length + (agrees ? 1 : 0));
        }
      }),
    );
  });
});

describe('the status flag IRQ_NOAUTOEN', () => {
  it('leaves a line disabled that is requested, until it is cleared', () => {
    const { machine, irq, desc, request } = requester();
    const run = (fn: () => void): void => machine.runTask(fn);
    run(() => irqSetStatusFlags(irq, IRQ_NOAUTOEN));
    request({ flags: 0, devId: 'x' });
    expect([desc.depth, desc.started]).toEqual([1, false]);
    machine.runTask(() => freeIrq(irq, 'x'));
    run(() => irqClearStatusFlags(irq, IRQ_NOAUTOEN));
    request({ flags: 0, devId: 'x' });
    expect([desc.depth, desc.started]).toEqual([0, true]);
  });

  it('warns of a sharer, once', () => {
    const { machine, irq, printed, request } = requester();
    machine.runTask(() => irqSetStatusFlags(irq, IRQ_NOAUTOEN));
    for (let i = 0; i < 2; i++) {
      request({ flags: IRQF_SHARED, devId: 'x' });
      machine.runTask(() => freeIrq(irq, 'x'));
    }
    expect(printed).toEqual(['warning:  (__setup_irq)']);
  });
});

describe('a line that cannot be requested as any other', () => {
  it('refuses with IRQ_NOREQUEST, and can be requested again without', () => {
    const { machine, irq, request } = requester();
    machine.runTask(() => irqSetStatusFlags(irq, IRQ_NOREQUEST));
    expect([request({ flags: 0 }), machine.runTask(() => canRequestIrq(irq, 0))]).toEqual([-22, false]);
    machine.runTask(() => irqClearStatusFlags(irq, IRQ_NOREQUEST));
    expect([machine.runTask(() => canRequestIrq(irq, 0)), request({ flags: 0 })]).toEqual([true, 0]);
    expect(machine.runTask(() => [canRequestIrq(irq, 0), canRequestIrq(irq, IRQF_SHARED)])).toEqual([false, false]);
    expect(machine.runTask(() => [irqHasAction(irq), irqHasAction(99)])).toEqual([true, false]);
  });

  it('warns of one that each CPU has for itself', () => {
    const { machine, irq, request, printed } = requester();
    machine.runTask(() => irqSetPercpuDevid(irq));
    expect(request({ flags: 0 })).toBe(-22);
    expect(printed).toEqual(['warning:  (request_threaded_irq)']);
    expect(machine.runTask(() => freeIrq(irq, null))).toBeUndefined();
    expect(printed.at(-1)).toBe('warning:  (free_irq)');
  });

  it('is handled in the thread of its parent: it needs a thread function, and gets no thread', () => {
    const { machine, irq, desc, printed, request } = requester();
    machine.runTask(() => irqSetNestedThread(irq, true));
    expect(request({ flags: 0 })).toBe(-22);
    expect(request({ flags: 0, thread: true, devId: 'x' })).toBe(0);
    expect(desc.actions.map(({ thread }) => thread)).toEqual([undefined]);
    // Should its interrupt arrive as one, somebody has wired it wrongly.
    machine.runTask(() => desc.actions[0]?.handler(irq, 'x'));
    expect(printed).toEqual([`warning: Primary handler called for nested irq ${irq} (irq_nested_primary_handler)`]);
  });
});

describe('requestAnyContextIrq', () => {
  it('gives 0 for a hard interrupt, 1 for one that is nested in a thread', () => {
    const { machine, irq, domain, desc } = requester();
    const nested = domain.createMapping(4);
    machine.runTask(() => irqSetNestedThread(nested, true));
    const ask = (which: number): number => machine.runTask(() => requestAnyContextIrq(which, handled, 0, 'any'));
    expect([ask(irq), ask(nested)]).toEqual([IRQC_IS_HARDIRQ, IRQC_IS_NESTED]);
    expect([desc.actions[0]?.handler, machine.irqs.get(nested).actions[0]?.threadFn]).toEqual([handled, handled]);
  });

  it('refuses what the others refuse', () => {
    const { machine, irq } = requester();
    const code = (which: number): unknown => {
      const error = thrownBy(() => machine.runTask(() => requestAnyContextIrq(which, handled, IRQF_SHARED, 'any')));
      return error instanceof KernelError ? error.code : error;
    };
    expect([code(irq), code(99), code(IRQ_NOTCONNECTED)]).toEqual(['EINVAL', 'EINVAL', 'ENOTCONN']);
  });
});

describe('resources of a chip', () => {
  function resourceful(refuse: 'EBUSY' | undefined, setType?: () => never) {
    const calls: string[] = [];
    const chip = {
      *requestResources() {
        yield* udelay(5);
        calls.push('request');
        if (refuse !== undefined) throw new KernelError(refuse, 'none left');
      },
      *releaseResources() {
        yield* udelay(5);
        calls.push('release');
      },
      ...(setType === undefined ? {} : { setType }),
    };
    return { calls, ...requester({ chip }) };
  }

  it('are taken with the first action and given back with the last', () => {
    const { calls, request, machine, irq } = resourceful(undefined);
    for (const devId of ['a', 'b']) request({ flags: IRQF_SHARED, devId });
    machine.runTask(() => freeIrq(irq, 'a'));
    expect(calls).toEqual(['request']);
    machine.runTask(() => freeIrq(irq, 'b'));
    expect(calls).toEqual(['request', 'release']);
  });

  it('can be refused, which the request is told', () => {
    const { calls, request, printed, irq, desc } = resourceful('EBUSY');
    expect([request({ flags: 0 }), calls, desc.activated]).toEqual([-16, ['request'], false]);
    expect(printed).toEqual([`err: genirq: Failed to request resources for one (irq ${irq}) on irqchip fake`]);
  });

  it('are given back by a request that fails behind them', () => {
    const refuse = (): never => {
      throw new KernelError('ENXIO', 'no');
    };
    const { calls, request } = resourceful(undefined, refuse);
    expect([request({ flags: IRQF_TRIGGER_RISING }), calls]).toEqual([-6, ['request', 'release']]);
  });
});

describe('the first request of a line', () => {
  it.each<[string, number, number]>([
    ['IRQF_PERCPU', IRQF_PERCPU, IRQ_PER_CPU],
    ['IRQF_PERCPU with IRQF_NO_DEBUG', IRQF_PERCPU | IRQF_NO_DEBUG, IRQ_PER_CPU | IRQ_NO_DEBUG],
    ['IRQF_NO_DEBUG alone', IRQF_NO_DEBUG, 0],
    ['IRQF_NOBALANCING', IRQF_NOBALANCING, IRQ_NO_BALANCING],
  ])('leaves on it what %s asks for', (_, flags, settings) => {
    const { request, desc } = requester();
    request({ flags });
    expect(desc.settings & (IRQ_PER_CPU | IRQ_NO_DEBUG | IRQ_NO_BALANCING)).toBe(settings);
  });

  it('forgets what had been counted against it, and that nobody had cared', () => {
    const { request, desc, machine, irq } = requester();
    request({ flags: 0, devId: 'x' });
    Object.assign(desc, { irqCount: 7, irqsUnhandled: 5 });
    machine.runTask(() => freeIrq(irq, 'x'));
    desc.spuriousDisabled = true;
    request({ flags: 0 });
    expect([desc.irqCount, desc.irqsUnhandled, desc.spuriousDisabled, desc.depth]).toEqual([0, 0, false, 0]);
  });
});

describe('a further request of a line that nobody had cared for', () => {
  it('gives it another chance', () => {
    const { request, desc } = requester();
    request({ flags: IRQF_SHARED });
    Object.assign(desc, { spuriousDisabled: true, depth: 1, disabled: true, masked: true });
    request({ flags: IRQF_SHARED });
    expect([desc.spuriousDisabled, desc.depth, desc.disabled, desc.masked]).toEqual([false, 0, false, false]);
  });
});
