import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import type { Coroutine } from '../sched/coroutine.js';
import { fakeLines } from './fake-line.spec-helper.js';
import {
  IRQ_HANDLED,
  IRQF_COND_ONESHOT,
  IRQF_COND_SUSPEND,
  IRQF_NO_AUTOEN,
  IRQF_NO_SUSPEND,
  IRQF_ONESHOT,
  IRQF_PERCPU,
  IRQF_SHARED,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_RISING,
  type IrqReturn,
} from './flags.js';
import { freeIrq } from './manage.js';
import { requestThreadedIrq } from './request.js';

const EBUSY = -16;
const EINVAL = -22;

/** The action that is on the line when the request comes. */
interface Existing {
  readonly flags: number;
  readonly thread: boolean;
  /** Firmware, or a second sharer, had fixed the trigger type. */
  readonly typeFixed?: boolean;
}

interface Asked {
  readonly flags: number;
  readonly trigger: number;
  readonly dev: boolean;
  readonly handler: boolean;
  readonly thread: boolean;
}

interface Rule {
  readonly errno: number;
  readonly applies: (asked: Asked, existing: Existing | undefined) => boolean;
}

const has = (flags: number, flag: number): boolean => (flags & flag) !== 0;

/** Whether the request is ONESHOT in the end: it can take that over from the first. */
function oneshot({ flags }: Asked, existing: Existing | undefined): boolean {
  const first = existing !== undefined && has(existing.flags, IRQF_ONESHOT);
  return has(flags, IRQF_ONESHOT) || (first && has(flags, IRQF_COND_ONESHOT));
}

/** What Linux refuses, in its order; the first that applies counts. */
const RULES: readonly Rule[] = [
  { errno: EINVAL, applies: ({ flags, dev }) => has(flags, IRQF_SHARED) && !dev },
  { errno: EINVAL, applies: ({ flags }) => has(flags, IRQF_SHARED) && has(flags, IRQF_NO_AUTOEN) },
  { errno: EINVAL, applies: ({ flags }) => has(flags, IRQF_COND_SUSPEND) && !has(flags, IRQF_SHARED) },
  { errno: EINVAL, applies: ({ flags }) => has(flags, IRQF_COND_SUSPEND) && has(flags, IRQF_NO_SUSPEND) },
  { errno: EINVAL, applies: ({ handler, thread }) => !handler && !thread },
  {
    errno: EBUSY,
    applies: ({ flags }, first) => first !== undefined && !(has(flags, IRQF_SHARED) && has(first.flags, IRQF_SHARED)),
  },
  {
    errno: EBUSY,
    applies: ({ trigger }, first) => first?.typeFixed === true && trigger !== 0 && trigger !== (first.flags & 0xf),
  },
  {
    errno: EBUSY,
    applies: (asked, first) => first !== undefined && oneshot(asked, first) !== has(first.flags, IRQF_ONESHOT),
  },
  {
    errno: EBUSY,
    applies: ({ flags }, first) => first !== undefined && has(flags, IRQF_PERCPU) !== has(first.flags, IRQF_PERCPU),
  },
  { errno: EINVAL, applies: (asked, first) => !asked.handler && !oneshot(asked, first) },
];

function expected(asked: Asked, existing: Existing | undefined): number {
  return RULES.find(({ applies }) => applies(asked, existing))?.errno ?? 0;
}

const FLAGS = [
  IRQF_SHARED,
  IRQF_ONESHOT,
  IRQF_PERCPU,
  IRQF_NO_AUTOEN,
  IRQF_COND_SUSPEND,
  IRQF_NO_SUSPEND,
  IRQF_COND_ONESHOT,
];

function* cells(): Generator<Asked> {
  for (let bits = 0; bits < 1 << FLAGS.length; bits++) {
    const flags = FLAGS.reduce((all, flag, i) => ((bits & (1 << i)) === 0 ? all : all | flag), 0);
    for (const trigger of [0, IRQF_TRIGGER_RISING, IRQF_TRIGGER_FALLING]) {
      for (const dev of [true, false]) {
        for (const functions of [0, 1, 2, 3]) {
          yield { flags, trigger, dev, handler: (functions & 1) !== 0, thread: (functions & 2) !== 0 };
        }
      }
    }
  }
}

const handled = (): IrqReturn => IRQ_HANDLED;

function* errnoOf(effect: Coroutine<unknown>): Coroutine<number> {
  try {
    yield* effect;
    return 0;
  } catch (error) {
    if (error instanceof KernelError) return error.errno;
    throw error;
  }
}

/** The cells in which a request does not come out as the rules say, each on a line of its own. */
function differences(existing: Existing | undefined): string[] {
  const { machine, domain } = fakeLines({ machine: { lockdep: false } });
  const wrong: string[] = [];
  machine.runTask(function* () {
    for (const asked of cells()) {
      const irq = domain.createMapping(5);
      if (existing !== undefined) {
        yield* requestThreadedIrq(irq, handled, existing.thread ? handled : null, existing.flags, 'first', 'first');
        machine.irqs.get(irq).typeFixed = existing.typeFixed ?? false;
      }
      const { flags, trigger, dev, handler, thread } = asked;
      const devId = dev ? 'second' : null;
      const errno = yield* errnoOf(
        requestThreadedIrq(irq, handler ? handled : null, thread ? handled : null, flags | trigger, 'second', devId),
      );
      const wanted = expected(asked, existing);
      if (errno !== wanted) wrong.push(`${JSON.stringify(asked)}: ${errno}, not ${wanted}`);
      if (errno === 0) yield* freeIrq(irq, devId);
      if (existing !== undefined) yield* freeIrq(irq, 'first');
      domain.disposeMapping(5);
    }
  });
  return wrong;
}

describe('each combination of flags, trigger type, dev_id and functions', () => {
  const S = IRQF_SHARED;
  it.each<[string, Existing | undefined]>([
    ['on a free line', undefined],
    ['on a line that is taken', { flags: 0, thread: false }],
    ['on a shared line', { flags: S, thread: false }],
    ['on a shared line with a trigger type', { flags: S | IRQF_TRIGGER_RISING, thread: false }],
    ['on a shared line with a fixed one', { flags: S | IRQF_TRIGGER_RISING, thread: false, typeFixed: true }],
    ['on a shared ONESHOT line', { flags: S | IRQF_ONESHOT, thread: true }],
    ['on a shared per-CPU line', { flags: S | IRQF_PERCPU, thread: false }],
  ])('%s is granted or refused as Linux does', (_, existing) => {
    expect(differences(existing)).toEqual([]);
  });
});
