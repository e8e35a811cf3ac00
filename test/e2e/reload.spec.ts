// Reloading the shipped daemon, and lines on several chips, on the simulated Pi.
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ReloadReport } from '../../daemon/control/target.js';
import { type Daemon, useLab } from './running-daemon.js';

const lab = useLab();
const TIMEOUT = 300_000;
const BASE = `lines:
  button1: { gpio: 17, edge: both, bias: pull-up, active: low }
  led1: { gpio: 4, direction: out }
interrupts:
  - { line: button1, top_half: [{ follow: led1 }] }
`;
const LED2 = '  led2: { gpio: 5, direction: out, initial: 1 }\ninterrupts:';

async function hangUp(daemon: Daemon, says: string): Promise<void> {
  daemon.child.kill('SIGHUP');
  await daemon.says(says);
}

test('SIGHUP has the file read anew: what was added is there, and the rest counts on', {
  timeout: TIMEOUT,
}, async () => {
  const config = lab.write('config.yaml', BASE);
  const daemon = await lab.start(config);
  await daemon.press('button1');
  const watch = await daemon.watch();
  writeFileSync(config, BASE.replace('interrupts:', LED2));
  await hangUp(daemon, 'configuration reloaded: lines: +led2');
  expect((await daemon.line('led2')).value).toBe(1);
  await daemon.press('button1');
  expect(await daemon.line('button1')).toMatchObject({ rising: 2, falling: 2, lost: 0 });
  expect(await watch.until(({ type }) => type === 'reload')).toMatchObject({ ok: true, changes: ['lines: +led2'] });
  expect((await daemon.ends('SIGTERM')).code).toBe(0);
});

test('a mistake is told with its place, to the log, to watchers and to who asked, and nothing changes', {
  timeout: TIMEOUT,
}, async () => {
  const config = lab.write('config.yaml', BASE);
  const daemon = await lab.start(config);
  const watch = await daemon.watch();
  writeFileSync(config, BASE.replace('pull-up', 'pullup'));
  await hangUp(daemon, 'configuration not reloaded, the old one goes on');
  const place = /config\.yaml:2:\d+: lines\.button1\.bias: .*did you mean pull-up\?/;
  expect(daemon.out).toMatch(place);
  expect(await watch.until(({ type }) => type === 'reload')).toMatchObject({
    ok: false,
    errors: [expect.stringMatching(place)],
  });
  expect(await daemon.ctl('reload')).toMatchObject({ code: 2, err: expect.stringMatching(place) });
  await daemon.press('button1');
  expect((await daemon.line('button1')).rising).toBe(1);
  // A file that is gone for a moment is a mistake, too.
  writeFileSync(config, '');
  expect((await daemon.ctl('reload')).code).toBe(2);
  writeFileSync(config, BASE.replace('interrupts:', LED2));
  expect(await daemon.ctl('reload')).toMatchObject({ code: 0, out: expect.stringContaining('lines: +led2') });
});

test('the level of the log changes at once, its form at the next start, and that is said', {
  timeout: TIMEOUT,
}, async () => {
  const config = lab.write('config.yaml', `${BASE}log: { level: info, format: json }\n`);
  const daemon = await lab.start(config);
  writeFileSync(config, `${BASE}log: { level: debug, format: json }\n`);
  expect((await daemon.ctl('reload')).out).not.toContain('takes effect');
  writeFileSync(config, `${BASE}log: { level: debug, format: text }\n`);
  expect(await daemon.ctl('reload')).toMatchObject({
    code: 0,
    out: expect.stringContaining('log.format: takes effect when the daemon is started anew'),
  });
  await daemon.says('"msg":"log.format takes effect at the next start"');
});

test('a handler module is loaded anew when its file is another, and may not be one at all', {
  timeout: TIMEOUT,
}, async () => {
  const text = `lines: { button1: { gpio: 17, edge: rising } }\ninterrupts: [{ line: button1, handler: ./handler.mjs }]\n`;
  const config = lab.write('config.yaml', text);
  const module = lab.write('handler.mjs', 'export function topHalf(irq, dev) { dev.log("one"); return 1; }\n');
  const daemon = await lab.start(config);
  await daemon.press('button1');
  await daemon.says('"msg":"one"');
  writeFileSync(module, 'export function topHalf(irq, dev) { dev.log("two"); return 1; }\n');
  expect((await daemon.ctl('reload')).code).toBe(0);
  await daemon.press('button1');
  await daemon.says('"msg":"two"');
  writeFileSync(module, 'this is no JavaScript\n');
  const { code, err } = await daemon.ctl('reload');
  expect([code, err]).toEqual([2, expect.stringMatching(/handler\.mjs cannot be loaded/)]);
  await daemon.press('button1');
  await expect.poll(() => daemon.out.match(/"msg":"two"/g)).toHaveLength(2);
  // The first way to write it again.
  writeFileSync(module, 'export function topHalf(irq, dev) { dev.log("three"); return 1; }\n');
  expect((await daemon.ctl('reload')).code).toBe(0);
  await daemon.press('button1');
  await daemon.says('"msg":"three"');
});

