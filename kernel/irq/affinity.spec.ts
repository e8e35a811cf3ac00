import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import { Machine } from '../machine.js';
import type { Arch, MachineOptions } from '../machine-options.js';
import { preemptCount } from '../sched/current.js';
import { msleep } from '../time/delay.js';
import {
  irqCanSetAffinity,
  irqForceAffinity,
  irqMoveIrq,
  irqMoveMaskedIrq,
  irqSetAffinity,
  irqSetAffinityAndHint,
  irqSetAffinityHint,
  irqUpdateAffinityHint,
} from './affinity.js';
import { handledAfter, thrownBy } from './fake-line.spec-helper.js';
import {
  IRQ_MOVE_PCNTXT,
  IRQ_NO_BALANCING,
  IRQ_PER_CPU,
  IRQ_PER_CPU_DEVID,
  IRQCHIP_AFFINITY_PRE_STARTUP,
  IRQF_NO_AUTOEN,
  IRQF_NOBALANCING,
  IRQF_ONESHOT,
} from './flags.js';
import { handleEdgeIrq } from './flow.js';
import type { IrqChip, IrqDesc } from './irqdesc.js';
import { IrqDomain } from './irqdomain.js';
import { enableIrq, freeIrq } from './manage.js';
import { requestIrq, requestThreadedIrq } from './request.js';

const ACK_MOVES = Symbol('acknowledging moves the line');

interface SetUp extends MachineOptions {
  readonly chip?: { readonly [K in keyof IrqChip]?: IrqChip[K] | undefined };
  /** The chip can move a line in its own interrupt only. */
  readonly [ACK_MOVES]?: boolean;
}

/** A line of a machine with four CPUs, on a chip that sends interrupts to the first CPU it may. */
function line({ chip = {}, [ACK_MOVES]: ackMoves = false, ...options }: SetUp = {}) {
  const log: string[] = [];
  const printed: string[] = [];
  const machine = new Machine({ cpus: 4, printk: (_level, text) => printed.push(text), ...options });
  const domain: IrqDomain = new IrqDomain(machine, {
    name: 'fake',
    size: 4,
    flow: handleEdgeIrq,
    chip: {
      name: 'fake',
      ack: (desc: IrqDesc) => {
        if (ackMoves) irqMoveIrq(desc);
      },
      mask: () => log.push('mask'),
      unmask: () => log.push('unmask'),
      setAffinity: (_desc: IrqDesc, mask: number, force: boolean) => {
        log.push(`affinity ${mask.toString(2)}${force ? ' force' : ''}`);
        return mask & -mask;
      },
      ...chip,
    } as IrqChip,
  });
  const irq = domain.createMapping(0);
  const desc = machine.irqs.get(irq);
  const request = (flags = 0): void => {
    machine.runTask(() =>
      requestIrq(
        irq,
        handledAfter(() => log.push('handler')),
        flags,
        'dev',
      ),
    );
  };
  const pulse = (cpu = 0): void => machine.cpus[cpu]?.callFunction(() => domain.handle(0));
  const call = (fn: () => void): void => machine.runTask(fn);
  const refusal = (fn: () => void): unknown => thrownBy(() => call(fn));
  const taken = (): string[] => log.splice(0);
  return { machine, irq, desc, request, pulse, call, refusal, taken, printed, log };
}

