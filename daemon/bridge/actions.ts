// The actions of a configuration: each made ready once, then run for every edge.
import { inspect } from 'node:util';
import { type GpioDesc, gpiodGetValue, gpiodSetValue, KernelError, type Level } from '../../kernel/index.js';
import type { ModuleEdge } from '../actions/module-workers.js';
import type { AtomicAction, ModuleAction, ThreadAction, WorkAction } from '../config/config.js';
import { formatApproximate } from '../config/duration.js';
import { type Placeholder, renderTemplate } from '../config/template.js';
import type { EdgeRecord } from './edge-ring.js';
import type { InterruptHost } from './line-interrupt.js';

/** Which line's edges the actions belong to, and where they report. */
export interface ActionContext {
  readonly host: InterruptHost;
  readonly line: GpioDesc;
  /** Name of the interrupt. */
  readonly name: string;
}

/** What actions of a work item know besides: the workqueue. */
export interface WorkContext extends ActionContext {
  readonly queue: string;
}

/** How a module's result that is no text is written to the log. */
const SHOWN = { breakLength: Number.POSITIVE_INFINITY, depth: 4, maxArrayLength: 100, maxStringLength: 4096 };

function notYet({ kind }: WorkAction): KernelError {
  return new KernelError('ENOSYS', `the action ${kind} is not supported`);
}

/** A line operation, ready to run in any context. @returns the level that the line has got */
export type PreparedAtomic = () => Level;

/** Looks up the line of an operation. `ENOENT` for a line that there is not. */
export function prepareAtomic(host: Pick<InterruptHost, 'line'>, action: AtomicAction): PreparedAtomic {
  const desc = host.line(action.line);
  const set = (value: Level): Level => {
    gpiodSetValue(desc, value);
    return value;
  };
  if (action.kind === 'toggle') return () => set(gpiodGetValue(desc) === 1 ? 0 : 1);
  if (action.kind !== 'set') throw notYet(action);
  const { value } = action;
  return () => set(value);
}

/** An action of a thread or a work item, ready to run. Only programs and modules return a promise. */
export type PreparedAction = (record: EdgeRecord) => Promise<void> | undefined;

/** Makes an action of a thread ready. `ENOENT` for a line that there is not. */
export function prepareThread(context: ActionContext, action: ThreadAction): PreparedAction {
  const { host, name } = context;
  if (action.kind === 'log') {
    return (record) => {
      host.onLog(name, renderTemplate(action.text, valuesOf(context, record)));
      return undefined;
    };
  }
  const perform = prepareAtomic(host, action);
  return () => {
    host.onValue(action.line, perform(), host.nowNs());
    return undefined;
  };
}

/** Makes an action of a work item ready. `ENOENT` for a line that there is not. */
export function prepareWork(context: WorkContext, action: WorkAction): PreparedAction {
  if (action.kind === 'module') return prepareModule(context, action);
  if (action.kind === 'http' || action.kind === 'mqtt') throw notYet(action);
  if (action.kind !== 'exec') return prepareThread(context, action);
  return async (record) => {
    const { host, name, line } = context;
    const values = valuesOf(context, record);
    const argv = action.argv.map((word) => renderTemplate(word, values));
    const env = { GPIO_LINE: line.name, GPIO_EDGE: String(values.edge), GPIO_TIMESTAMP: String(values.timestamp) };
    const { stdout } = await host.exec(argv, { timeoutNs: action.timeoutNs, env, signal: host.ending });
    if (stdout.trim() !== '') host.onLog(name, stdout.trimEnd());
  };
}

/** Makes a call of a module ready; what it returns goes to the log. */
function prepareModule({ host, line, name, queue }: WorkContext, { path, timeoutNs }: ModuleAction): PreparedAction {
  const workers = host.workers(queue);
  return async (record) => {
    const edge: ModuleEdge = {
      line: line.name,
      gpio: line.offset,
      name,
      edge: record.rising ? 'rising' : 'falling',
      value: record.rising ? 1 : 0,
      timestamp: Math.round(host.originNs + record.stampNs),
      sinceLast: record.sinceLastNs < 0 ? null : record.sinceLastNs,
      seqno: record.lineSeqno,
    };
    const result = await workers.run({ path, edge, timeoutNs, signal: host.ending });
    if (result !== undefined) host.onLog(name, typeof result === 'string' ? result : inspect(result, SHOWN));
  };
}

/** What the placeholders of a template stand for at one edge. */
function valuesOf({ host, line, name }: ActionContext, record: EdgeRecord): Record<Placeholder, string | number> {
  return {
    line: line.name,
    gpio: line.offset,
    name,
    edge: record.rising ? 'rising' : 'falling',
    value: record.rising ? 1 : 0,
    timestamp: Math.round(host.originNs + record.stampNs),
    since_last: record.sinceLastNs < 0 ? '-' : formatApproximate(record.sinceLastNs),
    seqno: record.lineSeqno,
  };
}
