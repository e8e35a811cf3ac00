import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import { Mutex, mutexLock, mutexUnlock } from '../locking/mutex.js';
import { type Coroutine, DONE, type Outcome } from '../sched/coroutine.js';
import { nsleep, udelay } from '../time/delay.js';
import { type FakeLines, fakeLines } from './fake-line.spec-helper.js';
import {
  IRQ_HANDLED,
  IRQ_WAKE_THREAD,
  IRQF_COND_ONESHOT,
  IRQF_NO_AUTOEN,
  IRQF_NO_THREAD,
  IRQF_ONESHOT,
  IRQF_SHARED,
  type IrqReturn,
} from './flags.js';
import { handleFasteoiIrq, handleLevelIrq } from './flow.js';
import type { IrqChip } from './irqdesc.js';
import { disableIrq, disableIrqNosync, enableIrq, freeIrq, irqWakeThread } from './manage.js';
import { requestThreadedIrq } from './request.js';
import { synchronizeIrq } from './synchronize.js';

const US = 1_000;

/** One request, and what its functions do. Times are in µs. */
interface Asked {
  readonly flags: number;
  readonly primaryUs: number | undefined;
  readonly threadUs: number | undefined;
}

type Step =
  | { readonly do: 'request'; readonly asked: Asked }
  | { readonly do: 'free' | 'wake'; readonly which: number }
  | { readonly do: 'disable' | 'disable and wait' | 'enable' | 'synchronize' }
  | { readonly do: 'interrupt'; readonly cpu: number }
  | { readonly do: 'wait'; readonly us: number };

const us = fc.integer({ min: 0, max: 60 });
const flags = fc
  .subarray([IRQF_ONESHOT, IRQF_COND_ONESHOT, IRQF_NO_THREAD])
  .chain((some) =>
    fc.constantFrom(IRQF_SHARED, IRQF_SHARED, IRQF_SHARED, IRQF_NO_AUTOEN, 0).map((one) => [one, ...some]),
  )
  .map((all) => all.reduce((sum, flag) => sum | flag, 0));

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('interrupt' as const), cpu: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), us }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('request' as const),
      asked: fc.record({
        flags,
        primaryUs: fc.option(us, { nil: undefined }),
        threadUs: fc.option(us, { nil: undefined }),
      }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('free' as const, 'wake' as const), which: fc.nat(5) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'disable' as const,
        'disable and wait' as const,
        'enable' as const,
        'enable' as const,
        'synchronize' as const,
      ),
    }),
  },
);

const machines = fc.record({
  cpus: fc.integer({ min: 1, max: 4 }),
  threadirqs: fc.boolean(),
  flow: fc.constantFrom('edge' as const, 'level' as const, 'fasteoi' as const),
  bus: fc.boolean(),
});

/** A level at the pad: it comes again whenever the line is unmasked, until somebody has dealt with it. */
class Level {
  asserted = false;
  /** It was delivered while a ONESHOT thread had not dealt with the last one. */
  overlapped = false;
  #mayOverlap = false;
  readonly #lines: () => FakeLines;

  constructor(lines: () => FakeLines) {
    this.#lines = lines;
  }

  /** enable_irq unmasks the line, and irq_wake_thread does not mask it, whatever its threads are at; so does Linux. */
  mayOverlap(): void {
    this.#mayOverlap = true;
  }

  assert(cpu: number): void {
    this.asserted = true;
    this.#lines().machine.cpus[cpu]?.callFunction(() => this.#deliver());
  }

  #deliver(): Outcome {
    const { desc } = this.#lines();
    if (!this.asserted || desc.masked) return DONE;
    if (desc.threadsOneshot === 0 && !desc.inProgress) this.#mayOverlap = false;
    if (desc.threadsOneshot > 0 && !this.#mayOverlap) this.overlapped = true;
    return desc.handleIrq(desc);
  }

  /** The line was unmasked. */
  again(): void {
    if (this.asserted) this.#lines().machine.bootCpu.callFunction(() => this.#deliver());
  }
}

