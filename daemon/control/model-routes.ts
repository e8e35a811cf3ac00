// The routes of the control API to the model's kernel: its lines, files, softirqs, workqueues and tasks.

import type { FastifyInstance } from 'fastify';
import type { FileAnswer, IrqStatus, ModelTarget } from './model-target.js';

/** Characters of a path, and of what is written to a file: a page, as the kernel takes. */
const PATH_MAX = 256;
const TEXT_MAX = 4096;
const IRQ_MAX = 0xffff_ffff;

const IRQ_PARAMS = {
  type: 'object',
  properties: { irq: { type: 'string', pattern: '^\\d{1,10}$' } },
  required: ['irq'],
} as const;

const AFFINITY_BODY = {
  type: 'object',
  properties: { mask: { type: 'string', minLength: 1, maxLength: 64 } },
  required: ['mask'],
  additionalProperties: false,
} as const;

const FILE_PARAMS = {
  type: 'object',
  properties: { '*': { type: 'string', maxLength: PATH_MAX } },
  required: ['*'],
} as const;

const WRITE_BODY = {
  type: 'object',
  properties: { text: { type: 'string', maxLength: TEXT_MAX } },
  required: ['text'],
  additionalProperties: false,
} as const;

/** Nothing is told, and nothing may be sent. */
const NO_BODY = { type: 'null' } as const;

interface OfIrq {
  Params: { irq: string };
}

interface OfFile {
  Params: { '*': string };
}

function number({ irq }: OfIrq['Params']): number {
  return Math.min(Number(irq), IRQ_MAX);
}

function addIrqRoutes(app: FastifyInstance, model: ModelTarget): void {
  app.get<OfIrq>('/v1/irqs/:irq', { schema: { params: IRQ_PARAMS } }, ({ params }) => model.irq(number(params)));
  const change = (verb: string, act: (irq: number) => Promise<IrqStatus>): void => {
    app.post<OfIrq>(`/v1/irqs/:irq/${verb}`, { schema: { params: IRQ_PARAMS, body: NO_BODY } }, ({ params }) =>
      act(number(params)),
    );
  };
  change('enable', (irq) => model.enableIrq(irq));
  change('disable', (irq) => model.disableIrq(irq));
  app.put<OfIrq & { Body: { mask: string } }>(
    '/v1/irqs/:irq/affinity',
    { schema: { params: IRQ_PARAMS, body: AFFINITY_BODY } },
    ({ params, body }) => model.setAffinity(number(params), body.mask),
  );
}

function addFileRoutes(app: FastifyInstance, model: ModelTarget): void {
  app.get<OfFile>('/v1/files/*', { schema: { params: FILE_PARAMS } }, ({ params }) =>
    model.readFile(`/${params['*']}`),
  );
  app.put<OfFile & { Body: { text: string } }>(
    '/v1/files/*',
    { schema: { params: FILE_PARAMS, body: WRITE_BODY } },
    async ({ params, body }): Promise<FileAnswer | { path: string }> => {
      const path = `/${params['*']}`;
      await model.writeFile(path, body.text);
      return { path };
    },
  );
}

/** Adds the routes. */
export function addModelRoutes(app: FastifyInstance, model: ModelTarget): void {
  addIrqRoutes(app, model);
  addFileRoutes(app, model);
  app.get('/v1/softirqs', () => model.softirqs());
  app.get('/v1/workqueues', () => ({ workqueues: model.workqueues() }));
  app.get('/v1/tasks', () => model.tasks());
}
