// The description of the API: right in itself, the same as the one in docs/, and true of every answer.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handleEdgeIrq, IRQ_HANDLED, IrqDomain, requestIrq } from '../../kernel/index.js';
import type { Schema } from './answer-schema.js';
import { answerSchemas } from './answers.js';
import { ControlClient } from './client.js';
import { EVENT_TYPES } from './events.js';
import { FakeService } from './fake-service.spec-helper.js';
import { openapi } from './openapi.js';
import { describedRoutes } from './routes.js';
import { type ControlServer, startControl } from './server.js';
import type { ControlEvent } from './target.js';

let directory = '';
let service: FakeService;
let server: ControlServer;
let client: ControlClient;
const routes = describedRoutes();
const VERSION = (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-openapi-'));
  service = new FakeService();
  const { machine } = service;
  const domain = new IrqDomain(machine, {
    name: 'fake',
    size: 32,
    flow: handleEdgeIrq,
    chip: { name: 'fake', mask: () => {}, unmask: () => {}, setAffinity: (_desc, mask) => mask & -mask },
  });
  const irq = domain.createMapping(17);
  machine.runTask(() => requestIrq(irq, () => IRQ_HANDLED, 0, 'button1'));
  const path = join(directory, 'control.sock');
  const extraRoutes = routes.filter(({ path }) => path === '/metrics');
  server = await startControl({ target: service, path, log: pino({ level: 'silent' }), extraRoutes });
  client = new ControlClient(path);
});
afterAll(async () => {
  await client.close();
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** The schemas, with every object closed: what is not described is a mistake here, though clients are to expect it. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const closed = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  return 'properties' in closed ? { ...closed, additionalProperties: false } : closed;
}

const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true });
const schemas = strict(answerSchemas()) as Record<string, Schema>;
ajv.addVocabulary(['components']);
ajv.addSchema({ $id: 'api', components: { schemas } }, 'api', false, false);

function validator(name: string): ValidateFunction {
  return ajv.compile({ $ref: `api#/components/schemas/${name}` });
}

function expectValid(name: string, value: unknown): void {
  const validate = validator(name);
  expect([validate(value), validate.errors]).toEqual([true, null]);
}

describe('the description', () => {
  it('is right by the rules of OpenAPI 3.1', async () => {
    const result = await new Validator().validate(JSON.parse(JSON.stringify(openapi(routes, VERSION))));
    expect(result).toMatchObject({ valid: true });
  });

  it('is what the daemon says of itself', async () => {
    expect(await client.call('GET', '/v1/openapi.json')).toEqual(JSON.parse(JSON.stringify(openapi(routes, '0.0.0'))));
  });

  it('is told to people as well: every route and every type of event is in docs/control.md', () => {
    const page = readFileSync('docs/control.md', 'utf8');
    const paths = routes.map(({ path }) => path.replace(':name', 'NAME').replace(':irq', 'N').replace('*', 'PATH'));
    expect(paths.filter((path) => !page.includes(path))).toEqual([]);
    expect(
      [...Object.keys(EVENT_TYPES), 'gap'].filter(
        (type) => !page.includes(`| \`${type}\``) && !page.includes(`, \`${type}\` |`),
      ),
    ).toEqual([]);
  });

  it('has another id for each route, and a schema for each name', () => {
    const ids = routes.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const named = routes.flatMap(({ answer }) => answer.schema ?? []);
    expect(named.filter((name) => !(name in schemas))).toEqual([]);
  });
});

describe('every answer is as it is described', () => {
  const IRQ = 1;
  it.each([
    ['GET', '/v1/status', undefined, 'DaemonStatus'],
    ['GET', '/v1/lines', undefined, 'Lines'],
    ['GET', '/v1/lines/led1', undefined, 'LineStatus'],
    ['PUT', '/v1/lines/led1', { value: 1 }, 'LineStatus'],
    ['POST', '/v1/buttons/button1/press', undefined, 'Pressed'],
    ['GET', '/v1/interrupts', undefined, 'InterruptsStatus'],
    ['GET', `/v1/irqs/${IRQ}`, undefined, 'IrqStatus'],
    ['POST', `/v1/irqs/${IRQ}/disable`, undefined, 'IrqStatus'],
    ['POST', `/v1/irqs/${IRQ}/enable`, undefined, 'IrqStatus'],
    ['PUT', `/v1/irqs/${IRQ}/affinity`, { mask: '1' }, 'IrqStatus'],
    ['GET', '/v1/files/proc/interrupts', undefined, 'FileAnswer'],
    ['GET', '/v1/files/proc', undefined, 'FileAnswer'],
    ['PUT', '/v1/files/proc/irq/default_smp_affinity', { text: '3\n' }, 'Written'],
    ['GET', '/v1/softirqs', undefined, 'Softirqs'],
    ['GET', '/v1/workqueues', undefined, 'Workqueues'],
    ['GET', '/v1/tasks', undefined, 'Tasks'],
    ['GET', '/v1/trace', undefined, 'Text'],
    ['POST', '/v1/reload', undefined, 'ReloadReport'],
    ['GET', '/v1/hooks', undefined, 'Hooks'],
  ] as const)('%s %s', async (method, route, body, name) => {
    expectValid(name, await client.call(method, route, body));
  });

  it('and so is every error', async () => {
    for (const route of ['/v1/nope', '/v1/lines/nope', '/v1/irqs/x', '/v1/files/nope', '/v1/trace?format=x']) {
      const error = await client.call('GET', route).catch((refusal: object) => refusal);
      const { code, message, hint } = error as Record<string, string>;
      expectValid('ControlError', { code, message, ...(hint === undefined ? {} : { hint }) });
    }
  });

  const at = { atNs: 1 } as const;
  it.each<ControlEvent>([
    { ...at, type: 'edge', line: 'b', edge: 'rising', lineSeqno: 1 },
    { ...at, type: 'value', line: 'b', value: 0 },
    { ...at, type: 'log', interrupt: 'b', text: '' },
    { ...at, type: 'lost', line: 'b', count: 1 },
    { ...at, type: 'storm', line: 'b', phase: 'begins' },
    { ...at, type: 'storm', line: 'b', phase: 'ends', throttles: 1, throttledNs: 1, leftOut: 1 },
    { ...at, type: 'chip', phase: 'gone', message: '' },
    { ...at, type: 'line', line: 'b', phase: 'held' },
    { ...at, type: 'reload', ok: true, changes: [], errors: [] },
    { ...at, type: 'error', interrupt: 'b', message: '', stack: '' },
  ])('and the event %j', (event) => {
    expectValid('ControlEvent', event);
    expect(validator('ControlEvent')({ ...event, more: 1 })).toBe(false);
  });
});
