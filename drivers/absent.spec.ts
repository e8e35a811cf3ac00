// Specification of chips that are waited for: which failures to open one are worth it, and what stands in its place.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ErrnoCode, KernelError } from '../kernel/errno.js';
import { failsWith } from '../test/contract/backend.js';
import { absentChip } from './absent.js';
import type { OpenSources } from './open.js';
import { fakeSysfs } from './sysfs/fake-sysfs.spec-helper.js';

let devDir: string;
let sources: Partial<OpenSources>;
beforeEach(() => {
  devDir = mkdtempSync(join(tmpdir(), 'gpio-irqd-absent-'));
  writeFileSync(join(devDir, 'gpiochip0'), '');
  sources = {
    devDir,
    open: (path) => {
      throw new KernelError('EACCES', `open ${path}: EACCES`);
    },
  };
});
afterEach(() => rmSync(devDir, { recursive: true }));

const missing = (code: ErrnoCode = 'ENOENT') => new KernelError(code, 'no such chip', { hint: 'name another' });

it.each(['ENOENT', 'ENODEV', 'ENXIO'] as const)('a chip that is named, and fails with %s, is waited for', (code) => {
  const error = missing(code);
  const absence = absentChip('hardware', { by: 'label', label: 'mcp23017' }, error, sources);
  expect(absence?.error).toMatchObject({ code: 'ENOENT', message: 'no such chip', hint: 'name another', cause: error });
  expect(absence?.chip).toMatchObject({
    driver: 'chardev',
    simulated: false,
    info: { name: 'mcp23017', label: 'mcp23017' },
  });
});

it.each([
  ['chardev', 'chardev', true],
  ['libgpiod', 'libgpiod', false],
  ['onoff', 'sysfs', false],
] as const)('with driver: %s it can what that driver can', (driver, name, seqno) => {
  const sysfs = fakeSysfs(devDir);
  sysfs.chip({ name: 'gpiochip0', label: 'pinctrl-bcm2835', base: 512, lines: 54, parent: 'soc/3f200000.gpio' });
  const absence = absentChip(driver, { by: 'name', name: 'gpiochip7' }, missing(), { ...sources, sysfs });
  expect(absence?.chip).toMatchObject({
    driver: name,
    info: { name: 'gpiochip7', label: '' },
    capabilities: { seqno },
  });
});

it('none of its lines can be had, and each call says why', async () => {
  const chip = absentChip('hardware', { by: 'name', name: 'gpiochip7' }, missing(), sources)?.chip;
  if (chip === undefined) return expect.fail('not waited for');
  const { message } = failsWith('ENOENT', () =>
    chip.requestLines({ lines: [{ offset: 1, direction: 'in' }], consumer: 'x' }),
  );
  expect(message).toBe('no such chip');
  failsWith('ENOENT', () => chip.lineInfo(1));
  failsWith('ENOENT', () => chip.watchLineInfo(1, () => {}));
  expect(await new Promise((resolve) => chip.onGone(resolve))).toMatchObject({ code: 'ENOENT' });
  chip.close();
});

it.each([
  ['the header, by no name', { by: 'auto' as const }, missing()],
  ['a chip that may not be opened', { by: 'name' as const, name: 'gpiochip0' }, missing('EACCES')],
  ['a label that several chips have', { by: 'label' as const, label: 'x' }, missing('EEXIST')],
  ['a driver that is not installed', { by: 'label' as const, label: 'x' }, missing('ENOSYS')],
  ['what is no error of a chip', { by: 'label' as const, label: 'x' }, new TypeError('oops')],
])('is not waited for: %s', (_, choice, error) => {
  expect(absentChip('hardware', choice, error, sources)).toBeUndefined();
});

it('is not waited for on a machine without GPIO: nobody would bring it', () => {
  rmSync(join(devDir, 'gpiochip0'));
  expect(absentChip('hardware', { by: 'label', label: 'x' }, missing(), sources)).toBeUndefined();
});
