// Interrupts that are freed with the device that they were requested for (kernel/irq/devres.c).
import type { Device } from '../base/device.js';
import { devresAdd, devresRemove } from '../base/devres.js';
import type { Coroutine } from '../sched/coroutine.js';
import { effect } from '../sched/effect.js';
import type { IrqHandler, IrqThreadFn } from './irqdesc.js';
import { freeIrq } from './manage.js';
import { requestAnyContextIrq, requestThreadedIrq, withCondOneshot } from './request.js';

/** Which request a resource stands for. */
class IrqDevres {
  readonly irq: number;
  readonly devId: unknown;

  constructor(irq: number, devId: unknown) {
    this.irq = irq;
    this.devId = devId;
  }

  matches(irq: number, devId: unknown): boolean {
    return this.irq === irq && (this.devId ?? null) === (devId ?? null);
  }
}

function manage(dev: Device, irq: number, devId: unknown): void {
  const data = new IrqDevres(irq, devId);
  devresAdd(dev, { kind: IrqDevres, data, release: () => freeIrq(irq, devId) });
}

/**
 * As `requestThreadedIrq`, for a device: the interrupt is freed when the driver gives the device up
 * (devm_request_threaded_irq). Process context.
 *
 * ```ts
 * *probe(dev) {
 *   yield* devmRequestThreadedIrq(dev, irq, null, threadFn, IRQF_ONESHOT, null, button);
 * }
 * ```
 *
 * @param name null for the name of the device
 * @throws KernelError as `requestThreadedIrq`; nothing is managed then
 */
export const devmRequestThreadedIrq = effect(function* devmRequestThreadedIrq(
  dev: Device,
  irq: number,
  handler: IrqHandler | null,
  threadFn: IrqThreadFn | null,
  flags: number,
  name: string | null,
  devId?: unknown,
) {
  yield* requestThreadedIrq(irq, handler, threadFn, flags, name ?? dev.name, devId);
  manage(dev, irq, devId);
});

/** As {@link devmRequestThreadedIrq}, with a top half only (devm_request_irq). Process context. */
export const devmRequestIrq = effect(function* devmRequestIrq(
  dev: Device,
  irq: number,
  handler: IrqHandler,
  flags: number,
  name: string | null,
  devId?: unknown,
) {
  yield* devmRequestThreadedIrq(dev, irq, handler, null, withCondOneshot(irq, flags), name, devId);
});

/**
 * As `requestAnyContextIrq`, for a device (devm_request_any_context_irq). Process context.
 *
 * @returns IRQC_IS_HARDIRQ or IRQC_IS_NESTED
 */
export const devmRequestAnyContextIrq = effect(function* devmRequestAnyContextIrq(
  dev: Device,
  irq: number,
  handler: IrqHandler,
  flags: number,
  name: string | null,
  devId?: unknown,
): Coroutine<number> {
  const kind = yield* requestAnyContextIrq(irq, handler, flags, name ?? dev.name, devId);
  manage(dev, irq, devId);
  return kind;
});

/** Frees a managed interrupt before its time; one that is not managed is warned of, and freed all the same (devm_free_irq). Process context. */
export const devmFreeIrq = effect(function* devmFreeIrq(dev: Device, irq: number, devId?: unknown) {
  const match = (data: unknown): boolean => data instanceof IrqDevres && data.matches(irq, devId);
  if (devresRemove(dev, IrqDevres, match) === undefined) dev.machine.warn('', 'devm_free_irq');
  yield* freeIrq(irq, devId);
});
