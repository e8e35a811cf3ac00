// Telling drivers that their lines were sent to other CPUs (irq_set_affinity_notifier in kernel/irq/manage.c).
import { KernelError } from '../errno.js';
import { mightSleep } from '../sched/core.js';
import type { Coroutine, Process } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { effect, finish } from '../sched/effect.js';
import { cancelWorkSync } from '../workqueue/cancel.js';
import { scheduleWork } from '../workqueue/queue.js';
import { Work } from '../workqueue/work.js';
import type { AffinityListener, IrqDesc } from './irqdesc.js';

/** Who wants to know of changes of a line's affinity (struct irq_affinity_notify). */
export interface IrqAffinityNotify {
  /** Told in a kworker, once for several changes in a row. `mask` is the affinity as it is then. Process context. */
  notify(irq: number, mask: number): Process<unknown>;
  /** Called when it has been replaced or taken away, and is told nothing any more. Process context. */
  release?(): Process<unknown>;
}

class AffinityNotifier implements AffinityListener {
  readonly work: Work;
  readonly #notify: IrqAffinityNotify;

  constructor(desc: IrqDesc, notify: IrqAffinityNotify) {
    this.#notify = notify;
    const mask = (): number => (desc.movePending ? desc.pendingMask : desc.affinity);
    this.work = new Work(() => notify.notify(desc.irq, mask()), 'irq_affinity_notify');
  }

  changed(): void {
    scheduleWork(this.work);
  }

  /** What is due is not told any more, and what is being told comes to its end. */
  *end(): Coroutine<void> {
    yield* cancelWorkSync(this.work);
    yield* finish(this.#notify.release?.());
  }
}

/**
 * Has `notify` told of each change of a line's affinity, in place of whoever was told before; null for nobody
 * (irq_set_affinity_notifier). To be taken away before the line is freed. Process context. `EINVAL` for an unknown irq, and
 * for what has no `notify()`.
 *
 * ```ts
 * yield* irqSetAffinityNotifier(irq, { notify: (_irq, mask) => moveBuffersTo(mask) });
 * ```
 */
export const irqSetAffinityNotifier = effect(function* irqSetAffinityNotifier(
  irq: number,
  notify: IrqAffinityNotify | null,
) {
  mightSleep('irq_set_affinity_notifier');
  const desc = thisCpu().machine.irqs.get(irq);
  if (notify !== null && typeof notify?.notify !== 'function') {
    throw new KernelError('EINVAL', `irq ${irq}: who is to be told has a function notify()`, {
      hint: 'null for nobody',
    });
  }
  const old = desc.affinityNotify;
  desc.affinityNotify = notify === null ? undefined : new AffinityNotifier(desc, notify);
  if (old !== undefined) yield* old.end();
});
