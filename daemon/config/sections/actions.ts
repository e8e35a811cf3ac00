// Actions: what is done at an edge, and in which context each may stand.

import { z } from 'zod';
import {
  type AtomicAction,
  HTTP_METHODS,
  type RateLimit,
  type ThreadAction,
  type WorkAction,
} from '../action-types.js';
import type { ConfigPath } from '../errors.js';
import type { Rules } from '../rules.js';
import { type OccasionKind, PLACEHOLDERS_OF, type Placeholder, placeholdersIn, type Template } from '../template.js';
import { duration, keys, level, matching, modulePath, name, template } from '../values.js';

/** How long a program or a module may run when its action does not say. */
const TIMEOUT_NS = 30e9;

const variables = z
  .record(matching(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'letters, digits and _'), template)
  .meta({ kind: 'mapping of texts' });
const headerFields = z
  .record(matching(/^[!#$%&'*+.^_`|~A-Za-z0-9-]{1,64}$/, 'a name of a header, such as Content-Type'), template)
  .meta({ kind: 'mapping of texts' });

/** How often an action may run. */
const limitSchema = keys({
  rate: z.int().min(1).max(1_000_000).describe('Runs in that time.'),
  per: duration(1e6, 86_400e9, 1).default(1e9).describe('The time.').meta({ default: '1s' }),
});

/** One action: exactly one of its verbs, and what goes with it. */
export const actionSchema = keys({
  set: name.optional().describe('Sets an output to `value`.'),
  value: level
    .optional()
    .describe('The level that `set` gives, and the one that a `pulse` has for its time; for that 1 if left out.'),
  toggle: name.optional().describe('Turns an output over.'),
  follow: name.optional().describe('Gives an output the level that the edge brought.'),
  invert: z.boolean().optional().describe('Gives the output of `follow` the other level.').meta({ default: false }),
  pulse: name.optional().describe('Gives an output a level, and after the time of `for` the other one.'),
  for: duration(1e3, 3600e9, 1)
    .optional()
    .describe('Length of a `pulse`.')
    .meta({ examples: ['200ms'] }),
  log: template.optional().describe('Writes a line to the log.'),
  exec: z
    .array(template)
    .min(1)
    .max(64)
    .optional()
    .describe('Runs a program, without a shell: the program and its arguments one by one.')
    .meta({ examples: [['/usr/bin/notify', '{line}']] }),
  env: variables.optional().describe('Variables for the program of `exec`.'),
  http: template
    .optional()
    .describe('Sends a request to this address.')
    .meta({ examples: ['https://example.org/ring'] }),
  method: z.enum(HTTP_METHODS).optional().describe('Method of the request.').meta({ default: 'POST' }),
  headers: headerFields.optional().describe('Headers of the request.'),
  body: template.optional().describe('Body of the request.'),
  retries: z
    .int()
    .min(0)
    .max(20)
    .optional()
    .describe('Further attempts of a request that failed.')
    .meta({ default: 0 }),
  mqtt: template.optional().describe('Publishes a message under this topic.'),
  payload: template.optional().describe('Text of the message.').meta({ default: '' }),
  qos: z.literal([0, 1, 2]).optional().describe('Quality of service of the message.').meta({ default: 1 }),
  retain: z.boolean().optional().describe('Whether the broker keeps the message.').meta({ default: false }),
  module: modulePath.optional().describe('Calls the default function of a JavaScript module in a worker thread.'),
  timeout: duration(1e6, 3600e9, 1)
    .optional()
    .describe('How long the program, the request or the module may take.')
    .meta({ default: '30s' }),
  limit: limitSchema
    .optional()
    .describe('How often the action may run, whichever it is; beyond that it is left out, and counted.'),
}).describe('One action: one of `set`, `toggle`, `follow`, `pulse`, `log`, `exec`, `http`, `mqtt`, `module`.');

/** A checked action. */
export type ActionInput = z.output<typeof actionSchema>;

/** The verbs of an action. */
export const VERBS = ['set', 'toggle', 'follow', 'pulse', 'log', 'exec', 'http', 'mqtt', 'module'] as const;
type Verb = (typeof VERBS)[number];

const ATOMIC = ['set', 'toggle', 'follow', 'pulse'] as const satisfies readonly Verb[];

/** What goes with which verbs; `limit` goes with all. */
const OPTIONS = {
  value: ['set', 'pulse'],
  invert: ['follow'],
  for: ['pulse'],
  env: ['exec'],
  method: ['http'],
  headers: ['http'],
  body: ['http'],
  retries: ['http'],
  payload: ['mqtt'],
  qos: ['mqtt'],
  retain: ['mqtt'],
  timeout: ['exec', 'http', 'module'],
} as const satisfies Readonly<Partial<Record<keyof ActionInput, readonly Verb[]>>>;

/** Where actions stand: in which context, and for what they run. */
export type ActionPlace = 'top_half' | 'tasklet' | 'thread' | 'work' | Exclude<OccasionKind, 'edge'>;

/** Where a list of actions stands. */
export interface ActionSite {
  readonly place: ActionPlace;
  /** The line whose edges they are for. */
  readonly line?: string;
}

interface Permission {
  readonly kind: OccasionKind;
  readonly verbs: readonly Verb[];
  readonly why: string;
}

const WITHOUT_EDGE = {
  verbs: VERBS.filter((verb) => verb !== 'follow' && verb !== 'module'),
  why: 'there is no edge: follow and module stand in the work of an interrupt',
};

/** What each place may do, and why it may do no more. */
const PLACES: Readonly<Record<ActionPlace, Permission>> = {
  top_half: {
    kind: 'edge',
    verbs: ATOMIC,
    why: 'the top half runs in atomic context: set, toggle, follow and pulse only',
  },
  tasklet: {
    kind: 'edge',
    verbs: ATOMIC,
    why: 'a tasklet runs in atomic context: set, toggle, follow and pulse only',
  },
  thread: { kind: 'edge', verbs: [...ATOMIC, 'log'], why: 'it would hold up the irq thread' },
  work: { kind: 'edge', verbs: VERBS, why: '' },
  press: { kind: 'press', ...WITHOUT_EDGE },
  chord: { kind: 'chord', ...WITHOUT_EDGE },
  schedule: { kind: 'schedule', ...WITHOUT_EDGE },
  hook: { kind: 'hook', ...WITHOUT_EDGE },
  mqtt: { kind: 'mqtt', ...WITHOUT_EDGE },
};

/** What comes from outside of the machine, with a hook or a message. */
const FOREIGN: readonly string[] = ['payload', 'topic'] satisfies Placeholder[];

/** Checks a list of actions. @param at where the list is */
export function checkActions(rules: Rules, actions: readonly ActionInput[], at: ConfigPath, site: ActionSite): void {
  for (const [i, action] of actions.entries()) checkAction(rules, action, [...at, i], site);
}

function checkAction(rules: Rules, action: ActionInput, path: ConfigPath, site: ActionSite): void {
  const { place } = site;
  const given = VERBS.filter((verb) => action[verb] !== undefined);
  const verb = given[0];
  const { kind, verbs, why } = PLACES[place];
  if (verb === undefined) {
    rules.add('CONFIG_MISSING', path, 'no action', `write one of ${verbs.join(', ')}`);
    return;
  }
  if (given.length > 1) {
    rules.add('CONFIG_CONFLICT', path, `${given.join(' and ')} in one entry`, 'write one action an entry');
    return;
  }
  if (!verbs.includes(verb)) {
    const elsewhere = kind === 'edge' ? `; move it to ${PLACES.thread.verbs.includes(verb) ? 'thread' : 'work'}` : '';
    rules.add('CONFIG_CONTEXT', [...path, verb], `${verb} in ${place}`, `${why}${elsewhere}`, true);
  } else if (verb === 'follow') checkFollow(rules, path, site);
  checkOptions(rules, action, path, verb);
  checkTexts(rules, action, path, kind);
  if (verb === 'mqtt' && rules.isMissing('mqtt')) {
    const hint = 'add the section mqtt: with the url of the broker';
    rules.add('CONFIG_REFERENCE', [...path, verb], 'no broker to publish to', hint, true);
  }
  const target = action.set ?? action.toggle ?? action.follow ?? action.pulse;
  if (target === undefined) return;
  const line = rules.line(target, [...path, verb]);
  if (line?.direction !== 'in') return;
  const hint = `only outputs can be set; write direction: out at lines.${target}`;
  rules.add('CONFIG_CONFLICT', [...path, verb], `${target} is an input`, hint);
}

/** What follows an input has to hear of both its edges. */
function checkFollow(rules: Rules, path: ConfigPath, { line }: ActionSite): void {
  const edge = line === undefined ? undefined : rules.pieces.lines?.get(line)?.input?.edge;
  if (edge !== 'rising' && edge !== 'falling') return;
  const hint = `write edge: both at lines.${line}, or use set`;
  rules.add('CONFIG_CONFLICT', [...path, 'follow'], `${line} reports its ${edge} edge only`, hint);
}

/** Every text of an action, with its path. */
function* textsOf(action: ActionInput, path: ConfigPath): Generator<readonly [text: Template, at: ConfigPath]> {
  for (const key of ['log', 'http', 'body', 'mqtt', 'payload'] as const) {
    const text = action[key];
    if (text !== undefined) yield [text, [...path, key]];
  }
  for (const [i, word] of action.exec?.entries() ?? []) yield [word, [...path, 'exec', i]];
  for (const key of ['env', 'headers'] as const) {
    for (const [name, text] of Object.entries(action[key] ?? {})) yield [text, [...path, key, name]];
  }
}

function checkTexts(rules: Rules, action: ActionInput, path: ConfigPath, kind: OccasionKind): void {
  const known = PLACEHOLDERS_OF[kind];
  for (const [text, at] of textsOf(action, path)) {
    for (const placeholder of new Set(placeholdersIn(text))) {
      if (known.includes(placeholder)) continue;
      const hint = `there are ${known.map((one) => `{${one}}`).join(', ')}`;
      rules.add('CONFIG_CONTEXT', at, `{${placeholder}} has no value here`, hint);
    }
  }
  const [program = []] = action.exec ?? [];
  if (placeholdersIn(program).some((placeholder) => FOREIGN.includes(placeholder))) {
    const hint = 'write the program itself, and what comes from outside as one of its arguments';
    rules.add('CONFIG_CONTEXT', [...path, 'exec', 0], 'what comes from outside would choose the program', hint);
  }
  if (action.http !== undefined) checkUrl(rules, action.http, [...path, 'http']);
}

/** The server must stand in the file: no placeholder chooses where tokens and bodies go. */
function checkUrl(rules: Rules, url: Template, path: ConfigPath): void {
  const [start = ''] = url;
  const server = typeof start === 'string' ? /^https?:\/\/([^/?#]+)/i.exec(start) : null;
  const ends = url.length === 1 || (typeof start === 'string' && start.length > (server?.[0].length ?? 0));
  if (server === null || !ends || !URL.canParse(server[0])) {
    rules.add('CONFIG_VALUE', path, 'no http or https URL', 'write it with its server: https://example.org/{line}');
  } else if (server[1]?.includes('@') === true) {
    const hint = 'write headers: { Authorization: ... }';
    rules.add('CONFIG_VALUE', path, 'a user name or password in a URL', hint);
  }
}

function checkOptions(rules: Rules, action: ActionInput, path: ConfigPath, verb: Verb): void {
  for (const [option, owners] of Object.entries(OPTIONS)) {
    if (action[option as keyof typeof OPTIONS] === undefined || owners.some((owner) => owner === verb)) continue;
    const hint = `${option} goes with ${listed(owners, 'and')}`;
    const message = `${option} without ${listed(owners, 'or')}`;
    rules.add('CONFIG_CONFLICT', [...path, option], message, hint, true);
  }
  if (verb === 'set' && action.value === undefined) {
    const hint = `write { set: ${action.set ?? ''}, value: 0 } or value: 1`;
    rules.add('CONFIG_MISSING', path, "'value' is missing", hint);
  }
  if (verb === 'pulse' && action.for === undefined) {
    const hint = `write { pulse: ${action.pulse ?? ''}, for: 200ms }`;
    rules.add('CONFIG_MISSING', path, "'for' is missing", hint);
  }
}

function listed(words: readonly string[], conjunction: string): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} ${conjunction} ${last}`;
}

function buildLimit({ limit }: ActionInput): { readonly limit?: RateLimit } {
  return limit === undefined ? {} : { limit: { rate: limit.rate, perNs: limit.per } };
}

function buildAtomic(input: ActionInput): AtomicAction {
  const { toggle, follow, invert = false, pulse, for: forNs = 0, set = '', value } = input;
  const limit = buildLimit(input);
  if (toggle !== undefined) return { kind: 'toggle', line: toggle, ...limit };
  if (follow !== undefined) return { kind: 'follow', line: follow, invert, ...limit };
  if (pulse !== undefined) return { kind: 'pulse', line: pulse, value: value ?? 1, forNs, ...limit };
  return { kind: 'set', line: set, value: value ?? 0, ...limit };
}

function buildThreadAction(input: ActionInput): ThreadAction {
  return input.log === undefined ? buildAtomic(input) : { kind: 'log', text: input.log, ...buildLimit(input) };
}

/** The actions of an atomic context; the rules have made sure that each has one verb and what goes with it. */
export function buildAtomics(inputs: readonly ActionInput[] | undefined): AtomicAction[] {
  return (inputs ?? []).map(buildAtomic);
}

/** The actions of an irq thread. */
export function buildThreadActions(inputs: readonly ActionInput[] | undefined): ThreadAction[] {
  return (inputs ?? []).map(buildThreadAction);
}

/** An action of a work item. @param toPath makes a path of the file absolute */
export function buildWorkAction(input: ActionInput, toPath: (path: string) => string): WorkAction {
  const { module: path, exec: argv, env = {}, http: url, mqtt: topic, timeout: timeoutNs = TIMEOUT_NS } = input;
  const limit = buildLimit(input);
  if (path !== undefined) return { kind: 'module', path: toPath(path), timeoutNs, ...limit };
  if (argv !== undefined) return { kind: 'exec', argv, env, timeoutNs, ...limit };
  if (url !== undefined) {
    const { method = 'POST', headers = {}, body, retries = 0 } = input;
    return { kind: 'http', url, method, headers, body, timeoutNs, retries, ...limit };
  }
  if (topic !== undefined) {
    const { payload = [], qos = 1, retain = false } = input;
    return { kind: 'mqtt', topic, payload, qos, retain, ...limit };
  }
  return buildThreadAction(input);
}
