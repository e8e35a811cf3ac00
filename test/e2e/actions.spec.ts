// Actions of a daemon that runs: programs, requests and handlers in TypeScript, as real as they get without a Raspberry Pi.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, useLab } from './running-daemon.js';

const lab = useLab();
const TIMEOUT = 300_000;

const LINES = `lines:
  button1: { gpio: 17, edge: both, bias: pull-up, active: low }
  led1: { gpio: 4, direction: out }
`;

test('a handler in TypeScript does its work, and its errors name their line', { timeout: TIMEOUT }, async () => {
  lab.write(
    'handler.ts',
    `// Erasable syntax only: types, and nothing that runs.
interface Device { readonly kernel: { readonly IRQ_WAKE_THREAD: number; readonly IRQ_HANDLED: number }; log(text: string): void }

let edges: number = 0;

export function topHalf(_irq: number, dev: Device): number {
  edges++;
  return dev.kernel.IRQ_WAKE_THREAD;
}

export function threadFn(_irq: number, dev: Device): number {
  dev.log(\`edges: \${edges as number}\`);
  if (edges === 2) throw new Error('two are enough');
  return dev.kernel.IRQ_HANDLED;
}
`,
  );
  const daemon = await lab.start(
    lab.write('config.yaml', `${LINES}interrupts: [{ line: button1, handler: ./handler.ts }]\n`),
  );
  const watch = await daemon.watch();
  await daemon.press('button1', { forNs: 50e6 });
  await watch.count('log', 1);
  const [error] = await watch.count('error', 1);
  expect(error?.message).toBe('two are enough');
  expect(error?.stack).toMatch(/handler\.ts(\?[^:]*)?:13:/);
});

test('the handler in TypeScript of docs/handlers.md does what it says', { timeout: TIMEOUT }, async () => {
  const [, module = ''] = /^```ts\n([\s\S]*?)^```$/m.exec(readFileSync(join(ROOT, 'docs/handlers.md'), 'utf8')) ?? [];
  expect(module).toMatch(/^\/\/ handlers\/button1\.ts\n/);
  lab.write('handlers/button1.ts', module);
  const text = `${LINES}interrupts: [{ line: button1, handler: ./handlers/button1.ts }]\n`;
  const daemon = await lab.start(lab.write('config.yaml', text));
  const watch = await daemon.watch();
  await daemon.press('button1', { forNs: 200e6 });
  const logs = await watch.count('log', 4);
  expect(logs.map((log) => log.text)).toEqual(['edges: 1', 'button1.work is done', 'edges: 2', 'button1.work is done']);
});

test('a handler in TypeScript that is wrong is refused, with its place', { timeout: TIMEOUT }, async () => {
  lab.write('handler.ts', 'export function topHalf(irq: number {\n');
  const path = lab.write('config.yaml', `${LINES}interrupts: [{ line: button1, handler: ./handler.ts }]\n`);
  const running = lab.run('main', ['run', '--config', path, '--driver', 'sim', '--socket', `${lab.directory}/s`]);
  const { code, err } = await running.finished;
  expect(code).toBe(1);
  expect(err).toMatch(/handler\.ts cannot be loaded: .*1:\d+/);
  expect(err).not.toContain('node_modules');
});

test('a press sends a request and runs a program, and the daemon tells how both went', {
  timeout: TIMEOUT,
}, async () => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers['x-token']}`);
    response.writeHead(request.url === '/rising' ? 200 : 404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const script = 'console.log(process.env.GPIO_EDGE, process.env.WHO, process.argv[1]); process.exitCode = 3';
    const daemon = await lab.start(
      lab.write(
        'config.yaml',
        `${LINES}interrupts:
  - line: button1
    top_half: [{ follow: led1 }]
    work:
      - { do: [{ http: "${url}/{edge}", method: GET, headers: { X-Token: sesame }, timeout: 5s }] }
      - { do: [{ exec: [${process.execPath}, -e, "${script}", "{seqno}; ls"], env: { WHO: "{line}" }, limit: { rate: 1, per: 1h } }] }
`,
      ),
    );
    const watch = await daemon.watch();
    await daemon.press('button1', { forNs: 50e6 });
    const errors = await watch.count('error', 2);
    expect(errors.map(({ message }) => message).sort()).toEqual(
      [`${process.execPath}: ended with status 3`, `${url} answers with status 404`].sort(),
    );
    const [log] = await watch.count('log', 1);
    expect(log?.text).toMatch(/^rising button1 \d+; ls$/);
    await watch.count('limited', 1);
    expect(seen).toEqual(['GET /rising sesame', 'GET /falling sesame']);
    expect(daemon.out).not.toContain('sesame');
    expect((await daemon.line('led1')).value).toBe(0);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('gpio-irqctl calls a hook, and the doorbell of the examples tells presses apart', {
  timeout: TIMEOUT,
}, async () => {
  const daemon = await lab.start(join(ROOT, 'examples/doorbell.yaml'));
  const watch = await daemon.watch();
  const socket = ['--socket', join(lab.directory, 'control.sock')];
  const call = (...args: string[]) => lab.run('ctl', [...socket, ...args]).finished;
  expect(await call('hooks')).toMatchObject({ code: 0, out: 'lamp\n' });
  expect(await call('hook', 'lamp', 'hello')).toMatchObject({ code: 0 });
  expect((await watch.count('log', 1))[0]?.text).toBe('lamp by hook: hello');
  expect((await daemon.line('lamp')).value).toBe(1);
  expect(await call('hook', 'nobody')).toMatchObject({ code: 1, err: expect.stringContaining('no hook nobody') });
  await daemon.press('lamp_button', { forNs: 1.2e9 });
  const [press] = await watch.count('press', 1);
  expect(press).toMatchObject({ line: 'lamp_button', pattern: 'long', count: 1 });
  await watch.count('log', 2);
  expect((await daemon.line('lamp')).value).toBe(0);
});
