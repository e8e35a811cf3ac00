import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import { msleep, udelay } from '../time/delay.js';
import { type FakeLineOptions, type FakeLines, fakeLines, handledAfter, thrownBy } from './fake-line.spec-helper.js';
import {
  IRQ_HANDLED,
  IRQ_NESTED_THREAD,
  IRQ_PER_CPU_DEVID,
  IRQ_WAKE_THREAD,
  IRQCHIP_ENABLE_WAKEUP_ON_SUSPEND,
  IRQCHIP_MASK_ON_SUSPEND,
  IRQCHIP_SKIP_SET_WAKE,
  IRQF_COND_SUSPEND,
  IRQF_EARLY_RESUME,
  IRQF_FORCE_RESUME,
  IRQF_NO_SUSPEND,
  IRQF_SHARED,
} from './flags.js';
import { handleSimpleIrq } from './flow.js';
import { disableIrq, enableIrq, freeIrq } from './manage.js';
import { irqSetNestedThread } from './nested.js';
import {
  disableIrqWake,
  enableIrqWake,
  irqPmSyscoreResume,
  irqSetIrqWake,
  rearmWakeIrq,
  resumeDeviceIrqs,
  suspendDeviceIrqs,
} from './pm.js';
import { requestIrq, requestThreadedIrq } from './request.js';

/** Line 3 requested with `flags`; its handler logs `handled`. */
function requested(flags = 0, options: FakeLineOptions = {}): FakeLines {
  const lines = fakeLines({ ...options, chip: { setWake: (_, on) => lines.log.push(`wake ${on}`), ...options.chip } });
  const handler = handledAfter(() => lines.log.push('handled'));
  lines.machine.runTask(() => requestIrq(lines.irq, handler, flags, 'one', 'one'));
  lines.taken();
  return lines;
}

function share({ machine, irq }: FakeLines, name: string, flags: number): void {
  machine.runTask(() => requestIrq(irq, () => IRQ_HANDLED, IRQF_SHARED | flags, name, name));
}

function suspend({ machine }: FakeLines): void {
  machine.runTask(suspendDeviceIrqs);
}

function resume({ machine }: FakeLines): void {
  machine.runTask(resumeDeviceIrqs);
}

describe('a suspended line', () => {
  it('keeps its edge, which resume delivers', () => {
    const lines = requested();
    suspend(lines);
    expect(lines.desc).toMatchObject({ depth: 1, suspended: true, masked: false });
    lines.pulse();
    expect(lines.taken()).toEqual(['mask_ack']);
    resume(lines);
    expect(lines.taken()).toEqual(['unmask', 'retrigger', 'ack', 'handled']);
    expect(lines.desc).toMatchObject({ depth: 0, suspended: false });
  });

  it('cannot be enabled by its owner, who is warned; what the owner had disabled stays so', () => {
    const lines = requested();
    suspend(lines);
    lines.machine.runTask(() => enableIrq(lines.irq));
    expect(lines.printed).toEqual(['warning: Unbalanced enable for IRQ 1 (__enable_irq)']);
    expect(lines.desc.depth).toBe(1);
    resume(lines);
    lines.machine.runTask(() => disableIrq(lines.irq));
    suspend(lines);
    resume(lines);
    expect(lines.desc.depth).toBe(1);
  });

  it('is masked at a chip that cannot choose what wakes the machine up', () => {
    const lines = requested(0, { chip: { flags: IRQCHIP_MASK_ON_SUSPEND } });
    suspend(lines);
    expect(lines.taken()).toEqual(['mask']);
    lines.pulse();
    resume(lines);
    expect(lines.taken()).toEqual(['blocked', 'unmask']);
  });

  it('has no handler and no thread running when suspend_device_irqs returns', () => {
    const lines = fakeLines();
    const { machine, irq, at, pulse, taken } = lines;
    function* slowly() {
      yield* msleep(10);
      at('thread done');
      return IRQ_HANDLED;
    }
    machine.runTask(() => requestThreadedIrq(irq, () => IRQ_WAKE_THREAD, slowly, 0, 'one'));
    pulse();
    taken();
    machine.runTask(function* () {
      yield* suspendDeviceIrqs();
      at('suspended');
    });
    expect(taken().map((entry) => entry.replace(/^\d+ \S+ /, ''))).toEqual(['thread done', 'suspended']);
  });

  it('is none without an action, with NO_SUSPEND, chained or behind a thread', () => {
    const lines = requested(IRQF_NO_SUSPEND);
    const idle = lines.machine.irqs.get(lines.domain.createMapping(4));
    const nested = lines.machine.irqs.get(lines.domain.createMapping(5));
    lines.machine.runTask(() => requestIrq(nested.irq, () => IRQ_HANDLED, 0, 'nested'));
    nested.settings |= IRQ_NESTED_THREAD;
    suspend(lines);
    for (const desc of [lines.desc, idle, nested]) expect(desc.suspended).toBe(false);
    expect([lines.desc.depth, nested.depth]).toEqual([0, 0]);
    lines.pulse();
    expect(lines.taken().at(-1)).toBe('handled');
  });
});

