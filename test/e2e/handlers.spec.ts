// Handler modules: that docs/handlers.md says the truth, and that no handler takes the daemon or its line down.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Daemon, ROOT, useLab } from './running-daemon.js';

const lab = useLab();
/** Several programs are started one after the other, on a machine that may be busy. */
const TIMEOUT = 300_000;

const LINES = `lines:
  button1: { gpio: 17, edge: rising, bias: pull-up, active: low }
  button2: { gpio: 18, edge: rising, bias: pull-up, active: low }
  led1: { gpio: 4, direction: out, initial: 1 }
`;

/** A daemon whose button 2 is handled by `module`. */
function startWith(module: string): Promise<Daemon> {
  lab.write('handler.js', module);
  return lab.start(
    lab.write('config.yaml', `${LINES}interrupts:\n  - { line: button2, name: b2, handler: ./handler.js }\n`),
  );
}

/** That the line still works: a press is counted, and `log` comes again. */
async function goesOn(daemon: Daemon): Promise<void> {
  const { rising } = await daemon.line('button2');
  await daemon.press('button2', { forNs: 1e6 });
  expect(await daemon.line('button2')).toMatchObject({ rising: rising + 1, lost: 0, dropped: 0 });
}

/** The code blocks of docs/handlers.md. */
function blocks(language: string): string[] {
  const text = readFileSync(join(ROOT, 'docs/handlers.md'), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, code = '']) => code);
}

test('the module of docs/handlers.md does what is said there', { timeout: TIMEOUT }, async () => {
  const [yaml = ''] = blocks('yaml');
  const [module = ''] = blocks('js');
  expect(module).toMatch(/^\/\/ handlers\/button2\.js\n/);
  lab.write('handlers/button2.js', module);
  const daemon = await lab.start(lab.write('config.yaml', LINES + yaml));
  const watch = await daemon.watch();
  await daemon.press('button2', { forNs: 80e6 });
  await watch.count('log', 2);
  expect((await daemon.line('led1')).value).toBe(0);
  const logs = (await watch.count('log', 2)).map(({ interrupt, text }) => [interrupt, text]);
  expect(logs).toEqual([
    ['button2', 'still pressed: 1'],
    ['button2', 'button2.work is done'],
  ]);
  expect(daemon.out).toContain('"msg":"still pressed: 1"');
  const { text } = await daemon.interrupts();
  expect(text).toMatch(/ 1 +pinctrl-bcm2835 +18 Edge +gpio-irqd, button2$/m);
  expect(await daemon.trace()).toMatch(
    /┏ \d+: button2[\s\S]*┠ led1 = 0[\s\S]*WAKE_THREAD[\s\S]*┏ \d+: button2[\s\S]*┏ button2\.work/,
  );
  expect((await daemon.status()).handlerErrors).toBe(0);
});

test('the module of the examples is the one of docs/handlers.md', { timeout: TIMEOUT }, async () => {
  const [module = ''] = blocks('js');
  const example = readFileSync(join(ROOT, 'examples/handlers/button2.js'), 'utf8');
  expect(example.slice(example.indexOf('/** Hard'))).toBe(module.slice(module.indexOf('/** Hard')));
  const demo = await lab.run('main', ['--config', join(ROOT, 'examples/handler-module.yaml'), '--demo']).finished;
  expect(demo).toMatchObject({ code: 0, err: '' });
  expect(demo.out).toMatch(/led1 = 1 \(on\)[\s\S]*Pressing button2[\s\S]*still pressed: 1[\s\S]*button2\.work is done/);
});

test('dev has the line, all lines, the edge, the work item, the kernel and the log', { timeout: TIMEOUT }, async () => {
  const daemon = await startWith(`
    export function topHalf(irq, dev) {
      const { rising, lineSeqno, stampNs } = dev.edge;
      dev.log(JSON.stringify([irq === dev.kernel.gpiodToIrq(dev.line), dev.line.name, dev.line.offset, Object.keys(dev.lines),
        rising, lineSeqno, stampNs > 0, dev.work instanceof dev.kernel.Work, dev.kernel.inHardirq()]));
      return dev.kernel.IRQ_HANDLED;
    }`);
  const watch = await daemon.watch();
  await daemon.press('button2', { forNs: 1e6 });
  const [log] = await watch.count('log', 1);
  expect(log).toMatchObject({ interrupt: 'b2' });
  expect(JSON.parse(log?.text ?? '')).toEqual([
    true,
    'button2',
    18,
    ['button1', 'button2', 'led1'],
    true,
    1,
    true,
    true,
    true,
  ]);
});

test('without topHalf the thread is woken at each edge', { timeout: TIMEOUT }, async () => {
  const daemon = await startWith(`export const threadFn = (irq, dev) => {
    dev.log('in ' + dev.kernel.current().comm);
    return dev.kernel.IRQ_HANDLED;
  };`);
  const watch = await daemon.watch();
  await daemon.press('button2', { forNs: 1e6 });
  await daemon.press('button2', { forNs: 1e6 });
  const logs = await watch.count('log', 2);
  expect(logs.map(({ text }) => text.replace(/\d+/, 'N'))).toEqual(['in irq/N-b2', 'in irq/N-b2']);
});

