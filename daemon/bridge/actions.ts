// The actions of a configuration: each made ready once, then run on every occasion.
import { inspect } from 'node:util';
import type { Level } from '../../kernel/index.js';
import type { ModuleEdge } from '../actions/module-workers.js';
import type { Occasion, OccasionLine } from '../actions/occasion.js';
import type { Output } from '../actions/outputs.js';
import type {
  AtomicAction,
  ExecAction,
  HttpAction,
  ModuleAction,
  MqttAction,
  ThreadAction,
  WorkAction,
} from '../config/action-types.js';
import { renderTemplate, type Template } from '../config/template.js';
import { TokenBucket } from '../token-bucket.js';
import type { ActionHost } from './host.js';

/** To what the actions belong, and where they report. */
export interface ActionContext {
  readonly host: ActionHost;
  /** Name of the interrupt, chord or trigger. */
  readonly name: string;
  /** Whose edges they are for; only modules need it. */
  readonly of?: OccasionLine;
}

/** How a module's result that is no text is written to the log. */
const SHOWN = { breakLength: Number.POSITIVE_INFINITY, depth: 4, maxArrayLength: 100, maxStringLength: 4096 };

/** A line operation, ready to run in any context. @param level of the input after the edge @returns the level that the line has got */
export type PreparedAtomic = (level: Level) => Level;

/** Looks up the line of an operation, whose limit is the caller's business. `ENOENT` for a line that there is not. */
export function prepareAtomic({ outputs }: Pick<ActionHost, 'outputs'>, action: AtomicAction): PreparedAtomic {
  const output: Output = outputs.get(action.line);
  switch (action.kind) {
    case 'set': {
      const { value } = action;
      return () => output.set(value);
    }
    case 'toggle':
      return () => output.toggle();
    case 'pulse': {
      const { value, forNs } = action;
      return () => output.pulse(value, forNs);
    }
    case 'follow': {
      const inverted = action.invert ? 1 : 0;
      return (level) => output.set((level ^ inverted) as Level);
    }
  }
}

/** As {@link PreparedAtomic}; undefined when there is more of it than its limit allows, and nothing was done. */
export type LimitedAtomic = (level: Level) => Level | undefined;

/** A line operation of a top half or a tasklet, with its limit. Allocates nothing when it runs. Errors as {@link prepareAtomic}. */
export function prepareLimited(host: Pick<ActionHost, 'outputs' | 'nowNs'>, action: AtomicAction): LimitedAtomic {
  const perform = prepareAtomic(host, action);
  if (action.limit === undefined) return perform;
  const bucket = new TokenBucket(action.limit);
  return (level) => (bucket.take(host.nowNs()) ? perform(level) : undefined);
}

/** An action of a thread or a work item, ready to run. Only those that wait for something outside return a promise. */
export type PreparedAction = (occasion: Occasion) => Promise<void> | undefined;

/** Makes an action of a thread ready. `ENOENT` for a line that there is not. */
export function prepareThread(context: ActionContext, action: ThreadAction): PreparedAction {
  return limited(context, action, prepareSimple(context, action));
}

function prepareSimple({ host, name }: ActionContext, action: ThreadAction): PreparedAction {
  if (action.kind === 'log') {
    return ({ values }) => {
      host.onLog(name, renderTemplate(action.text, values));
      return undefined;
    };
  }
  const perform = prepareAtomic(host, action);
  return ({ level = 0 }) => {
    host.onValue(action.line, perform(level), host.nowNs());
    return undefined;
  };
}

/** Makes an action of a work item ready. `ENOENT` for a line that there is not, or for worker threads that its queue has not. */
export function prepareWork(context: ActionContext, queue: string, action: WorkAction): PreparedAction {
  return limited(context, action, prepareAny(context, queue, action));
}