describe('resume', () => {
  it('comes early for lines whose first action asks for that, and only for them', () => {
    const lines = requested(IRQF_EARLY_RESUME);
    const late = lines.machine.irqs.get(lines.domain.createMapping(4));
    lines.machine.runTask(() => requestIrq(late.irq, () => IRQ_HANDLED, 0, 'late'));
    suspend(lines);
    lines.machine.runTask(irqPmSyscoreResume);
    expect([lines.desc.depth, late.depth]).toEqual([0, 1]);
    resume(lines);
    expect([lines.desc.depth, late.depth]).toEqual([0, 0]);
  });

  it('sets a FORCE_RESUME line up again that was not suspended', () => {
    const lines = requested(IRQF_NO_SUSPEND | IRQF_FORCE_RESUME);
    suspend(lines);
    expect(lines.taken()).toEqual([]);
    resume(lines);
    expect(lines.taken()).toEqual(['unmask']);
    expect(lines.desc).toMatchObject({ depth: 0, disabled: false, masked: false });
  });
});

describe('a line behind a thread', () => {
  it('is left to its parent by resume, whatever its action asks for', () => {
    const lines = fakeLines();
    const { machine, irq, desc } = lines;
    machine.runTask(function* () {
      irqSetNestedThread(irq, true);
      yield* requestThreadedIrq(irq, null, () => IRQ_HANDLED, IRQF_NO_SUSPEND | IRQF_FORCE_RESUME, 'nested');
      yield* disableIrq(irq);
    });
    lines.taken();
    suspend(lines);
    resume(lines);
    expect([lines.taken(), desc.depth, desc.masked]).toEqual([[], 1, false]);
  });
});

describe('actions that share a line', () => {
  const NO_SUSPEND = 'warning:  (irq_pm_install_action)';

  it('must agree on NO_SUSPEND, or say COND_SUSPEND', () => {
    const agreeing = requested(IRQF_SHARED | IRQF_NO_SUSPEND);
    share(agreeing, 'two', IRQF_COND_SUSPEND);
    share(agreeing, 'three', IRQF_NO_SUSPEND);
    expect(agreeing.printed).toEqual([]);
    share(agreeing, 'four', 0);
    share(agreeing, 'five', 0);
    expect(agreeing.printed).toEqual([NO_SUSPEND]);
  });

  it('must agree on FORCE_RESUME', () => {
    const lines = requested(IRQF_SHARED);
    share(lines, 'two', IRQF_FORCE_RESUME);
    expect(lines.printed).toEqual([NO_SUSPEND]);
  });

  it('are counted in and out, whatever comes and goes', () => {
    const flags = fc.constantFrom(
      0,
      IRQF_NO_SUSPEND,
      IRQF_COND_SUSPEND,
      IRQF_FORCE_RESUME,
      IRQF_NO_SUSPEND | IRQF_FORCE_RESUME,
    );
    const step = fc.oneof(flags, fc.constant('free' as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const lines = fakeLines();
        const { machine, irq, desc } = lines;
        const there: { name: string; flags: number }[] = [];
        steps.forEach((what, i) => {
          const gone = what === 'free' ? there.shift() : undefined;
          if (gone !== undefined) machine.runTask(() => freeIrq(irq, gone.name));
          if (what === 'free') return;
          there.push({ name: `${i}`, flags: what });
          share(lines, `${i}`, what);
        });
        const having = (flag: number): number => there.filter((action) => (action.flags & flag) !== 0).length;
        expect(desc).toMatchObject({
          noSuspendDepth: having(IRQF_NO_SUSPEND),
          condSuspendDepth: having(IRQF_COND_SUSPEND),
          forceResumeDepth: having(IRQF_FORCE_RESUME),
        });
      }),
    );
  });
});

