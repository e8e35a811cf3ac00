import { describe, expect, it } from 'vitest';
import { nsleep, udelay } from '../time/delay.js';
import { fakeLines } from './fake-line.spec-helper.js';
import { IRQ_DISABLE_UNLAZY, IRQ_HANDLED, IRQF_ONESHOT, IRQF_SHARED } from './flags.js';
import { freeIrq, irqWakeThread } from './manage.js';
import { requestIrq, requestThreadedIrq } from './request.js';
import { handled, requester } from './requester.spec-helper.js';

describe('freeIrq', () => {
  it('returns the name, and warns about what is not there', () => {
    const { machine, irq, printed, request } = requester();
    const free = (devId?: unknown): unknown => machine.runTask(() => freeIrq(irq, devId));
    expect(free('x')).toBeUndefined();
    request({ flags: 0, devId: 'x', name: 'demo' });
    expect([free('y'), free('x'), free('x')]).toEqual([undefined, 'demo', undefined]);
    expect(printed).toEqual(new Array(3).fill(`warning: Trying to free already-free IRQ ${irq} (free_irq)`));
  });

  it('removes the oldest of equal dev_ids, and takes null for none', () => {
    const { machine, irq, request } = requester();
    const free = (devId?: unknown): unknown => machine.runTask(() => freeIrq(irq, devId));
    request({ flags: IRQF_SHARED, devId: 'a', name: 'dup1' });
    request({ flags: IRQF_SHARED, devId: 'a', name: 'dup2' });
    expect([free('a'), free('a')]).toEqual(['dup1', 'dup2']);
    machine.runTask(() => requestIrq(irq, handled, 0, 'none'));
    expect(free(null)).toBe('none');
  });

  it('masks the line with its last action, and brings it up anew with the next', () => {
    const { machine, irq, request, log, desc } = requester();
    request({ flags: IRQF_SHARED, devId: 'a' });
    request({ flags: IRQF_SHARED, devId: 'b' });
    machine.runTask(() => freeIrq(irq, 'a'));
    expect(log).toEqual(['unmask']);
    machine.runTask(() => freeIrq(irq, 'b'));
    expect(log).toEqual(['unmask', 'mask']);
    expect([desc.depth, desc.disabled, desc.masked, desc.started]).toEqual([1, true, true, false]);
    request({ flags: 0 });
    expect([log.length, desc.depth, desc.disabled, desc.masked, desc.started]).toEqual([3, 0, false, false, true]);
  });

  it('gives back what the line had with the last action only, and how it was to be disabled', () => {
    const resources: string[] = [];
    const chip = {
      requestResources: () => void resources.push('requested'),
      releaseResources: () => void resources.push('released'),
    };
    const { machine, irq, request, desc } = requester({ chip });
    request({ flags: IRQF_SHARED, devId: 'a' });
    request({ flags: IRQF_SHARED, devId: 'b' });
    desc.settings |= IRQ_DISABLE_UNLAZY;
    machine.runTask(() => freeIrq(irq, 'a'));
    expect([resources, desc.activated, desc.settings & IRQ_DISABLE_UNLAZY]).toEqual([
      ['requested'],
      true,
      IRQ_DISABLE_UNLAZY,
    ]);
    machine.runTask(() => freeIrq(irq, 'b'));
    expect([resources, desc.activated, desc.settings & IRQ_DISABLE_UNLAZY]).toEqual([
      ['requested', 'released'],
      false,
      0,
    ]);
  });

  it('uses startup and shutdown of a chip that has them', () => {
    const calls: string[] = [];
    const { machine, irq, request, log } = requester({
      chip: { startup: () => calls.push('startup'), shutdown: () => calls.push('shutdown') },
    });
    request({ flags: 0, devId: 1 });
    machine.runTask(() => freeIrq(irq, 1));
    expect([calls, log]).toEqual([['startup', 'shutdown'], []]);
  });

  it('leaves a chained handler alone', () => {
    const { machine, domain, printed } = requester();
    const { irq, started } = domain.setChainedHandler(1, () => 0, 'bank');
    expect(machine.runTask(() => freeIrq(irq, null))).toBeUndefined();
    expect([printed, started, machine.irqs.get(irq).started]).toEqual([
      [`warning: Trying to free already-free IRQ ${irq} (free_irq)`],
      true,
      true,
    ]);
  });

  it('cannot be called in an interrupt', () => {
    const { machine, irq, printed, pulse } = fakeLines();
    machine.runTask(() =>
      requestIrq(
        irq,
        function* () {
          yield* freeIrq(irq);
          return IRQ_HANDLED;
        },
        0,
        'one',
      ),
    );
    pulse();
    expect(printed[0]).toBe(`warning: Trying to free IRQ ${irq} from IRQ context! (free_irq)`);
    expect(printed[1]).toMatch(/^emerg: BUG: sleeping function called from invalid context at [\s\S]*called: free_irq/);
    expect(printed.at(-1)).toMatch(/^alert: Oops: exception in handler one/);
    expect(machine.irqs.get(irq).actions.length).toBe(1);
  });
});

describe('requests and frees of one line', () => {
  it('wait for each other', () => {
    const { machine, irq, log, taken, at } = fakeLines({ cpus: 2 });
    const threadFn = function* () {
      yield* nsleep(50_000);
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestThreadedIrq(irq, null, threadFn, IRQF_ONESHOT | IRQF_SHARED, 'one', 'one'));
    taken();
    machine.spawn('free', function* () {
      irqWakeThread(irq, 'one');
      yield* freeIrq(irq, 'one');
      at('freed');
    });
    machine.spawn('request', function* () {
      yield* udelay(1);
      yield* requestIrq(irq, handled, 0, 'two', 'two');
      at('requested');
    });
    machine.advance(1_000_000);
    // The second finds a line that is free, and not one that is on its way to be.
    expect(log).toEqual(['mask', '50 free freed', 'unmask', '50 request requested']);
  });
});
