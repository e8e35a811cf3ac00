// Detection and the choice of a chip, on made-up machines: device files in a temporary directory, chips by their label.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KernelError } from '../kernel/errno.js';
import type { GpioChip } from '../kernel/gpio/driver.js';
import { failsWith } from '../test/contract/backend.js';
import { type DetectSources, detect, formatDetection } from './detect.js';
import { openDriver } from './open.js';

let devDir: string;
beforeEach(() => {
  devDir = mkdtempSync(join(tmpdir(), 'gpio-irqd-detect-'));
});
afterEach(() => rmSync(devDir, { recursive: true }));

/** A machine whose chips have these labels; `EACCES` is a chip that does not open. */
function machine(labels: Readonly<Record<string, string>>, model?: string): DetectSources {
  for (const name of Object.keys(labels)) writeFileSync(join(devDir, name), '');
  const modelFile = join(devDir, 'model');
  if (model !== undefined) writeFileSync(modelFile, `${model}\0`);
  const open = (path: string): GpioChip => {
    const name = basename(path);
    const label = labels[name];
    if (label === undefined) throw new KernelError('ENOENT', `open ${path}: ENOENT`, { hint: 'see detect' });
    if (label === 'EACCES') throw new KernelError('EACCES', `open ${path}: EACCES`, { hint: 'join the group gpio' });
    return { driver: 'chardev', info: { name, label, lines: 54 }, close: () => {} } as unknown as GpioChip;
  };
  return { devDir, modelFile, open, probe: () => {}, others: [] };
}

describe('detect', () => {
  it.each(['pinctrl-bcm2835', 'pinctrl-bcm2711', 'pinctrl-rp1'])('knows %s as the header', (label) => {
    const { chips } = detect(machine({ gpiochip0: 'gpio-brcmstb@107d508500', gpiochip4: label }));
    expect(chips.filter((chip) => chip.header).map((chip) => chip.name)).toEqual(['gpiochip4']);
  });

  it('orders chips by number, reads the model, and shows links as aliases', () => {
    const sources = machine({ gpiochip10: 'a', gpiochip2: 'b', gpiochip0: 'pinctrl-rp1' }, 'Raspberry Pi 5 Model B');
    symlinkSync('gpiochip0', join(devDir, 'gpiochip4'));
    const found = detect(sources);
    expect(found.chips.map((chip) => chip.name)).toEqual(['gpiochip0', 'gpiochip2', 'gpiochip10']);
    expect(found.chips[0]?.aliases).toEqual(['gpiochip4']);
    expect(found.model).toBe('Raspberry Pi 5 Model B');
  });

  it('says why a chip does not open, and why a driver cannot be used', () => {
    const text = formatDetection(detect(machine({ gpiochip0: 'EACCES' })));
    expect(text).toContain('gpiochip0: cannot be opened: ');
    expect(text).toContain('join the group gpio');
    expect(text).toMatch(/chardev: cannot be used: .*EACCES/);
  });

  it('says that a machine has no chip', () => {
    const found = detect(machine({}));
    expect(found).toMatchObject({ model: undefined, chips: [], drivers: [{ refused: { code: 'ENOENT' } }] });
    expect(formatDetection(found)).toContain('chips: none');
  });
});

describe('openDriver', () => {
  it('auto on a machine without chips gives undefined, hardware an error', () => {
    expect(openDriver({ driver: 'auto' }, machine({}))).toBeUndefined();
    failsWith('ENOENT', () => openDriver({ driver: 'hardware' }, machine({})));
  });

  it('auto never gives undefined when a chip exists, however unusable', () => {
    failsWith('EACCES', () => openDriver({ driver: 'auto' }, machine({ gpiochip0: 'EACCES' })));
    failsWith('ENOENT', () => openDriver({ driver: 'auto' }, machine({ gpiochip1: 'INT3450:00' })));
  });

  it('opens the header, a chip by name, and a chip by label', () => {
    const sources = machine({ gpiochip0: 'other', gpiochip1: 'pinctrl-rp1' });
    expect(openDriver({}, sources).info.name).toBe('gpiochip1');
    expect(openDriver({ chip: 'gpiochip0' }, sources).info.name).toBe('gpiochip0');
    expect(openDriver({ chip: 'label:other' }, sources).info.name).toBe('gpiochip0');
    expect(openDriver({ chip: { by: 'label', label: 'other' } }, sources).info.name).toBe('gpiochip0');
  });

  it('refuses what is no name, what is not there, and what is there twice', () => {
    const sources = machine({ gpiochip0: 'twin', gpiochip1: 'twin' });
    failsWith('EINVAL', () => openDriver({ chip: '/dev/gpiochip0' }, sources));
    failsWith('ENOENT', () => openDriver({ chip: 'gpiochip7' }, sources));
    expect(failsWith('EEXIST', () => openDriver({ chip: 'label:twin' }, sources)).message).toContain('gpiochip1');
  });
});
