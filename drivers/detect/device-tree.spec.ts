// What is read from device trees: model, and who has pins of the header.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readCompatible, readModel, readPinUsers } from './device-tree.js';
import { PI4, PI5, writeDeviceTree } from './fake-device-tree.spec-helper.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gpio-irqd-tree-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('names a bus by its alias, and leaves out what is disabled', () => {
  writeDeviceTree(folder, PI4);
  expect(readModel(folder)).toBe('Raspberry Pi 4 Model B Rev 1.4');
  expect(readCompatible(folder)).toEqual(['raspberrypi,4-model-b', 'brcm,bcm2711']);
  expect(readPinUsers(folder)).toEqual([
    { name: 'i2c1', compatible: 'brcm,bcm2711-i2c', gpios: [2, 3] },
    { name: 'onewire@4', compatible: 'w1-gpio', gpios: [4] },
    { name: 'spi0', compatible: 'brcm,bcm2835-spi', gpios: [7, 8, 9, 10, 11] },
  ]);
});

it('knows the pins of a Pi 5 by name, and those of other pin controllers for what they are', () => {
  writeDeviceTree(folder, PI5);
  expect(readPinUsers(folder)).toEqual([{ name: 'serial0', compatible: 'arm,pl011-axi', gpios: [14, 15] }]);
});

it('a node within a disabled one is disabled', () => {
  writeDeviceTree(folder, { ...PI5, '/axi/pcie@120000': { status: 'disabled' } });
  expect(readPinUsers(folder)).toEqual([]);
});

it('a machine without a device tree has no model and no users; nor has one whose properties are rubbish', () => {
  const absent = join(folder, 'absent');
  expect([readModel(absent), readCompatible(absent), readPinUsers(absent)]).toEqual([undefined, [], []]);
  writeDeviceTree(folder, {
    '/': { model: [], compatible: '' },
    '/gpio': { compatible: 'brcm,bcm2835-gpio' },
    '/gpio/pins': { phandle: 'x', 'brcm,pins': 'ab', pins: ['gpio', 'gpio4x'] },
    '/user': { 'pinctrl-0': [1, 2, 3], status: 'okay' },
    '/aliases': { i2c0: 'nowhere', spi0: '/absent' },
  });
  expect([readModel(folder), readCompatible(folder), readPinUsers(folder)]).toEqual([undefined, [], []]);
});