describe('a line that is started', () => {
  it('has its CPUs chosen once, behind its start-up, or before it on a chip that asks for that', () => {
    for (const [flags, order] of [
      [0, ['unmask', 'affinity 1111']],
      [IRQCHIP_AFFINITY_PRE_STARTUP, ['affinity 1111', 'unmask']],
    ] as const) {
      const { request, taken } = line({ chip: { flags } });
      request();
      expect(taken()).toEqual(order);
    }
  });

  it('goes to the CPUs that are the default, after it was started', () => {
    const { request, taken, desc } = line({ irqaffinity: '1-2' });
    request();
    expect(taken()).toEqual(['unmask', 'affinity 111']);
    expect([desc.affinity, desc.effectiveAffinity]).toEqual([0b111, 0b001]);
  });

  it('goes where it was sent before, also over a free and a new request', () => {
    const { machine, irq, request, call, taken, desc } = line();
    call(() => irqSetAffinity(irq, 0b1100));
    request();
    machine.runTask(() => freeIrq(irq));
    request();
    expect(taken().filter((text) => text.startsWith('affinity'))).toEqual([
      'affinity 1100',
      'affinity 1100',
      'affinity 1100',
    ]);
    expect(desc.effectiveAffinity).toBe(0b0100);
  });

  it('that was forced to CPUs which are not there goes to the default ones again', () => {
    const { irq, request, call, taken, desc } = line();
    call(() => irqForceAffinity(irq, 0b1_0000));
    expect(taken()).toEqual(['affinity 10000 force']);
    request();
    expect(taken()).toEqual(['unmask', 'affinity 1111']);
    expect(desc.affinitySet).toBe(false);
  });

  it('is asked with the locks that the kernel holds then', () => {
    const counts: number[] = [];
    const chip = {
      setAffinity: (_desc: IrqDesc, mask: number) => {
        counts.push(preemptCount());
        return mask;
      },
    };
    const { irq, request, call } = line({ chip });
    request();
    call(() => irqSetAffinity(irq, 1));
    // Recorded from Linux 6.12: pc [2, 0, 0] at start-up; the line's lock alone otherwise.
    expect(counts).toEqual([2, 1]);
  });

  it('works where it is when the chip refuses', () => {
    const chip = {
      setAffinity: () => {
        throw new KernelError('EINVAL', 'no');
      },
    };
    const { request, pulse, taken } = line({ chip });
    request();
    pulse();
    expect(taken()).toEqual(['unmask', 'handler']);
  });

  it('is left where it is when it was requested to stay', () => {
    const { irq, request, call, taken } = line();
    request(IRQF_NOBALANCING);
    expect(taken()).toEqual(['unmask']);
    call(() => expect(irqCanSetAffinity(irq)).toBe(false));
  });

  it('without autoenable is sent when it is enabled', () => {
    const { irq, request, call, taken } = line();
    request(IRQF_NO_AUTOEN);
    expect(taken()).toEqual([]);
    call(() => enableIrq(irq));
    expect(taken()).toEqual(['unmask', 'affinity 1111']);
  });
});

describe('whether a line can be sent', () => {
  it('is a matter of its chip and of its flags', () => {
    const { machine, irq, desc, call } = line();
    const can = (): boolean => machine.runTask(() => irqCanSetAffinity(irq));
    expect(can()).toBe(true);
    for (const flag of [IRQ_NO_BALANCING, IRQ_PER_CPU]) {
      desc.settings = flag;
      expect(can()).toBe(false);
    }
    call(() => expect(irqCanSetAffinity(99)).toBe(false));
    const without = line({ chip: { setAffinity: undefined } });
    without.call(() => expect(irqCanSetAffinity(without.irq)).toBe(false));
  });
});

