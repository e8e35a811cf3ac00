// The routes of the control API to the service: its lines, what happens on them, and what it is told.

import { z } from 'zod';
import type { Level } from '../../kernel/gpio/driver.js';
import { metricsRoute } from '../observe/metrics-route.js';
import { ControlError } from './errors.js';
import { EVENT_TYPES, type EventStream } from './events.js';
import { modelRoutes } from './model-routes.js';
import { namedParams, noBody } from './names.js';
import { RawAnswer, type Route, route } from './route.js';
import { type ControlTarget, PRESS_DEFAULT_NS, PRESS_MAX_NS } from './target.js';
import { TRACE_FORMATS } from './trace-formats.js';

/** Characters that may come with a hook. */
const HOOK_PAYLOAD_MAX = 16_384;

/** What the routes need, when they are asked: to be described, they need nothing. */
export interface RoutesOptions {
  readonly target: () => ControlTarget;
  readonly events: () => EventStream;
  /** What the server says of itself. */
  readonly counts: () => object;
  /** Of others: the metrics, for one. */
  readonly extra?: readonly Route[];
}

const VALUES_MAX = 32;
const LEVELS: readonly Level[] = [0, 1];

/** One value or several: `type=edge&type=value`. */
function oneOrMore<T extends z.ZodType<string>>(value: T) {
  return z.union([value, z.array(value).min(1).max(VALUES_MAX)]);
}

function many<T>(values: T | readonly T[] | undefined): readonly T[] | undefined {
  if (values === undefined) return undefined;
  return Array.isArray(values) ? values : [values as T];
}

function lineRoutes(target: () => ControlTarget): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/lines',
      id: 'listLines',
      summary: 'Every line, in the order of the configuration.',
      answer: { schema: 'Lines' },
      handle: () => {
        const { parked } = target().status();
        return { lines: target().lines(), ...(parked === undefined ? {} : { parked }) };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/lines/:name',
      id: 'getLine',
      summary: 'One line.',
      params: namedParams,
      answer: { schema: 'LineStatus' },
      handle: ({ params }) => target().getLine(params.name),
    }),
    route({
      method: 'PUT',
      path: '/v1/lines/:name',
      id: 'setLine',
      summary: 'Sets an output; the answer is the line afterwards.',
      params: namedParams,
      body: z.strictObject({ value: z.literal(LEVELS).describe('logical level') }),
      answer: { schema: 'LineStatus' },
      handle: ({ params, body }) => {
        target().setLine(params.name, body.value);
        return target().getLine(params.name);
      },
    }),
    route({
      method: 'POST',
      path: '/v1/buttons/:name/press',
      id: 'pressButton',
      summary: 'Presses a simulated button; the answer comes when all that it set off has run.',
      params: namedParams,
      body: z
        .strictObject({
          forNs: z.int().min(1).max(PRESS_MAX_NS).optional().describe('how long it is held, in ns; default: 80 ms'),
          bounce: z.boolean().optional().describe('whether its contact bounces; default: no'),
        })
        .nullable(),
      answer: { schema: 'Pressed' },
      handle: async ({ params, body }) => {
        const { forNs = PRESS_DEFAULT_NS, bounce = false } = body ?? {};
        await target().press(params.name, { forNs, bounce });
        return { pressed: params.name, forNs, bounce };
      },
    }),
  ];
}

function eventRoute(target: () => ControlTarget, events: () => EventStream): Route {
  return route({
    method: 'GET',
    path: '/v1/events',
    id: 'watchEvents',
    summary:
      'Events as they happen, as server-sent events. With the header Last-Event-ID those after that one come first.',
    query: z.strictObject({
      type: oneOrMore(z.enum(EVENT_TYPES)).optional().describe('only events of these types'),
      line: oneOrMore(namedParams.shape.name).optional().describe('only events of these lines'),
    }),
    answer: { types: ['text/event-stream'] },
    stream: ({ query, headers }, response) => {
      const types = many(query.type);
      const lines = many(query.line);
      for (const line of lines ?? []) target().getLine(line);
      if (events().full) throw new ControlError('TOO_MANY_WATCHERS', 'too many clients watch events');
      const lastId = headers['last-event-id'];
      events().add(response, {
        ...(types === undefined ? {} : { types: new Set(types) }),
        ...(lines === undefined ? {} : { lines: new Set(lines) }),
        ...(typeof lastId === 'string' ? { lastId } : {}),
      });
    },
  });
}