function prepareAny(context: ActionContext, queue: string, action: WorkAction): PreparedAction {
  switch (action.kind) {
    case 'exec':
      return prepareExec(context, action);
    case 'http':
      return prepareHttp(context, action);
    case 'mqtt':
      return prepareMqtt(context, action);
    case 'module':
      return prepareModule(context, queue, action);
    default:
      return prepareSimple(context, action);
  }
}

/** Leaves out, and counts, what is more than an action's limit allows. */
function limited({ host, name }: ActionContext, { limit }: WorkAction, perform: PreparedAction): PreparedAction {
  if (limit === undefined) return perform;
  const bucket = new TokenBucket(limit);
  return (occasion) => {
    if (bucket.take(host.nowNs())) return perform(occasion);
    host.onLimited(name, 1);
    return undefined;
  };
}

type Templates = Readonly<Record<string, Template>>;

function renderAll(templates: Templates, { values }: Occasion): Record<string, string> {
  const entries = Object.entries(templates);
  return Object.fromEntries(entries.map(([key, template]) => [key, renderTemplate(template, values)]));
}

function prepareExec({ host, name }: ActionContext, { argv, env = {}, timeoutNs }: ExecAction): PreparedAction {
  const onLine = (text: string): void => host.onLog(name, text);
  return async (occasion) => {
    const words = argv.map((word) => renderTemplate(word, occasion.values));
    const variables = { ...occasion.env, ...renderAll(env, occasion) };
    await host.exec(words, { timeoutNs, env: variables, signal: host.ending, onLine });
  };
}

function prepareHttp({ host }: ActionContext, action: HttpAction): PreparedAction {
  const { method, headers, timeoutNs, retries } = action;
  return async (occasion) => {
    const request = {
      url: renderUrl(action.url, occasion),
      method,
      headers: renderAll(headers, occasion),
      body: action.body === undefined ? undefined : renderTemplate(action.body, occasion.values),
    };
    await host.http(request, { timeoutNs, retries, signal: host.ending });
  };
}

/** What stands for a placeholder is one part of the URL, whatever is in it. */
function renderUrl(url: Template, { values }: Occasion): string {
  return url
    .map((part) => (typeof part === 'string' ? part : encodeURIComponent(values[part.placeholder] ?? '')))
    .join('');
}

function prepareMqtt({ host }: ActionContext, { topic, payload, qos, retain }: MqttAction): PreparedAction {
  return ({ values }) => {
    host.publish(renderTemplate(topic, values), renderTemplate(payload, values), { qos, retain });
    return undefined;
  };
}

/** Makes a call of a module ready; what it returns goes to the log. */
function prepareModule({ host, name, of }: ActionContext, queue: string, action: ModuleAction): PreparedAction {
  const { path, timeoutNs } = action;
  const workers = host.workers(queue);
  return async ({ edge: record }) => {
    if (record === undefined || of === undefined) return;
    const edge: ModuleEdge = {
      line: of.line,
      gpio: of.gpio,
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

/** All actions of a work item, one after the other; one that fails is reported, and the next runs. */
export interface PreparedWork {
  /** Whether {@link perform} returns promises. */
  readonly waits: boolean;
  readonly perform: PreparedAction;
}

const WAITING = new Set<WorkAction['kind']>(['exec', 'http', 'module']);

/** Makes a work item ready. Errors as {@link prepareWork}. */
export function prepareActions(context: ActionContext, queue: string, actions: readonly WorkAction[]): PreparedWork {
  const { host, name } = context;
  const prepared = actions.map((action) => prepareWork(context, queue, action));
  const waits = actions.some(({ kind }) => WAITING.has(kind));
  const atOnce = (occasion: Occasion): undefined => {
    for (const perform of prepared) {
      try {
        perform(occasion);
      } catch (error) {
        host.onError(name, error);
      }
    }
  };
  const waiting = async (occasion: Occasion): Promise<void> => {
    for (const perform of prepared) {
      try {
        await perform(occasion);
      } catch (error) {
        host.onError(name, error);
      }
    }
  };
  return { waits, perform: waits ? waiting : atOnce };
}
