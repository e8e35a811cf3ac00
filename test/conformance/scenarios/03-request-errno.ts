// What a request is refused for: flags, the action that is there, trigger types, dev_id, missing functions, special chips.
import {
  freeIrq,
  IRQ_HANDLED,
  IRQ_NESTED_THREAD,
  IRQ_NOREQUEST,
  IRQ_NOTCONNECTED,
  IRQF_COND_ONESHOT,
  IRQF_COND_SUSPEND,
  IRQF_NO_AUTOEN,
  IRQF_NO_SUSPEND,
  IRQF_ONESHOT,
  IRQF_PERCPU,
  IRQF_PROBE_SHARED,
  IRQF_SHARED,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_HIGH,
  IRQF_TRIGGER_LOW,
  IRQF_TRIGGER_RISING,
  type IrqReturn,
  irqClearStatusFlags,
  irqdSetTriggerType,
  irqGetTriggerType,
  irqSetPercpuDevid,
  irqSetStatusFlags,
  PerCpu,
  requestPercpuIrq,
  requestThreadedIrq,
} from '../../../kernel/index.js';
import { ChipFlag, errnoOf, type Line, type Oracle } from '../vocabulary.js';

interface Case {
  readonly flags?: number;
  /** Whether there are such functions; default: a handler, and a thread function where the flags have ONESHOT. */
  readonly h?: boolean;
  readonly t?: boolean;
  readonly dev?: unknown;
  readonly name?: string;
}

const S = IRQF_SHARED;
const RISING = IRQF_TRIGGER_RISING;
const FALLING = IRQF_TRIGGER_FALLING;
const QUIET = { quiet: true };

const c_handler = (): IrqReturn => IRQ_HANDLED;
const c_thread = (): IrqReturn => IRQ_HANDLED;

/** A request that is logged; it is left on the line. */
function* tryRequest(o: Oracle, irq: number, name: string, asked: Case) {
  const { flags = 0, h = true, t = false, dev = 'dev' } = asked;
  const handler = h ? c_handler : null;
  const ret = yield* errnoOf(requestThreadedIrq(irq, handler, t ? c_thread : null, flags, asked.name ?? 'one', dev));
  const bit = (value: boolean): number => (value ? 1 : 0);
  o.log('request', { case: name, flags: `0x${flags.toString(16)}`, h: bit(h), t: bit(t), dev: bit(dev !== null), ret });
  return ret;
}

/** A request that is freed again at once. */
function* single(o: Oracle, irq: number, name: string, asked: Case) {
  const ret = yield* tryRequest(o, irq, name, asked);
  if (ret === 0) yield* freeIrq(irq, asked.dev === undefined ? 'dev' : asked.dev);
}

function* pair(o: Oracle, line: Line, name: string, first: Case, second: Case) {
  const { irq } = line;
  const a = yield* tryRequest(o, irq, 'first', { ...first, name: 'first', dev: 'first' });
  const b = yield* tryRequest(o, irq, name, { ...second, name: 'second', dev: 'second' });
  if (b === 0) yield* freeIrq(irq, 'second');
  if (a === 0) yield* freeIrq(irq, 'first');
}