function traceRoute(target: () => ControlTarget): Route {
  return route({
    method: 'GET',
    path: '/v1/trace',
    id: 'readTrace',
    summary: 'What ran when and in which context: as a picture in JSON, or in a format of other tools.',
    query: z.strictObject({
      format: z
        .enum(TRACE_FORMATS)
        .optional()
        .describe('`ftrace` as trace-cmd prints it, `perfetto` for ui.perfetto.dev, `jsonl` a record a line'),
    }),
    answer: { schema: 'Text', types: ['text/plain', 'application/x-ndjson'] },
    handle: async ({ query: { format } }) => {
      if (format === undefined) return { text: target().trace() };
      const records = target().records?.();
      if (records === undefined) throw new ControlError('NOT_SUPPORTED', 'no records of the trace are kept');
      const { exportTrace } = await import('../observe/trace-export.js');
      const { type, text } = exportTrace(format, records);
      return new RawAnswer(type, text);
    },
  });
}

function commandRoutes(target: () => ControlTarget): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/reload',
      id: 'reload',
      summary: 'Reads the configuration again. A wrong one changes nothing.',
      body: noBody,
      answer: { schema: 'ReloadReport' },
      handle: async () => {
        const report = await target().reload?.();
        if (report === undefined) throw new ControlError('NOT_SUPPORTED', 'this daemon cannot reload');
        if (!report.ok) throw new ControlError('CONFIG_REFUSED', report.errors.join('\n'));
        return report;
      },
    }),
    route({
      method: 'GET',
      path: '/v1/hooks',
      id: 'listHooks',
      summary: 'The hooks that triggers wait for.',
      answer: { schema: 'Hooks' },
      handle: () => ({ hooks: target().hooks?.() ?? [] }),
    }),
    route({
      method: 'POST',
      path: '/v1/hooks/:name',
      id: 'callHook',
      summary: 'Runs the actions of a hook; the answer comes when they are queued.',
      params: namedParams,
      body: z
        .strictObject({
          payload: z.string().max(HOOK_PAYLOAD_MAX).optional().describe('what {payload} stands for; default: nothing'),
        })
        .nullable(),
      answer: { schema: 'Hooked' },
      handle: async ({ params, body }) => {
        const service = target();
        if (service.hook === undefined) throw new ControlError('NOT_SUPPORTED', 'this daemon has no hooks');
        await service.hook(params.name, body?.payload);
        return { hook: params.name };
      },
    }),
  ];
}

/** Every route, those of others last. */
export function controlRoutes({ target, events, counts, extra = [] }: RoutesOptions): readonly Route[] {
  const routes: Route[] = [
    route({
      method: 'GET',
      path: '/v1/status',
      id: 'getStatus',
      summary: 'The daemon as a whole: its driver, its chip, edges received and lost.',
      answer: { schema: 'DaemonStatus' },
      handle: () => ({ ...target().status(), control: counts() }),
    }),
    ...lineRoutes(target),
    route({
      method: 'GET',
      path: '/v1/interrupts',
      id: 'listInterrupts',
      summary: '/proc/interrupts of the model, as text and by itself.',
      answer: { schema: 'InterruptsStatus' },
      handle: () => target().interrupts(),
    }),
    ...modelRoutes(() => target().model),
    traceRoute(target),
    eventRoute(target, events),
    ...commandRoutes(target),
    route({
      method: 'GET',
      path: '/v1/openapi.json',
      id: 'getOpenapi',
      summary: 'This description, in OpenAPI 3.1.',
      answer: { types: ['application/json'] },
      handle: async () => {
        const { openapi } = await import('./openapi.js');
        return openapi(routes, target().status().version);
      },
    }),
    ...extra,
  ];
  return routes;
}

/** The routes to be described, without anybody to ask. */
export function describedRoutes(): readonly Route[] {
  const nobody = (): never => {
    throw new Error('these routes are described only');
  };
  return controlRoutes({ target: nobody, events: nobody, counts: nobody, extra: [metricsRoute(nobody)] });
}
