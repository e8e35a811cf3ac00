// Suspending and resuming lines by what their actions and chips ask for, and a line that wakes the machine up.
import {
  disableIrqWake,
  enableIrqWake,
  freeIrq,
  IRQ_HANDLED,
  IRQF_COND_SUSPEND,
  IRQF_EARLY_RESUME,
  IRQF_FORCE_RESUME,
  IRQF_NO_SUSPEND,
  IRQF_SHARED,
  type IrqHandler,
  resumeDeviceIrqs,
  suspendDeviceIrqs,
} from '../../../kernel/index.js';
import { ChipFlag, type Line, type Oracle } from '../vocabulary.js';

const FLAGS: Readonly<Record<string, number>> = {
  plain: 0,
  nosusp: IRQF_NO_SUSPEND,
  wake: 0,
  early: IRQF_EARLY_RESUME,
  force: IRQF_NO_SUSPEND | IRQF_FORCE_RESUME,
  shared: IRQF_SHARED | IRQF_NO_SUSPEND,
  maskon: 0,
};

/** A handler that logs the device that it is for. */
function primary(o: Oracle, dev: string): IrqHandler {
  return () => {
    o.log('primary', { dev });
    return IRQ_HANDLED;
  };
}

function* requestAll(o: Oracle) {
  const all: Line[] = [];
  for (const [name, flags] of Object.entries(FLAGS)) {
    const line = o.line(name, 'edge', { chipflags: name === 'maskon' ? ChipFlag.maskOnSuspend : 0 });
    yield* o.request(line, { handler: primary(o, name), flags, name, dev: name, log: { line: name } });
    all.push(line);
  }
  return all;
}

function states(o: Oracle, at: string, all: readonly Line[]): void {
  for (const line of all) o.state(at, line);
}

function* suspended(o: Oracle, all: readonly Line[]) {
  o.log('suspend_device_irqs');
  yield* suspendDeviceIrqs();
  states(o, 'suspended', all);
  for (const line of all) {
    o.log('fire', { line: line.name });
    yield* o.pulse(line);
    if (line.name === 'wake') yield* o.pulse(line);
  }
  states(o, 'fired', all);
  o.log('resume_device_irqs');
  yield* resumeDeviceIrqs();
  yield* o.sleep(20);
  states(o, 'resumed', all);
}

function* disableWake(o: Oracle, line: Line) {
  yield* disableIrqWake(line.irq);
  o.log('disable_irq_wake', { line: line.name, ret: 0 });
}

export default function* (o: Oracle) {
  const all = yield* requestAll(o);
  const [, , wake, , , shared] = all;
  if (wake === undefined || shared === undefined) throw new Error('a line is missing');
  const handler = primary(o, 'shared2');
  const flags = IRQF_SHARED | IRQF_COND_SUSPEND;
  const ret = yield* o.request(shared, { handler, flags, name: 'shared2', dev: 'shared2', log: false });
  o.log('request second on shared', { flags: 'COND_SUSPEND', ret });
  yield* enableIrqWake(wake.irq);
  o.log('enable_irq_wake', { line: 'wake', ret: 0 });
  yield* suspended(o, all);
  yield* disableWake(o, wake);
  o.log('unbalanced disable_irq_wake');
  yield* disableWake(o, wake);
  yield* freeIrq(shared.irq, 'shared2');
  for (const line of all) yield* freeIrq(line.irq, line.name);
}
