// A line that each CPU has for itself.
import {
  type Coroutine,
  disablePercpuIrq,
  enablePercpuIrq,
  freeIrq,
  freePercpuIrq,
  IRQ_HANDLED,
  IRQ_TYPE_EDGE_RISING,
  irqPercpuIsEnabled,
  irqSetPercpuDevid,
  PerCpu,
  requestIrq,
  requestPercpuIrq,
  thisCpuRead,
} from '../../../kernel/index.js';
import { errnoOf, type Oracle } from '../vocabulary.js';
import { errno } from './_helpers.js';

export default function* (o: Oracle): Coroutine<void> {
  const A = o.line('A', 'percpu_devid');
  const dev = new PerCpu(() => ({}));
  const ret = (ev: string, value: number) => o.log(ev, { ret: value });
  const pc_h = (_irq: number, own: unknown) => {
    o.log('percpu', { own: own === thisCpuRead(dev) ? 1 : 0 });
    return IRQ_HANDLED;
  };
  const enabled = () => ret('is_enabled', irqPercpuIsEnabled(A.irq) ? 1 : 0);
  ret('request before set', yield* errnoOf(requestPercpuIrq(A.irq, pc_h, 'pc', dev)));
  for (const ev of ['irq_set_percpu_devid', 'irq_set_percpu_devid again']) {
    ret(
      ev,
      errno(() => irqSetPercpuDevid(A.irq)),
    );
  }
  ret('request_irq', yield* errnoOf(requestIrq(A.irq, pc_h, 0, 'pc', 'd')));
  ret('request', yield* errnoOf(requestPercpuIrq(A.irq, pc_h, 'pc', dev)));
  ret('request twice', yield* errnoOf(requestPercpuIrq(A.irq, pc_h, 'pc2', dev)));
  o.state('requested', A);
  enabled();
  yield* o.pulse(A);
  o.log('enable');
  enablePercpuIrq(A.irq);
  yield* o.point();
  enabled();
  yield* o.pulse(A);
  enablePercpuIrq(A.irq, IRQ_TYPE_EDGE_RISING);
  yield* o.pulse(A);
  o.log('disable');
  disablePercpuIrq(A.irq);
  yield* o.pulse(A);
  enabled();
  enablePercpuIrq(A.irq);
  yield* freeIrq(A.irq, dev);
  o.log('free with it enabled');
  yield* freePercpuIrq(A.irq, dev);
  o.log('free after disable');
  disablePercpuIrq(A.irq);
  yield* freePercpuIrq(A.irq, dev);
  o.log('freed');
  yield* freePercpuIrq(A.irq, dev);
  o.variant('not enabled, pulse');
  ret('request', yield* errnoOf(requestPercpuIrq(A.irq, pc_h, 'pc', dev)));
  yield* o.hard(() => A.handle());
  yield* o.hard(() => A.handle());
  yield* freePercpuIrq(A.irq, dev);
  yield* o.hard(() => A.handle());
}