function* singles(o: Oracle, A: Line) {
  const cases: [string, Case][] = [
    ['plain', {}],
    ['dev-null-nonshared', { dev: null }],
    ['dev-null-shared', { flags: S, dev: null }],
    ['no-handlers', { h: false }],
    ['no-handlers-oneshot', { flags: IRQF_ONESHOT, h: false }],
    ['thread-only', { h: false, t: true }],
    ['thread-only-oneshot', { flags: IRQF_ONESHOT, h: false, t: true }],
    ['both', { t: true }],
    ['both-oneshot', { flags: IRQF_ONESHOT, t: true }],
    ['handler-only-oneshot', { flags: IRQF_ONESHOT }],
    ['shared-no-autoen', { flags: S | IRQF_NO_AUTOEN }],
    ['no-autoen', { flags: IRQF_NO_AUTOEN }],
    ['cond-suspend-nonshared', { flags: IRQF_COND_SUSPEND }],
    ['cond-suspend-shared', { flags: S | IRQF_COND_SUSPEND }],
    ['no-suspend+cond-suspend', { flags: S | IRQF_NO_SUSPEND | IRQF_COND_SUSPEND }],
    ['rising+falling', { flags: RISING | FALLING }],
    ['rising+high', { flags: RISING | IRQF_TRIGGER_HIGH }],
  ];
  for (const [name, asked] of cases) yield* single(o, o.line('Q', 'edge', QUIET).irq, name, asked);
  yield* single(o, A.irq, 'name-null', { name: '(null)' });
  yield* single(o, 3999, 'irq-nonexistent', {});
  yield* single(o, IRQ_NOTCONNECTED, 'irq-not-connected', {});
  irqSetStatusFlags(A.irq, IRQ_NOREQUEST);
  yield* single(o, A.irq, 'norequest-line', {});
  irqClearStatusFlags(A.irq, IRQ_NOREQUEST);
  yield* single(o, o.machine.irqs.alloc(undefined, 0).irq, 'line-without-chip', {});
}

function* pairs(o: Oracle, A: Line) {
  o.log('--pairs');
  const oneshot: Case = { flags: S | IRQF_ONESHOT, t: true };
  const cases: [string, Case, Case][] = [
    ['both-shared', { flags: S }, { flags: S }],
    ['excl-then-excl', {}, {}],
    ['excl-then-shared', {}, { flags: S }],
    ['shared-then-excl', { flags: S }, {}],
    ['shared-then-excl-probe', { flags: S }, { flags: IRQF_PROBE_SHARED }],
    ['shared-then-shared-probe', { flags: S }, { flags: S | IRQF_PROBE_SHARED }],
    ['rising-then-falling', { flags: S | RISING }, { flags: S | FALLING }],
    ['rising-then-none', { flags: S | RISING }, { flags: S }],
    ['none-then-rising', { flags: S }, { flags: S | RISING }],
    ['oneshot-then-plain', oneshot, { flags: S }],
    ['plain-then-oneshot', { flags: S }, oneshot],
    ['oneshot-both', oneshot, oneshot],
    ['oneshot-then-cond_oneshot', oneshot, { flags: S | IRQF_COND_ONESHOT }],
    ['percpu-then-plain', { flags: S | IRQF_PERCPU }, { flags: S }],
    ['no-suspend-mix', { flags: S | IRQF_NO_SUSPEND }, { flags: S }],
  ];
  for (const [name, first, second] of cases) yield* pair(o, o.line('Q', 'edge', QUIET), name, first, second);
  yield* stickyType(o);
  yield* domainDefault(o);
  yield* threeSharers(o);
  const threadOnly: Case = { h: false, t: true };
  yield* pair(o, A, 'second-threadonly-oneshot', { flags: S | IRQF_ONESHOT }, { ...oneshot, ...threadOnly });
  yield* pair(o, A, 'second-threadonly-no-oneshot', { ...oneshot, ...threadOnly }, { flags: S, ...threadOnly });
}

function* stickyType(o: Oracle) {
  const V = o.line('V', 'edge', QUIET);
  yield* single(o, V.irq, 'sticky-type: falling', { flags: FALLING });
  o.log('trigger-type', { type: irqGetTriggerType(V.irq), note: 'after-free' });
  const name = 'sticky-type: none-then-rising on a line freed with falling';
  yield* pair(o, V, name, { flags: S }, { flags: S | RISING });
  yield* pair(o, V, 'sticky-type: rising-then-rising', { flags: S | RISING }, { flags: S | RISING });
  o.log('trigger-type', { type: irqGetTriggerType(V.irq), note: 'end' });
}

