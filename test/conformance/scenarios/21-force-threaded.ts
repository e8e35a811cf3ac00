// Which handlers run in threads when the machine runs them so (threadirqs), and in which context; the same without.
import {
  freeIrq,
  IRQ_HANDLED,
  IRQ_WAKE_THREAD,
  IRQF_NO_THREAD,
  IRQF_ONESHOT,
  IRQF_PERCPU,
  type IrqReturn,
  Tasklet,
  taskletSchedule,
} from '../../../kernel/index.js';
import type { Flow, Oracle, Request } from '../vocabulary.js';

function* variant(o: Oracle, v: string, flow: Flow, request: Request) {
  o.variant(v);
  const A = o.line('A', flow);
  yield* o.request(A, { name: 'ft', dev: 'd', ...request });
  yield* o.pulse(A);
  yield* o.sleep(12);
  yield* freeIrq(A.irq, 'd');
}

export default function* (o: Oracle) {
  const t = new Tasklet(() => o.log('tasklet'));
  const plain = (): IrqReturn => {
    o.log('handler', { dev: 'd' });
    taskletSchedule(t);
    o.log('handler.scheduled_tasklet', { dev: 'd' });
    return IRQ_HANDLED;
  };
  const waking = (): IrqReturn => {
    o.log('handler', { dev: 'd' });
    return IRQ_WAKE_THREAD;
  };
  const thread = (): IrqReturn => {
    o.log('thread_fn', { dev: 'd' });
    return IRQ_HANDLED;
  };
  o.log('force_irqthreads', { val: o.machine.threadirqs ? 1 : 0 });
  yield* variant(o, 'edge-plain', 'edge', { handler: plain });
  yield* variant(o, 'fasteoi-plain', 'fasteoi', { handler: plain });
  yield* variant(o, 'edge-no_thread', 'edge', { handler: plain, flags: IRQF_NO_THREAD });
  yield* variant(o, 'edge-percpu', 'edge', { handler: plain, flags: IRQF_PERCPU });
  yield* variant(o, 'edge-primary+thread', 'edge', { handler: waking, thread });
  yield* variant(o, 'edge-primary+thread-oneshot', 'edge', { handler: waking, thread, flags: IRQF_ONESHOT });
  yield* variant(o, 'edge-thread-only-oneshot', 'edge', { thread, flags: IRQF_ONESHOT });
}
