// local_irq_disable does not nest, save and restore do; an interrupt that was held back comes in at the outermost restore.
import { freeIrq, IRQ_HANDLED, localIrqDisable, localIrqEnable, localIrqSave } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

const off = (flags: boolean): number => (flags ? 0 : 1);

function* nesting(o: Oracle) {
  const a = localIrqSave();
  o.log('save1');
  const b = localIrqSave();
  o.log('save2');
  yield* o.localIrqRestore(b);
  o.log('restore2');
  yield* o.localIrqRestore(a);
  o.log('restore1');
  o.log('flags', { first_off: off(a), second_off: off(b) });
  localIrqDisable();
  o.log('disable');
  localIrqDisable();
  o.log('disable again');
  yield* o.localIrqEnable();
  o.log('one enable');
}

function* mixed(o: Oracle) {
  const saved = localIrqSave();
  yield* o.localIrqEnable();
  o.log('save+enable');
  yield* o.localIrqRestore(saved);
  o.log('restored');
  localIrqDisable();
  const c = localIrqSave();
  yield* o.localIrqEnable();
  o.log('disable+save+enable');
  yield* o.localIrqRestore(c);
  localIrqEnable();
  o.log('restored (off)');
  const outer = localIrqSave();
  const inner = localIrqSave();
  yield* o.localIrqRestore(outer);
  o.log('restored in the wrong order');
  yield* o.localIrqRestore(inner);
  yield* o.localIrqEnable();
  o.log('then inner (off again)');
}

export default function* (o: Oracle) {
  yield* nesting(o);
  yield* mixed(o);
  o.variant('hardirq-delivery-on-restore');
  const A = o.line('A', 'edge');
  const handler = () => {
    o.log('primary');
    return IRQ_HANDLED;
  };
  yield* o.request(A, { handler });
  const first = localIrqSave();
  yield* o.pulse(A);
  o.log('pulsed with irqs off');
  const inner = localIrqSave();
  o.log('inner save');
  yield* o.localIrqRestore(inner);
  o.log('inner restored');
  yield* o.localIrqRestore(first);
  o.log('outer restored');
  const second = localIrqSave();
  yield* o.pulse(A);
  yield* o.pulse(A);
  o.log('pulsed twice with irqs off');
  yield* o.localIrqRestore(second);
  o.log('restored');
  yield* freeIrq(A.irq);
}