function* domainDefault(o: Oracle) {
  const D = o.line('D', 'edge', QUIET);
  const desc = o.machine.irqs.get(D.irq);
  irqdSetTriggerType(desc, RISING);
  o.log('trigger-type', { type: irqGetTriggerType(D.irq), note: 'domain-default' });
  yield* pair(o, D, 'domain-default-rising: none-then-falling', { flags: S }, { flags: S | FALLING });
  yield* pair(o, D, 'domain-default-rising: rising-then-falling', { flags: S | RISING }, { flags: S | FALLING });
  yield* pair(o, D, 'domain-default-rising: none-then-rising', { flags: S }, { flags: S | RISING });
}

function* threeSharers(o: Oracle) {
  const T = o.line('T', 'edge');
  for (const [n, type] of [RISING, FALLING, RISING].entries()) {
    yield* tryRequest(o, T.irq, 'three-sharers', { flags: S | type, name: 'three', dev: n });
    o.log('trigger-type', { n, type: irqGetTriggerType(T.irq) });
  }
  yield* freeIrq(T.irq, 0);
  yield* freeIrq(T.irq, 1);
}

function* specialChips(o: Oracle, A: Line) {
  o.log('--special-chips');
  const NT = o.line('NT', 'edge', { ...QUIET, chipflags: ChipFlag.noSetType });
  yield* single(o, NT.irq, 'chip-without-set_type+rising', { flags: RISING });
  const OS = o.line('OS', 'edge', { ...QUIET, chipflags: ChipFlag.oneshotSafe });
  yield* single(o, OS.irq, 'thread-only-on-oneshot_safe-chip', { h: false, t: true });
  const BAD = o.line('BAD', 'edge', { ...QUIET, setTypeFails: ['EINVAL', 'ENXIO'] });
  yield* single(o, BAD.irq, 'set_type-fails', { flags: IRQF_TRIGGER_HIGH });
  yield* single(o, BAD.irq, 'set_type-fails-enxio', { flags: IRQF_TRIGGER_LOW });
  const RES = o.line('RES', 'edge', { chipflags: ChipFlag.requestResources });
  yield* single(o, RES.irq, 'request_resources-fails', {});
  irqSetStatusFlags(NT.irq, IRQ_NESTED_THREAD);
  yield* single(o, NT.irq, 'nested-handler-only', {});
  yield* single(o, NT.irq, 'nested-thread', { h: false, t: true });
  irqSetPercpuDevid(OS.irq);
  o.log('irq_set_percpu_devid', { ret: 0 });
  yield* single(o, OS.irq, 'request_irq-on-percpu_devid', {});
  const ret = yield* errnoOf(requestPercpuIrq(A.irq, c_handler, 'one', new PerCpu(() => 0)));
  o.log('request_percpu_irq-on-normal', { ret });
}

function* manyOneshot(A: Line, o: Oracle) {
  o.log('--many-oneshot');
  let n = 0;
  let ret = 0;
  while (n < 70 && ret === 0) {
    ret = yield* errnoOf(requestThreadedIrq(A.irq, null, c_thread, S | IRQF_ONESHOT, 'many', `many${n}`));
    if (ret === 0) n++;
  }
  o.log('oneshot-actions-accepted', { n, ret });
  for (let i = 0; i < n; i++) yield* freeIrq(A.irq, `many${i}`);
}

function* frees(o: Oracle, A: Line) {
  o.log('--free');
  o.log('free', { 'never-requested': (yield* freeIrq(A.irq, 'x')) ?? 'null' });
  yield* requestThreadedIrq(A.irq, c_handler, null, 0, 'x', 'right');
  o.log('free', { 'wrong-dev': (yield* freeIrq(A.irq, 'wrong')) ?? 'null' });
  o.log('free', { 'right-dev': (yield* freeIrq(A.irq, 'right')) ?? 'null' });
}

export default function* (o: Oracle) {
  const A = o.line('A', 'edge', QUIET);
  yield* singles(o, A);
  yield* pairs(o, A);
  yield* specialChips(o, A);
  yield* manyOneshot(A, o);
  yield* frees(o, A);
}
