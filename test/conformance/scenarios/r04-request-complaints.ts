// What the kernel says when a request or a release does not fit.
import {
  canRequestIrq,
  IRQ_HANDLED,
  IRQ_NOREQUEST,
  IRQ_TYPE_EDGE_FALLING,
  IRQF_COND_ONESHOT,
  IRQF_COND_SUSPEND,
  IRQF_NO_AUTOEN,
  IRQF_NO_SUSPEND,
  IRQF_ONESHOT,
  IRQF_PERCPU,
  IRQF_PROBE_SHARED,
  IRQF_SHARED,
  IRQF_TRIGGER_HIGH,
  IRQF_TRIGGER_LOW,
  IRQF_TRIGGER_RISING,
  irqClearStatusFlags,
  irqGetTriggerType,
  irqSetIrqType,
  irqSetStatusFlags,
  requestAnyContextIrq,
} from '../../../kernel/index.js';
import type { Line, Oracle } from '../vocabulary.js';
import { resultOf, ret } from './_helpers.js';

const mism_h = () => IRQ_HANDLED;

class Requests {
  readonly #o: Oracle;
  readonly line: Line;

  constructor(o: Oracle) {
    this.#o = o;
    this.line = o.line('A', 'level');
  }

  plain(flags: number, name: string, dev: unknown) {
    return this.#o.request(this.line, { handler: mism_h, flags, name, dev });
  }

  threaded(flags: number, name: string, dev: unknown) {
    return this.#o.request(this.line, { handler: mism_h, thread: mism_h, flags, name, dev });
  }

  noHandler(flags: number, name: string, dev: unknown, thread: typeof mism_h | null = mism_h) {
    return this.#o.request(this.line, { thread, flags, name, dev });
  }

  *free(...devs: unknown[]) {
    for (const dev of devs) yield* this.#o.free(this.line, dev);
  }

  type() {
    this.#o.log('type', { t: irqGetTriggerType(this.line.irq) });
  }
}

function* flagsThatDiffer(o: Oracle, r: Requests) {
  o.variant('flags');
  yield* r.plain(0, 'plain', 'd');
  yield* r.plain(IRQF_SHARED, 'late', 'e');
  yield* r.plain(IRQF_SHARED | IRQF_PROBE_SHARED, 'probe', 'e');
  yield* r.plain(0, 'plain2', 'e');
  yield* r.free('d');
  o.variant('shared');
  yield* r.plain(IRQF_SHARED | IRQF_TRIGGER_HIGH, 's1', 'd');
  yield* r.plain(IRQF_SHARED | IRQF_TRIGGER_LOW, 'low', 'e');
  yield* r.plain(IRQF_SHARED, 'any', 'e');
  yield* r.threaded(IRQF_SHARED | IRQF_ONESHOT, 'oneshot', 'f');
  yield* r.threaded(IRQF_SHARED | IRQF_COND_ONESHOT, 'cond', 'f');
  yield* r.plain(IRQF_SHARED | IRQF_PERCPU, 'percpu', 'g');
  r.type();
  yield* r.free('e', 'f', 'd');
  o.variant('oneshot first');
  yield* r.threaded(IRQF_SHARED | IRQF_ONESHOT, 'os', 'd');
  yield* r.plain(IRQF_SHARED, 'no', 'e');
  yield* r.plain(IRQF_SHARED | IRQF_COND_ONESHOT, 'cond', 'e');
  yield* r.free('e', 'd');
}

function* wrongCalls(o: Oracle, r: Requests) {
  o.variant('no handler');
  yield* r.noHandler(0, 'nohandler', 'd');
  yield* r.noHandler(IRQF_ONESHOT, 'nohandler1', 'd');
  yield* r.free('d');
  o.variant('free');
  yield* r.free('d');
  yield* r.plain(IRQF_SHARED, 's', 'd');
  yield* r.free('e', 'd');
  o.variant('types');
  yield* r.plain(IRQF_TRIGGER_RISING, 'r', 'd');
  irqSetIrqType(r.line.irq, IRQ_TYPE_EDGE_FALLING);
  o.log('irq_set_irq_type', { ret: 0 });
  r.type();
  yield* r.free('d');
  r.type();
  yield* r.plain(0, 'none', 'd');
  r.type();
  yield* r.free('d');
}

function* badFlags(o: Oracle, r: Requests) {
  o.variant('bad flags');
  yield* r.plain(IRQF_COND_SUSPEND, 'cs', 'd');
  yield* r.plain(IRQF_NO_SUSPEND | IRQF_COND_SUSPEND, 'both', 'd');
  yield* r.plain(IRQF_SHARED | IRQF_COND_SUSPEND, 'scs', 'd');
  yield* r.free('d');
  yield* r.plain(IRQF_SHARED | IRQF_NO_AUTOEN, 'noauto', 'd');
  yield* r.plain(IRQF_NO_SUSPEND | IRQF_NO_AUTOEN, 'nsna', 'd');
  o.state('no autoen', r.line);
  yield* r.free('d');
  yield* r.noHandler(0, 'nothing', 'd', null);
  yield* r.plain(IRQF_SHARED, 'nodev', null);
}

export default function* (o: Oracle) {
  const r = new Requests(o);
  yield* flagsThatDiffer(o, r);
  yield* wrongCalls(o, r);
  o.variant('any context');
  ret(o, 'request_any_context_irq', yield* resultOf(requestAnyContextIrq(r.line.irq, mism_h, 0, 'ctx', 'd')));
  yield* o.sleep(1);
  yield* r.free('d');
  irqSetStatusFlags(r.line.irq, IRQ_NOREQUEST);
  yield* r.plain(0, 'norequest', 'd');
  ret(o, 'can_request_irq', canRequestIrq(r.line.irq, 0));
  irqClearStatusFlags(r.line.irq, IRQ_NOREQUEST);
  yield* badFlags(o, r);
}