describe('irqSetAffinity', () => {
  it('keeps what was asked for, gives the chip what is there, and knows where it goes', () => {
    const { irq, call, desc, taken } = line();
    call(() => irqSetAffinity(irq, 0b11_0110));
    expect(taken()).toEqual(['affinity 110']);
    expect([desc.affinity, desc.effectiveAffinity]).toEqual([0b11_0110, 0b0010]);
  });

  it.each([
    ['an unknown line', () => irqSetAffinity(99, 1)],
    ['a mask without a CPU that is there', () => irqSetAffinity(1, 0b10_0000)],
    ['an empty mask', () => irqSetAffinity(1, 0)],
  ])('refuses %s', (_what, fn) => expect(line().refusal(fn)).toMatchObject({ code: 'EINVAL' }));

  it('refuses a chip that cannot, and passes on what it says', () => {
    const without = line({ chip: { setAffinity: undefined } });
    expect(without.refusal(() => irqSetAffinity(without.irq, 1))).toMatchObject({ code: 'EINVAL' });
    const busy = line({
      chip: {
        setAffinity: () => {
          throw new KernelError('EBUSY', 'later');
        },
      },
    });
    expect(busy.refusal(() => irqSetAffinity(busy.irq, 1))).toMatchObject({ code: 'EBUSY' });
    expect(busy.desc.affinity).toBe(0b1111);
  });

  it('warns once of a chip that sends interrupts nowhere', () => {
    const { irq, call, printed } = line({ chip: { setAffinity: () => 0 } });
    call(() => irqSetAffinity(irq, 1));
    call(() => irqSetAffinity(irq, 2));
    expect(printed).toEqual([`genirq: irq_chip fake did not update eff. affinity mask of irq ${irq}`]);
  });

  it('lets the threads of the line follow to where its interrupts go', () => {
    const { machine, irq, call, pulse } = line();
    const ran: number[] = [];
    const thread = handledAfter(() =>
      ran.push(machine.cpus.findIndex(({ current }) => current.comm.startsWith('irq/'))),
    );
    machine.runTask(() => requestThreadedIrq(irq, null, thread, IRQF_ONESHOT, 'dev'));
    const [action] = machine.irqs.get(irq).actions;
    expect(action?.thread?.cpusAllowed).toBe(0b0001);
    call(() => irqSetAffinity(irq, 0b1100));
    machine.advance(1_000_000);
    expect(action?.thread?.cpusAllowed).toBe(0b0100);
    pulse(2);
    machine.advance(1_000_000);
    expect(ran).toEqual([2]);
  });
});

describe('a hint', () => {
  it('is shown, and followed when it is to be', () => {
    const { irq, call, desc, taken } = line();
    call(() => irqUpdateAffinityHint(irq, 0b0010));
    expect([desc.affinityHint, desc.affinity]).toEqual([0b0010, 0b1111]);
    call(() => irqSetAffinityAndHint(irq, 0b0100));
    expect([desc.affinityHint, desc.affinity]).toEqual([0b0100, 0b0100]);
    call(() => irqSetAffinityHint(irq, null));
    expect([desc.affinityHint, desc.affinity]).toEqual([0, 0b0100]);
    expect(taken()).toEqual(['affinity 100']);
  });

  it('that cannot be followed stays a hint', () => {
    const { irq, call, desc } = line({ chip: { setAffinity: undefined } });
    call(() => irqSetAffinityAndHint(irq, 0b0100));
    expect(desc.affinityHint).toBe(0b0100);
  });

  it('is refused for an unknown line, and for one that each CPU has', () => {
    const { irq, desc, refusal } = line();
    expect(refusal(() => irqUpdateAffinityHint(99, 1))).toMatchObject({ code: 'EINVAL' });
    desc.settings |= IRQ_PER_CPU_DEVID;
    expect(refusal(() => irqUpdateAffinityHint(irq, 1))).toMatchObject({ code: 'EINVAL' });
  });
});