/** A bus that is locked with a mutex, and takes its time to be written to. */
function sleepingBus(): Pick<IrqChip, 'busLock' | 'busSyncUnlock'> {
  const lock = new Mutex('bus');
  return {
    *busLock() {
      yield* mutexLock(lock);
    },
    *busSyncUnlock() {
      yield* nsleep(5 * US);
      mutexUnlock(lock);
    },
  };
}

/** How a machine and its line are made. */
type Made = typeof machines extends fc.Arbitrary<infer T> ? T : never;

/** A line under a random program, which notes what must not happen. */
class Run {
  readonly wrong: string[] = [];
  readonly #lines: FakeLines;
  readonly #level: Level | undefined;
  readonly #live: { freed: boolean }[] = [];
  #left = 0;

  constructor({ cpus, threadirqs, flow, bus }: Made) {
    const level = flow === 'edge' ? undefined : new Level(() => this.#lines);
    this.#level = level;
    this.#lines = fakeLines({
      cpus,
      // A forced thread has interrupts off where it would have to wait for the bus; lines behind one are nested, and have none.
      machine: { threadirqs: threadirqs && !bus },
      chip: { ...(level === undefined ? {} : { unmask: () => level.again() }), ...(bus ? sleepingBus() : {}) },
    });
    if (flow === 'level') this.#lines.desc.handleIrq = handleLevelIrq;
    if (flow === 'fasteoi') this.#lines.desc.handleIrq = handleFasteoiIrq;
  }

  #note(wrong: boolean, what: string): void {
    if (wrong) this.wrong.push(what);
  }

  /** Does something that may wait, in a task of its own. */
  #task(body: () => Coroutine<void>): void {
    this.#left++;
    this.#lines.machine.spawn('task', () => this.#guarded(body));
  }

  *#guarded(body: () => Coroutine<void>): Coroutine<void> {
    try {
      yield* body();
    } catch (error) {
      if (!(error instanceof KernelError) || (error.code !== 'EBUSY' && error.code !== 'EINVAL')) throw error;
    } finally {
      this.#left--;
    }
  }

  *#request({ flags, primaryUs, threadUs }: Asked): Coroutine<void> {
    const { irq } = this.#lines;
    const dev = { freed: false };
    const level = this.#level;
    const dealtWith = (): void => {
      if (level !== undefined) level.asserted = false;
      this.#note(dev.freed, 'a function ran after free_irq');
    };
    const primary = (): IrqReturn | Coroutine<IrqReturn> => {
      this.#note(dev.freed, 'a handler ran after free_irq');
      // Without ONESHOT the thread would come too late: the level would be back at once.
      if (threadUs === undefined || (flags & IRQF_ONESHOT) === 0) dealtWith();
      const answer = threadUs === undefined ? IRQ_HANDLED : IRQ_WAKE_THREAD;
      return primaryUs === 0 ? answer : busy(primaryUs ?? 0, answer);
    };
    const threadFn = function* (): Coroutine<IrqReturn> {
      yield* nsleep((threadUs ?? 0) * US);
      dealtWith();
      return IRQ_HANDLED;
    };
    const handler = primaryUs === undefined ? null : primary;
    yield* requestThreadedIrq(irq, handler, threadUs === undefined ? null : threadFn, flags, 'dev', dev);
    this.#live.push(dev);
  }

  *#free(which: number): Coroutine<void> {
    const dev = this.#live[which];
    if (dev === undefined) return;
    if ((yield* freeIrq(this.#lines.irq, dev)) !== undefined) dev.freed = true;
    this.#live.splice(this.#live.indexOf(dev), 1);
  }

  do(step: Step): void {
    this.#do(step);
    const { desc } = this.#lines;
    this.#note(desc.depth < 0, 'the depth is negative');
    this.#note(desc.threadsActive < 0 || desc.threadsOneshot < 0, 'more threads are done than were woken');
  }

  #do(step: Step): void {
    const { machine, irq, desc } = this.#lines;
    switch (step.do) {
      case 'request':
        this.#task(() => this.#request(step.asked));
        break;
      case 'free':
        this.#task(() => this.#free(step.which));
        break;
      case 'wake':
        this.#level?.mayOverlap();
        machine.runTask(() => irqWakeThread(irq, this.#live[step.which]));
        break;
      case 'disable':
        machine.runTask(() => disableIrqNosync(irq));
        break;
      case 'disable and wait':
        this.#task(() => disableIrq(irq));
        break;
      case 'synchronize':
        this.#task(() => synchronizeIrq(irq));
        break;
      case 'enable':
        // A line without actions can be enabled too; a request with NO_AUTOEN then finds it so, and says that it is not.
        this.#level?.mayOverlap();
        if (desc.actions.length > 0) machine.runTask(() => enableIrq(irq));
        break;
      case 'interrupt':
        this.#interrupt(step.cpu % machine.cpus.length);
        break;
      case 'wait':
        machine.advance(step.us * US);
        break;
    }
  }

  #interrupt(cpu: number): void {
    if (this.#level === undefined) this.#lines.pulse(3, cpu);
    else this.#level.assert(cpu);
  }

  /** Everything comes to rest. */
  end(): void {
    const { machine, desc } = this.#lines;
    machine.advance(1_000_000 * US);
    this.#note(this.#level?.overlapped === true, 'a level came before the ONESHOT thread of the last one was done');
    this.#note(this.#left > 0, 'somebody waits for ever');
    const reports = this.#lines.printed.filter((text) => /BUG|possible|inconsistent|Oops/.test(text));
    this.wrong.push(...reports);
    this.#note(desc.inProgress || desc.threadsActive > 0, 'something runs for ever');
    this.#note(desc.threadsOneshot > 0, 'a ONESHOT bit is left');
    this.#note(desc.disabled !== desc.depth > 0, 'it is disabled, and its depth says otherwise');
    this.#note(desc.actions.length > 0 && !desc.disabled && desc.masked, 'it stays masked');
  }
}

function* busy(forUs: number, answer: IrqReturn): Coroutine<IrqReturn> {
  yield* udelay(forUs);
  return answer;
}

describe('a line under any program of requests, frees, disables, enables and interrupts', () => {
  it('runs nothing behind free_irq, nothing beside its ONESHOT threads, and comes to rest as it should', () => {
    fc.assert(
      fc.property(machines, fc.array(step, { minLength: 5, maxLength: 40 }), (machine, steps) => {
        const run = new Run(machine);
        for (const one of steps) run.do(one);
        run.end();
        expect(run.wrong).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('handles, keeps or counts as merged each of its edges', () => {
    const edges = fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant('interrupt' as const), cpu: fc.nat(3) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('disable' as const, 'enable' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), us }) },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), us, fc.array(edges, { maxLength: 40 }), (cpus, primaryUs, steps) => {
        const { machine, irq, desc, pulse, log } = fakeLines({ cpus });
        let walks = 0;
        const handler = (): Coroutine<IrqReturn> => {
          walks++;
          return busy(primaryUs, IRQ_HANDLED);
        };
        machine.runTask(() => requestThreadedIrq(irq, handler, null, 0, 'dev'));
        for (const one of steps) {
          if (one.do === 'interrupt') pulse(3, one.cpu % cpus);
          else if (one.do === 'wait') machine.advance(one.us * US);
          else if (one.do === 'disable') machine.runTask(() => disableIrqNosync(irq));
          else if (desc.depth > 0) machine.runTask(() => enableIrq(irq));
        }
        machine.advance(100_000 * US);
        const interrupts = steps.filter((one) => one.do === 'interrupt').length;
        const arrived = interrupts - log.filter((entry) => entry === 'blocked').length;
        expect(walks + desc.coalesced + (desc.pending ? 1 : 0)).toBe(arrived);
      }),
      { numRuns: 100 },
    );
  });
});
