// The API described in OpenAPI 3.1, made of its routes and of the schemas of its answers.

import { z } from 'zod';
import { ref, type Schema } from './answer-schema.js';
import { answerSchemas } from './answers.js';
import type { Route } from './route.js';

const DESCRIPTION =
  'JSON over HTTP on the control socket of gpio-irqd; on a TCP port of the same machine too if the configuration has `http:`, ' +
  'for those with its token. Times are whole ns.';

/** Without what is said once for all of the document. */
function schemaOf(type: z.ZodType): Schema {
  const { $schema, ...schema } = z.toJSONSchema(type, { io: 'input' });
  return schema;
}

interface ObjectSchema extends Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** A path as OpenAPI has it, and what its last part is called where that is the rest of the path. */
function templated(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}').replace('*', '{path}');
}

function parametersOf(type: z.ZodType | undefined, where: 'path' | 'query'): object[] {
  if (type === undefined) return [];
  const { properties = {}, required = [] }: ObjectSchema = schemaOf(type);
  return Object.entries(properties).map(([key, { description, ...schema }]) => ({
    name: key === '*' ? 'path' : key,
    in: where,
    required: required.includes(key),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

function bodyOf(type: z.ZodType | undefined): object {
  if (type === undefined) return {};
  const schema = schemaOf(type);
  if (schema.type === 'null') return {};
  const required = !type.safeParse(null).success;
  return { requestBody: { required, content: { 'application/json': { schema } } } };
}

function contentOf({ answer }: Route): object {
  const content: Record<string, object> = {};
  if (answer.schema !== undefined) content['application/json'] = { schema: ref(answer.schema) };
  for (const type of answer.types ?? []) {
    const event = type === 'text/event-stream';
    content[type] = { schema: event ? { type: 'string', description: 'data: a ControlEvent' } : {} };
  }
  return content;
}

function operationOf(route: Route): object {
  const parameters = [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')];
  return {
    operationId: route.id,
    summary: route.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...bodyOf(route.body),
    responses: {
      200: { description: 'Done.', content: contentOf(route) },
      default: { description: 'Refused or failed.', content: { 'application/json': { schema: ref('ControlError') } } },
    },
  };
}

/** The description. @param version of the program */
export function openapi(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = templated(route.path);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'gpio-irqd', version, description: DESCRIPTION, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: 'http://127.0.0.1:9470', description: 'with `http:` in the configuration' }],
    security: [{}, { token: [] }],
    paths,
    components: {
      schemas: answerSchemas(),
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'on TCP only' } },
    },
  };
}