describe('a line armed for wake-up', () => {
  it('stays enabled; its first interrupt is kept, and handled at resume', () => {
    const lines = requested();
    lines.machine.runTask(() => enableIrqWake(lines.irq));
    suspend(lines);
    expect(lines.desc).toMatchObject({ depth: 0, wakeupArmed: true, suspended: false });
    lines.pulse();
    expect(lines.desc).toMatchObject({ depth: 1, wakeupArmed: false, suspended: true });
    expect(lines.machine.power).toMatchObject({ wakeupIrq: lines.irq, abortSuspend: 1 });
    resume(lines);
    expect(lines.taken()).toEqual(['wake true', 'mask_ack', 'unmask', 'retrigger', 'ack', 'handled']);
  });

  it('keeps its first interrupt also in a flow that keeps none itself', () => {
    const lines = requested();
    lines.desc.handleIrq = handleSimpleIrq;
    lines.machine.runTask(() => enableIrqWake(lines.irq));
    suspend(lines);
    lines.pulse();
    expect(lines.desc).toMatchObject({ depth: 1, pending: true });
    resume(lines);
    expect(lines.taken()).toEqual(['wake true', 'retrigger', 'handled']);
  });

  it('that nothing came on is as before after resume', () => {
    const lines = requested();
    lines.machine.runTask(() => enableIrqWake(lines.irq));
    suspend(lines);
    resume(lines);
    lines.pulse();
    expect(lines.taken()).toEqual(['wake true', 'ack', 'handled']);
    expect(lines.machine.power.wakeupIrq).toBe(0);
  });

  it('can be armed again in the same suspend', () => {
    const lines = requested();
    lines.machine.runTask(() => enableIrqWake(lines.irq));
    suspend(lines);
    lines.pulse();
    lines.machine.runTask(function* () {
      yield* rearmWakeIrq(lines.irq);
      yield* udelay(1);
    });
    // The kept edge is resent, and wakes the machine up once more.
    expect(lines.machine.power).toMatchObject({ abortSuspend: 2, wakeupIrq: lines.irq, secondWakeupIrq: lines.irq });
    resume(lines);
    expect(lines.taken().filter((entry) => entry === 'handled')).toEqual(['handled']);
    expect(lines.desc.depth).toBe(0);
  });

  it('is not armed again where it is not suspended', () => {
    const lines = requested();
    lines.machine.runTask(function* () {
      yield* enableIrqWake(lines.irq);
      yield* disableIrq(lines.irq);
      yield* rearmWakeIrq(lines.irq);
    });
    expect(lines.desc).toMatchObject({ depth: 1, wakeupArmed: false });
  });

  it('is not armed again where it wakes nothing up', () => {
    const lines = requested();
    suspend(lines);
    lines.machine.runTask(() => rearmWakeIrq(lines.irq));
    expect(lines.desc).toMatchObject({ depth: 1, suspended: true, wakeupArmed: false });
  });

  it('is enabled for the suspend at a chip that asks for it, though its owner has disabled it', () => {
    const chip = { flags: IRQCHIP_ENABLE_WAKEUP_ON_SUSPEND };
    const lines = requested(0, { chip });
    lines.machine.runTask(() => enableIrqWake(lines.irq));
    lines.machine.runTask(() => disableIrq(lines.irq));
    suspend(lines);
    expect(lines.desc).toMatchObject({ depth: 0, wakeupArmed: true, enabledOnSuspend: true });
    lines.pulse();
    resume(lines);
    expect(lines.desc).toMatchObject({
      depth: 1,
      wakeupArmed: false,
      enabledOnSuspend: false,
      suspended: false,
      pending: true,
    });
  });
});

describe('irq_set_irq_wake', () => {
  it('nests, calls the chip for the first and the last, and warns of one off too many', () => {
    const lines = requested();
    lines.machine.runTask(function* () {
      for (const on of [true, true, false, false, false]) {
        yield* irqSetIrqWake(lines.irq, on);
        lines.log.push(`${lines.desc.wakeDepth} ${lines.desc.wakeup}`);
      }
    });
    expect(lines.taken()).toEqual(['wake true', '1 true', '2 true', '1 true', 'wake false', '0 false', '0 false']);
    expect(lines.printed).toEqual(['warning: Unbalanced IRQ 1 wake disable (irq_set_irq_wake)']);
  });

  it('throws what the chip says, and has changed nothing then', () => {
    let refusing = true;
    const setWake = (): void => {
      if (refusing) throw new KernelError('EIO', 'no');
    };
    const lines = requested(0, { chip: { setWake } });
    const change = (on: boolean): unknown => thrownBy(() => lines.machine.runTask(() => irqSetIrqWake(lines.irq, on)));
    expect(change(true)).toMatchObject({ code: 'EIO' });
    expect(lines.desc).toMatchObject({ wakeDepth: 0, wakeup: false });
    refusing = false;
    expect(change(true)).toBeUndefined();
    refusing = true;
    expect(change(false)).toMatchObject({ code: 'EIO' });
    expect(lines.desc).toMatchObject({ wakeDepth: 1, wakeup: true });
  });

  it('needs a chip that has the choice, or says that it needs none', () => {
    const without = requested(0, { chip: { setWake: undefined } });
    const error = thrownBy(() => without.machine.runTask(() => enableIrqWake(without.irq)));
    expect(error).toMatchObject({ code: 'ENXIO', message: 'irq 1: fake cannot choose what wakes the machine up' });
    const flags = IRQCHIP_SKIP_SET_WAKE;
    const skipping = requested(0, { chip: { setWake: undefined, flags } });
    skipping.machine.runTask(() => enableIrqWake(skipping.irq));
    expect(skipping.desc.wakeup).toBe(true);
    skipping.machine.runTask(() => disableIrqWake(skipping.irq));
    expect(skipping.desc.wakeup).toBe(false);
  });

  it('refuses an unknown and a per-CPU interrupt', () => {
    const lines = requested();
    lines.desc.settings |= IRQ_PER_CPU_DEVID;
    for (const irq of [lines.irq, 400]) {
      expect(thrownBy(() => lines.machine.runTask(() => enableIrqWake(irq)))).toMatchObject({ code: 'EINVAL' });
    }
  });
});