describe('on x86, a line', () => {
  const arch: Arch = 'x86';

  it('is moved in its next interrupt, masked meanwhile', () => {
    const { irq, request, call, pulse, taken, desc } = line({ arch, [ACK_MOVES]: true });
    request();
    taken();
    call(() => irqSetAffinity(irq, 0b1000));
    expect(taken()).toEqual([]);
    expect([desc.movePending, desc.effectiveAffinity]).toEqual([true, 0b0001]);
    pulse();
    expect(taken()).toEqual(['mask', 'affinity 1000', 'unmask', 'handler']);
    expect([desc.movePending, desc.effectiveAffinity]).toEqual([false, 0b1000]);
    pulse(3);
    expect(taken()).toEqual(['handler']);
  });

  it('goes to the last of several places', () => {
    const { irq, request, call, pulse, desc } = line({ arch, [ACK_MOVES]: true });
    request();
    call(() => irqSetAffinity(irq, 0b1000));
    call(() => irqSetAffinity(irq, 0b0010));
    pulse();
    expect(desc.effectiveAffinity).toBe(0b0010);
  });

  it('is moved at once when its chip can do that', () => {
    const { irq, desc, call, taken } = line({ arch });
    desc.settings |= IRQ_MOVE_PCNTXT;
    call(() => irqSetAffinity(irq, 0b1000));
    expect(taken()).toEqual(['affinity 1000']);
  });

  it('whose chip is busy is moved in a later interrupt', () => {
    let busy = 2;
    const chip = {
      setAffinity: (_desc: IrqDesc, mask: number) => {
        if (busy-- > 0) throw new KernelError('EBUSY', 'later');
        return mask;
      },
    };
    const { irq, desc, call } = line({ arch, chip });
    desc.settings |= IRQ_MOVE_PCNTXT;
    call(() => irqSetAffinity(irq, 0b1000));
    expect(desc.movePending).toBe(true);
    irqMoveMaskedIrq(desc);
    expect(desc.movePending).toBe(true);
    irqMoveMaskedIrq(desc);
    expect([desc.movePending, desc.pendingMask, desc.affinity]).toEqual([false, 0, 0b1000]);
  });

  it('waits for a move that is pending, also if its chip could move it at once', () => {
    const { irq, desc, call, taken } = line({ arch });
    call(() => irqSetAffinity(irq, 0b1000));
    desc.settings |= IRQ_MOVE_PCNTXT;
    call(() => irqSetAffinity(irq, 0b0010));
    expect([taken(), desc.pendingMask]).toEqual([[], 0b0010]);
  });

  it('that is masked already stays so while it is moved', () => {
    const { irq, request, call, taken, desc } = line({ arch });
    request();
    call(() => irqSetAffinity(irq, 0b1000));
    desc.masked = true;
    taken();
    irqMoveIrq(desc);
    expect(taken()).toEqual(['affinity 1000']);
  });

  it('that is disabled is not moved before it is enabled', () => {
    const { irq, desc, call, taken } = line({ arch });
    call(() => irqSetAffinity(irq, 0b1000));
    irqMoveIrq(desc);
    expect([desc.movePending, taken()]).toEqual([true, []]);
  });

  it('that stays on its CPU is warned of', () => {
    const { irq, desc, call, printed } = line({ arch });
    call(() => irqSetAffinity(irq, 0b1000));
    desc.settings |= IRQ_PER_CPU;
    irqMoveMaskedIrq(desc);
    expect(printed.join()).toContain('irq_move_masked_irq');
    expect(desc.movePending).toBe(false);
  });
});

describe('wherever it is sent', () => {
  it('each edge is handled once, and the thread runs where the interrupts go', () => {
    const step = fc.record({ mask: fc.integer({ min: 1, max: 15 }), pulses: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const { machine, irq, call, pulse, desc } = line();
        let runs = 0;
        let astray = 0;
        const thread = function* () {
          yield* msleep(1);
          const { cpu } = machine.irqs.get(irq).actions[0]?.thread ?? {};
          if ((desc.effectiveAffinity & (1 << (cpu?.id ?? 0))) === 0) astray++;
          runs++;
          return 1 as const;
        };
        machine.runTask(() => requestThreadedIrq(irq, null, thread, IRQF_ONESHOT, 'dev'));
        let pulses = 0;
        for (const { mask, pulses: more } of steps) {
          call(() => irqSetAffinity(irq, mask));
          machine.advance(1_000_000);
          const cpu = Math.log2(desc.effectiveAffinity);
          for (let i = 0; i < more; i++) {
            pulse(cpu);
            machine.advance(20_000_000);
          }
          pulses += more;
        }
        expect([runs, astray, desc.total]).toEqual([pulses, 0, pulses]);
      }),
      { numRuns: 40 },
    );
  });
});
