// The routes of the control API to the model's kernel: its lines, files, softirqs, workqueues and tasks.

import { z } from 'zod';
import type { FileAnswer, IrqStatus, ModelTarget } from './model-target.js';
import { noBody } from './names.js';
import { type Route, route } from './route.js';

/** Characters of a path, and of what is written to a file: a page, as the kernel takes. */
const PATH_MAX = 256;
const TEXT_MAX = 4096;
const IRQ_MAX = 0xffff_ffff;
const MASK_MAX = 64;

const irqParams = z.strictObject({
  irq: z
    .string()
    .regex(/^\d{1,10}$/)
    .describe('number of the interrupt'),
});
const fileParams = z.strictObject({ '*': z.string().max(PATH_MAX).describe('path of the file, with its slashes') });

function number({ irq }: z.output<typeof irqParams>): number {
  return Math.min(Number(irq), IRQ_MAX);
}

function changeRoute(verb: 'enable' | 'disable', summary: string, act: (irq: number) => Promise<IrqStatus>): Route {
  return route({
    method: 'POST',
    path: `/v1/irqs/:irq/${verb}`,
    id: `${verb}Irq`,
    summary,
    params: irqParams,
    body: noBody,
    answer: { schema: 'IrqStatus' },
    handle: ({ params }) => act(number(params)),
  });
}

function irqRoutes(model: () => ModelTarget): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/irqs/:irq',
      id: 'getIrq',
      summary: 'One interrupt line of the model, in all that is known of it.',
      params: irqParams,
      answer: { schema: 'IrqStatus' },
      handle: ({ params }) => model().irq(number(params)),
    }),
    changeRoute('enable', 'Undoes one disable of this API.', (irq) => model().enableIrq(irq)),
    changeRoute('disable', 'Disables it once more, without waiting for its handlers.', (irq) =>
      model().disableIrq(irq),
    ),
    route({
      method: 'PUT',
      path: '/v1/irqs/:irq/affinity',
      id: 'setIrqAffinity',
      summary: 'Sends it to other CPUs.',
      params: irqParams,
      body: z.strictObject({
        mask: z.string().min(1).max(MASK_MAX).describe('in hexadecimal, as smp_affinity takes it'),
      }),
      answer: { schema: 'IrqStatus' },
      handle: ({ params, body }) => model().setAffinity(number(params), body.mask),
    }),
  ];
}

function fileRoutes(model: () => ModelTarget): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/files/*',
      id: 'readFile',
      summary: 'A file of the model’s /proc or /sys, or what a directory has.',
      params: fileParams,
      answer: { schema: 'FileAnswer' },
      handle: ({ params }): FileAnswer => model().readFile(`/${params['*']}`),
    }),
    route({
      method: 'PUT',
      path: '/v1/files/*',
      id: 'writeFile',
      summary: 'Writes to a file of the model.',
      params: fileParams,
      body: z.strictObject({ text: z.string().max(TEXT_MAX).describe('what is written, with its line end') }),
      answer: { schema: 'Written' },
      handle: async ({ params, body }) => {
        const path = `/${params['*']}`;
        await model().writeFile(path, body.text);
        return { path };
      },
    }),
  ];
}

/** The routes. */
export function modelRoutes(model: () => ModelTarget): readonly Route[] {
  return [
    ...irqRoutes(model),
    ...fileRoutes(model),
    route({
      method: 'GET',
      path: '/v1/softirqs',
      id: 'listSoftirqs',
      summary: '/proc/softirqs of the model, as text and by itself.',
      answer: { schema: 'Softirqs' },
      handle: () => model().softirqs(),
    }),
    route({
      method: 'GET',
      path: '/v1/workqueues',
      id: 'listWorkqueues',
      summary: 'The workqueues of the model, and what they have done.',
      answer: { schema: 'Workqueues' },
      handle: () => ({ workqueues: model().workqueues() }),
    }),
    route({
      method: 'GET',
      path: '/v1/tasks',
      id: 'listTasks',
      summary: 'The tasks of the model: interrupt threads, kworkers, ksoftirqd.',
      answer: { schema: 'Tasks' },
      handle: () => model().tasks(),
    }),
  ];
}
