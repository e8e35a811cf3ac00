// `triggers`: what runs work besides edges: a schedule, a call of the API, a message.

import { z } from 'zod';
import { filterFault } from '../../mqtt/message.js';
import { cronFault } from '../../triggers/cron.js';
import type { TriggerSpec } from '../action-types.js';
import { type ConfigPath, describe } from '../errors.js';
import type { Rules } from '../rules.js';
import { keys, matching, name } from '../values.js';
import { buildWork, checkWorkItem, workItemsAt, workSchema } from './work.js';

/** A trigger: exactly one of `schedule`, `hook`, `mqtt`. */
export const triggerSchema = keys({
  name: name.describe('Name in the log and in views; no two triggers may have the same.'),
  schedule: matching(/^\S+(\s+\S+){4,6}$/, 'write minute, hour, day, month and weekday: "0 7 * * 1-5"')
    .max(256)
    .optional()
    .describe('When: a cron expression of five fields, or six with seconds first; in the time of `timezone`.')
    .meta({ examples: ['0 7 * * 1-5'] }),
  timezone: matching(/^[A-Za-z][A-Za-z0-9_+/-]*$/, 'write a name of the IANA list: Europe/Berlin')
    .max(64)
    .optional()
    .describe("Time zone of the schedule; the machine's when left out."),
  catch_up: z
    .boolean()
    .optional()
    .describe('Run once for what was missed while the machine was suspended or its clock was set forward.')
    .meta({ default: false }),
  hook: matching(/^[A-Za-z][A-Za-z0-9_-]{0,30}$/, 'a letter, then letters, digits, - and _, 31 at most')
    .optional()
    .describe('Name under which the API runs it: `POST /v1/hooks/NAME`, `gpio-irqctl hook NAME`.'),
  mqtt: matching(/^[^\0]+$/, 'write a topic: home/bell/ring')
    .max(256)
    .optional()
    .describe('Topic whose messages run it.'),
  work: workSchema.describe('A work item, or a list of them.'),
}).describe('Something besides an edge that runs work.');

const KINDS = ['schedule', 'hook', 'mqtt'] as const;

/** A checked trigger. */
export type TriggerInput = z.output<typeof triggerSchema>;

/** Checks `triggers`: one source each, and no name or hook twice. */
export function checkTriggers(rules: Rules): void {
  const names = new Map<string, ConfigPath>();
  const hooks = new Map<string, ConfigPath>();
  for (const { path, input } of rules.pieces.triggers) {
    if (input === undefined) continue;
    rules.claim(names, input.name, [...path, 'name'], 'the name', 'give each trigger its own');
    if (input.hook !== undefined) rules.claim(hooks, input.hook, [...path, 'hook'], 'the hook', 'give each its own');
    const given = KINDS.filter((kind) => input[kind] !== undefined);
    if (given.length === 0) {
      rules.add('CONFIG_MISSING', path, `nothing runs ${describe(input.name)}`, `add ${KINDS.join(', ')}`);
    } else if (given.length > 1) {
      rules.add('CONFIG_CONFLICT', path, `${given.join(' and ')} in one trigger`, 'write one trigger for each');
    }
    for (const option of ['timezone', 'catch_up'] as const) {
      if (input[option] === undefined || input.schedule !== undefined) continue;
      const hint = `${option} goes with schedule`;
      rules.add('CONFIG_CONFLICT', [...path, option], `${option} without schedule`, hint, true);
    }
    if (input.mqtt !== undefined && rules.isMissing('mqtt')) {
      const hint = 'add the section mqtt: with the url of the broker';
      rules.add('CONFIG_REFERENCE', [...path, 'mqtt'], 'no broker that messages come from', hint, true);
    }
    checkSource(rules, input, path);
    const place = given[0] ?? 'hook';
    for (const { item, at } of workItemsAt(input.work, [...path, 'work'])) checkWorkItem(rules, item, at, { place });
  }
}

/** What a trigger waits for must be something that can come. */
function checkSource(rules: Rules, { schedule, timezone, mqtt }: TriggerInput, path: ConfigPath): void {
  const badZone = timezone !== undefined && !isTimeZone(timezone);
  if (badZone) {
    const hint = 'write a name of the IANA list: Europe/Berlin';
    rules.add('CONFIG_VALUE', [...path, 'timezone'], `no time zone ${describe(timezone)}`, hint);
  }
  const fault = schedule === undefined ? undefined : cronFault(schedule, badZone ? undefined : timezone);
  if (fault !== undefined) {
    const hint = 'minute, hour, day, month, weekday: "0 7 * * 1-5" is at seven on working days';
    rules.add('CONFIG_VALUE', [...path, 'schedule'], fault, hint);
  }
  const filter = mqtt === undefined ? undefined : filterFault(mqtt);
  if (filter !== undefined) rules.add('CONFIG_VALUE', [...path, 'mqtt'], filter, 'write a topic: home/bell/ring');
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** A trigger. @param toPath makes a path of the file absolute */
export function buildTrigger(input: TriggerInput, toPath: (path: string) => string): TriggerSpec {
  const { schedule, timezone, catch_up: catchUp = false, hook, mqtt: topic = '' } = input;
  const what = { name: input.name, work: input.work.items.map((item) => buildWork(item, toPath)) };
  if (schedule !== undefined) return { ...what, by: 'schedule', schedule, timezone, catchUp };
  return hook === undefined ? { ...what, by: 'mqtt', topic } : { ...what, by: 'hook', hook };
}
