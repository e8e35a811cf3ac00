// Modules in worker threads, from the configuration to the event: that the daemon goes on meanwhile, and tells each edge's fate.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Daemon, ROOT, useLab } from './running-daemon.js';

const lab = useLab();
/** Several programs are started one after the other, on a machine that may be busy. */
const TIMEOUT = 300_000;

/** A daemon whose button 1 calls `module` on a queue with two threads, while button 2 toggles a LED. */
function startWith(module: string, timeout: string): Promise<Daemon> {
  lab.write('compute.js', module);
  const config = `lines:
  button1: { gpio: 17, edge: rising, bias: pull-up, active: low }
  button2: { gpio: 18, edge: rising, bias: pull-up, active: low }
  led1: { gpio: 4, direction: out }
workqueues: { heavy: { flags: [cpu_intensive], max_active: 2, memory_max: 32M } }
interrupts:
  - { line: button1, name: b1, work: { queue: heavy, do: [ { module: ./compute.js, timeout: ${timeout} } ] } }
  - { line: button2, name: b2, top_half: [ { toggle: led1 } ] }
`;
  return lab.start(lab.write('config.yaml', config));
}

test('the example counts primes beside the daemon', { timeout: TIMEOUT }, async () => {
  const daemon = await lab.start(join(ROOT, 'examples/compute.yaml'));
  const watch = await daemon.watch();
  await daemon.press('button1', { forNs: 20e6 });
  const [log] = await watch.count('log', 1);
  expect(log).toMatchObject({ interrupt: 'button1', text: 'edge 1 of button1: 78498 primes' });
});

test('the daemon handles edges while a module computes', { timeout: TIMEOUT }, async () => {
  const go = join(lab.directory, 'go');
  const module = `import { existsSync } from 'node:fs';
    export default function () { while (!existsSync(${JSON.stringify(go)})); return 'done'; }`;
  const daemon = await startWith(module, '100s');
  const watch = await daemon.watch();
  // A press waits for the work of its line, so the first one comes back last.
  const first = daemon.press('button1', { forNs: 1e6 });
  await watch.count('edge', 1);
  await daemon.press('button2', { forNs: 1e6 });
  expect((await daemon.line('led1')).value).toBe(1);
  expect(watch.events.filter(({ type }) => type === 'log')).toEqual([]);
  lab.write('go', '');
  await first;
  expect((await watch.count('log', 1))[0]?.text).toBe('done');
});

test('a module that computes for ever is ended in time', { timeout: TIMEOUT }, async () => {
  const daemon = await startWith('export default function () { for (;;) {} }', '300ms');
  const watch = await daemon.watch();
  await daemon.press('button1', { forNs: 1e6 });
  const [error] = await watch.count('error', 1);
  expect(error).toMatchObject({ interrupt: 'b1' });
  expect(error?.message).toMatch(/compute\.js ran out of time and was ended; edge 1 of button1 is not dealt with/);
  expect(daemon.out).toContain('raise its timeout');
});

test.each([
  ['fills its memory', 'const all = []; for (;;) all.push(new Array(1000).fill(1.5));', /filled its 32M of memory/],
  ['ends its thread', 'process.exit(7);', /worker exited with code: 7/],
  ['throws in a callback', 'setTimeout(() => { throw new Error("later"); }); return new Promise(() => {});', /later/],
])(
  'a module that %s loses its thread alone, and the next edge has a new one',
  { timeout: TIMEOUT },
  async (_, body, text) => {
    const daemon = await startWith(
      `export default function (edge) { if (edge.seqno > 1) return 'alive ' + edge.seqno; ${body} }`,
      '100s',
    );
    const watch = await daemon.watch();
    await daemon.press('button1', { forNs: 1e6 });
    const [error] = await watch.count('error', 1);
    expect(error?.message).toMatch(text);
    await daemon.press('button1', { forNs: 1e6 });
    const [log] = await watch.count('log', 1);
    expect(log?.text).toBe('alive 2');
    expect((await daemon.status()).handlerErrors).toBe(1);
    expect(await daemon.line('button1')).toMatchObject({ rising: 2, lost: 0, dropped: 0 });
  },
);

test('edges that come faster than a module computes wait, and all are dealt with in order', {
  timeout: TIMEOUT,
}, async () => {
  const module =
    'export default async (edge) => { await new Promise((done) => setTimeout(done, 20)); return edge.seqno; };';
  const daemon = await startWith(module, '100s');
  const watch = await daemon.watch();
  await daemon.press('button1', { forNs: 20e6, bounce: true });
  const { rising } = await daemon.line('button1');
  expect(rising).toBeGreaterThan(2);
  const logs = await watch.count('log', rising);
  expect(logs.map(({ text }) => Number(text))).toEqual(Array.from({ length: rising }, (_, i) => i + 1));
});

test('a stop ends the threads, and says what was cut off', { timeout: TIMEOUT }, async () => {
  const daemon = await startWith('export default function () { for (;;) {} }', '100s');
  const watch = await daemon.watch();
  void daemon.press('button1', { forNs: 1e6 }).catch(() => undefined);
  await watch.count('edge', 1);
  const { code, out } = await daemon.ends('SIGTERM');
  expect(code).toBe(0);
  expect(out).toMatch(/was ended, since the daemon stops; edge 1 of button1 is not dealt with/);
});

test('the example of docs/handlers.md is the one of the examples', () => {
  const docs = readFileSync(join(ROOT, 'docs/handlers.md'), 'utf8');
  const example = readFileSync(join(ROOT, 'examples/compute.yaml'), 'utf8');
  expect(docs).toContain(example.slice(example.indexOf('workqueues:')));
});