test('handlers are loaded anew with what they import, have it together, and others go on as they are', {
  timeout: TIMEOUT,
}, async () => {
  const says = (own: string) => `let n = 0; ${own}
export function topHalf(irq, dev) { dev.log(\`\${dev.line.name} \${text} \${next()} \${++n}\`); return 1; }\n`;
  for (const name of ['a.mjs', 'b.ts']) lab.write(name, says("import { next, text } from './lib/words.mjs';"));
  lab.write('alone.mjs', says("const text = 'alone'; const next = () => 0;"));
  lab.write('lib/words.mjs', "export { text } from './text.ts'; let n = 0; export const next = () => ++n;\n");
  lab.write('lib/text.ts', "export const text: string = 'old';\n");
  const config = lab.write(
    'config.yaml',
    `lines:
  button1: { gpio: 17, edge: rising }
  button2: { gpio: 18, edge: rising }
  button3: { gpio: 22, edge: rising }
interrupts:
  - { line: button1, handler: ./a.mjs }
  - { line: button2, handler: ./b.ts }
  - { line: button3, handler: ./alone.mjs }
`,
  );
  const daemon = await lab.start(config);
  const watch = await daemon.watch();
  let logs = 0;
  const pressAll = async (): Promise<string[]> => {
    for (const button of ['button1', 'button2', 'button3']) await daemon.press(button);
    logs += 3;
    return (await watch.count('log', logs)).slice(-3).map(({ text }) => text);
  };
  expect(await pressAll()).toEqual(['button1 old 1 1', 'button2 old 2 1', 'button3 alone 0 1']);
  for (const text of ['newer', 'newest']) {
    lab.write('lib/text.ts', `export const text: string = '${text}';\n`);
    expect((await daemon.ctl('reload')).code).toBe(0);
    const [first, second] = await pressAll();
    expect([first, second]).toEqual([`button1 ${text} 1 1`, `button2 ${text} 2 1`]);
  }
  expect((await daemon.ctl('reload')).code).toBe(0);
  expect(await pressAll()).toEqual(['button1 newest 3 2', 'button2 newest 4 2', 'button3 alone 0 4']);
  lab.write('lib/text.ts', 'this is no TypeScript\n');
  const { code, err } = await daemon.ctl('reload');
  expect([code, err]).toEqual([2, expect.stringMatching(/a\.mjs cannot be loaded: .*text\.ts:1/s)]);
  expect(await pressAll()).toEqual(['button1 newest 5 3', 'button2 newest 6 3', 'button3 alone 0 5']);
});

test('what cannot change while it runs is named, and waits for the next start; the log’s level does not', {
  timeout: TIMEOUT,
}, async () => {
  const config = lab.write('config.yaml', BASE);
  const daemon = await lab.start(config);
  writeFileSync(config, `chip: gpiochip7\nlog: { level: error }\n${BASE}`);
  const report = (await daemon.client.call('POST', '/v1/reload')) as ReloadReport;
  expect(report).toMatchObject({ ok: true, problems: [] });
  expect(report.restart.map(({ key }) => key)).toEqual(['chip']);
  await daemon.client.call('POST', '/v1/reload');
  // Each further one is told at level info, and so no more.
  expect(daemon.out.match(/configuration reloaded/g)).toHaveLength(1);
});

test('reloads that come all at once are done one after the other, and a stop after them', {
  timeout: TIMEOUT,
}, async () => {
  const config = lab.write('config.yaml', BASE);
  const daemon = await lab.start(config);
  writeFileSync(config, BASE.replace('interrupts:', LED2));
  const reports = await Promise.all(
    Array.from({ length: 20 }, () => daemon.client.call('POST', '/v1/reload') as Promise<ReloadReport>),
  );
  expect(reports.every(({ ok }) => ok)).toBe(true);
  expect(daemon.out.match(/\+led2/g)).toHaveLength(1);
  for (let i = 0; i < 5; i++) daemon.child.kill('SIGHUP');
  const { code, out } = await daemon.ends('SIGTERM');
  expect([code, out]).toEqual([0, expect.not.stringMatching(/"level":"(error|fatal)"/)]);
});

test('lines of several chips are told apart; chips come and go with a reload', { timeout: TIMEOUT }, async () => {
  const both = `chips: { expander: label:mcp23017 }\n${BASE.replace(
    'interrupts:',
    '  far1: { gpio: 4, chip: expander, edge: both, bias: pull-up, active: low }\ninterrupts:',
  )}`;
  const config = lab.write('config.yaml', both);
  const daemon = await lab.start(config);
  await daemon.press('far1');
  await daemon.press('button1');
  expect([await daemon.line('far1'), await daemon.line('led1')]).toMatchObject([
    { chip: 'expander', gpio: 4, rising: 1, falling: 1, value: 0 },
    { gpio: 4, value: 0 },
  ]);
  expect((await daemon.status()).chips).toMatchObject([
    { id: 'chip' },
    { id: 'expander', label: 'mcp23017', lines: 16 },
  ]);
  const { text } = await daemon.interrupts();
  expect(text).toMatch(/pinctrl-bcm2835 +17 Edge +button1\n.*gpiochip1 +4 Edge +far1/);
  writeFileSync(config, BASE);
  expect(await daemon.ctl('reload')).toMatchObject({ code: 0, out: expect.stringMatching(/chips: -expander/) });
  expect((await daemon.ctl('get', 'far1')).err).toMatch(/no line far1/);
  await daemon.press('button1');
  expect((await daemon.line('button1')).rising).toBe(2);
});