test.each([
  ['plain', 'export function threadFn(irq, dev) { dev.log("ran"); return dev.kernel.IRQ_HANDLED; }'],
  [
    'generator',
    'export function* threadFn(irq, dev) { yield* dev.kernel.msleep(3); dev.log("ran"); return dev.kernel.IRQ_HANDLED; }',
  ],
  [
    'async',
    `import { setTimeout as wait } from 'node:timers/promises';
     export async function threadFn(irq, dev) { await dev.kernel.msleep(3); await wait(1); dev.log("ran"); return dev.kernel.IRQ_HANDLED; }`,
  ],
])('a thread function may be %s, and a press waits for it', { timeout: TIMEOUT }, async (_kind, module) => {
  const daemon = await startWith(module);
  const watch = await daemon.watch();
  for (let i = 1; i <= 3; i++) {
    await daemon.press('button2', { forNs: 1e6 });
    expect(await watch.count('log', i)).toHaveLength(i);
  }
  expect((await daemon.status()).handlerErrors).toBe(0);
});

test.each([
  ['topHalf', 'export function topHalf() { throw new Error("from topHalf"); }', /^handler b2 of irq \d+$/],
  ['threadFn', 'export function threadFn() { throw new Error("from threadFn"); }', /^thread function b2 of irq \d+$/],
  [
    'threadFn, a generator',
    'export function* threadFn(irq, dev) { yield* dev.kernel.msleep(1); throw new Error("from threadFn"); }',
    /^thread function b2 of irq \d+$/,
  ],
  [
    'threadFn, async',
    'export async function threadFn(irq, dev) { await dev.kernel.msleep(1); throw new Error("from threadFn"); }',
    /^thread function b2 of irq \d+$/,
  ],
  [
    'work',
    `export const topHalf = (irq, dev) => (dev.kernel.scheduleWork(dev.work), dev.kernel.IRQ_HANDLED);
     export function work() { throw new Error("from work"); }`,
    /^work button2\.work of workqueue events$/,
  ],
])(
  'what %s throws is reported with its stack, and the line goes on working',
  { timeout: TIMEOUT },
  async (part, module, where) => {
    const daemon = await startWith(module);
    const watch = await daemon.watch();
    for (let i = 1; i <= 2; i++) {
      await goesOn(daemon);
      const errors = await watch.count('error', i);
      expect(errors.at(-1)).toMatchObject({
        interrupt: expect.stringMatching(where),
        message: `from ${part.split(',')[0]}`,
        stack: expect.stringMatching(/handler\.js:\d+:\d+/),
      });
      expect((await daemon.status()).handlerErrors).toBe(i);
    }
    const [logged] = daemon.out.split('\n').filter((line) => line.startsWith('<3>'));
    expect(JSON.parse(logged?.slice(3) ?? '')).toMatchObject({
      err: { stack: expect.stringContaining('handler.js:') },
    });
  },
);

test.each([
  ['is async', 'export async function topHalf(irq, dev) { return dev.kernel.IRQ_HANDLED; }'],
  ['sleeps', 'export function* topHalf(irq, dev) { yield* dev.kernel.schedule(); return dev.kernel.IRQ_HANDLED; }'],
])('a top half that %s is reported as the kernel would', { timeout: TIMEOUT }, async (_what, module) => {
  const daemon = await startWith(module);
  const watch = await daemon.watch();
  await goesOn(daemon);
  const { message } = (await watch.until(
    ({ type, ...event }) => type === 'error' && 'interrupt' in event && event.interrupt === 'kernel',
  )) as { message?: string };
  expect(message).toMatch(/^BUG: scheduling while atomic: .+\/\d+\/0x[0-9a-f]{8}$/);
  expect(daemon.out).toContain('BUG: scheduling while atomic');
  expect((await daemon.status()).handlerErrors).toBeGreaterThan(0);
  await goesOn(daemon);
});

test('a promise that a handler does not await does not take the daemon down', { timeout: TIMEOUT }, async () => {
  const daemon = await startWith(
    'export function topHalf(irq, dev) { Promise.reject(new Error("unheard")); return dev.kernel.IRQ_HANDLED; }',
  );
  const watch = await daemon.watch();
  await goesOn(daemon);
  expect(await watch.count('error', 1)).toMatchObject([
    { interrupt: 'a promise that nobody awaits', message: 'unheard' },
  ]);
  await goesOn(daemon);
});

test('what a callback of a handler throws, outside of every context, ends the daemon with its stack', {
  timeout: TIMEOUT,
}, async () => {
  const daemon = await startWith(
    'export function topHalf(irq, dev) { setTimeout(() => { throw new Error("later"); }); return dev.kernel.IRQ_HANDLED; }',
  );
  void daemon.press('button2').catch(() => undefined);
  const { code, err } = await daemon.finished;
  expect(code).toBe(1);
  expect(err).toMatch(/Error: later\n +at .*handler\.js:1:/);
});

test.each([
  ['export const topHalf = 3;', /handler\.js: topHalf is not a function \(EINVAL\)/],
  ['export const other = 1;', /exports neither topHalf nor threadFn \(EINVAL\)/],
  ['export function topHalf( {', /cannot be loaded: Unexpected .*\(EINVAL\)\n {2}.*node --check/],
  ['throw new Error("at load");', /cannot be loaded: at load \(.*handler\.js:1:7\) \(EINVAL\)/],
  [undefined, /config\.yaml:6:31: .*no file '\.\/handler\.js'; it is looked for in .*, beside the configuration/],
])('does not start with a module that is %j', { timeout: TIMEOUT }, async (module, message) => {
  if (module !== undefined) lab.write('handler.js', module);
  const file = lab.write('config.yaml', `${LINES}interrupts:\n  - { line: button2, handler: ./handler.js }\n`);
  const { code, err } = await lab.run('main', ['--config', file, '--driver', 'sim']).finished;
  expect(err).toMatch(message);
  // A missing file is a mistake of the configuration.
  expect(code).toBe(module === undefined ? 2 : 1);
});
