// What is managed for a device goes in reverse order, when its driver gives it up or its probe fails.
import {
  devmAddAction,
  devmFreeIrq,
  devmRequestIrq,
  devmRequestThreadedIrq,
  IRQ_HANDLED,
  IRQF_ONESHOT,
  type IrqReturn,
  KernelError,
  type PlatformDevice,
  type PlatformDriver,
  platformDeviceRegister,
  platformDeviceUnregister,
  platformDriverRegister,
} from '../../../kernel/index.js';
import { ChipFlag, errnoOf, type Line, type Oracle } from '../vocabulary.js';

/** The driver under test, and what it does differently this time. */
interface Odevm {
  readonly driver: PlatformDriver;
  probeFails: boolean;
  freeInRemove: boolean;
}

function* requested(o: Oracle, ev: string, dev: string, request: Parameters<typeof errnoOf>[0]) {
  o.log(ev, { dev, ret: yield* errnoOf(request) });
}

function* probe(o: Oracle, odevm: Odevm, dev: PlatformDevice, A: Line, B: Line) {
  const irqA = (): IrqReturn => {
    o.log('primary', { dev: 'irqA' });
    return IRQ_HANDLED;
  };
  const thread = (): IrqReturn => IRQ_HANDLED;
  const action = (name: string): void => o.log('devm_action', { name });
  o.log('probe');
  devmAddAction(dev, action, 'first');
  yield* requested(o, 'devm_request_irq', 'A', devmRequestIrq(dev, A.irq, irqA, 0, 'irqA', dev));
  devmAddAction(dev, action, 'second');
  const threaded = devmRequestThreadedIrq(dev, B.irq, null, thread, IRQF_ONESHOT, null, dev);
  yield* requested(o, 'devm_request_threaded_irq', 'B', threaded);
  devmAddAction(dev, action, 'third');
  yield* requested(o, 'devm_request_irq', 'A-again', devmRequestIrq(dev, A.irq, irqA, 0, 'irqA2', dev));
  if (odevm.probeFails) throw new KernelError('EIO', 'the probe is to fail');
}

function* remove(o: Oracle, odevm: Odevm, dev: PlatformDevice, A: Line) {
  o.log('remove.begin');
  yield* o.pulse(A);
  if (odevm.freeInRemove) {
    yield* devmFreeIrq(dev, A.irq, dev);
    o.log('devm_free_irq.returned');
  }
  o.log('remove.end');
}

export default function* (o: Oracle) {
  const A = o.line('A', 'edge', { chipflags: ChipFlag.startupShutdown });
  const B = o.line('B', 'edge', { chipflags: ChipFlag.startupShutdown });
  const odevm: Odevm = {
    probeFails: false,
    freeInRemove: false,
    driver: {
      name: 'odevm',
      probe: (dev) => probe(o, odevm, dev, A, B),
      remove: (dev) => remove(o, odevm, dev, A),
    },
  };
  yield* platformDriverRegister(odevm.driver);

  o.variant('unbind');
  let dev = yield* platformDeviceRegister('odevm', 0);
  o.log('bound', { driver: dev.driver === undefined ? 0 : 1 });
  o.log('unregister');
  yield* platformDeviceUnregister(dev);

  o.variant('probe-fails');
  odevm.probeFails = true;
  dev = yield* platformDeviceRegister('odevm', 0);
  o.log('bound', { driver: dev.driver === undefined ? 0 : 1 });
  yield* platformDeviceUnregister(dev);

  o.variant('devm_free_irq-in-remove');
  odevm.probeFails = false;
  odevm.freeInRemove = true;
  dev = yield* platformDeviceRegister('odevm', 0);
  yield* platformDeviceUnregister(dev);
}
