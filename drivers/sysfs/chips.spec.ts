// Finding chips in sysfs, on made-up trees: by label and by kernel name, whatever the base is.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failsWith } from '../../test/contract/backend.js';
import { openDriver } from '../open.js';
import { findSysfsChips, type SysfsFolders, sysfsChipNamed } from './chips.js';
import { type FakeSysfs, fakeSysfs } from './fake-sysfs.spec-helper.js';

let root: string;
let sysfs: FakeSysfs;
let folders: SysfsFolders;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gpio-irqd-sysfs-'));
  sysfs = fakeSysfs(root);
  folders = sysfs;
});
afterEach(() => rmSync(root, { recursive: true }));

describe('findSysfsChips', () => {
  it('reads label, number of lines and base, and finds the kernel name by the device above', () => {
    sysfs.chip({ name: 'gpiochip0', label: 'pinctrl-bcm2835', base: 512, lines: 54, parent: 'soc/3f200000.gpio' });
    sysfs.chip({ name: 'gpiochip1', label: 'raspberrypi-exp-gpio', base: 566, lines: 8, parent: 'soc/firmware' });
    expect(findSysfsChips(folders)).toMatchObject([
      { name: 'gpiochip0', label: 'pinctrl-bcm2835', base: 512, lines: 54 },
      { name: 'gpiochip1', label: 'raspberrypi-exp-gpio', base: 566, lines: 8 },
    ]);
  });

  it.each([0, 512, 571])('takes the base as it is: %i', (base) => {
    sysfs.chip({ name: 'gpiochip0', label: 'pinctrl-rp1', base, lines: 54, parent: 'axi/rp1' });
    expect(sysfsChipNamed('gpiochip0', folders).base).toBe(base);
  });

  it('finds the name of a chip without a device above it', () => {
    sysfs.chip({ name: 'gpiochip3', label: 'expander', base: 600, lines: 16 });
    expect(findSysfsChips(folders).map((chip) => chip.name)).toEqual(['gpiochip3']);
  });

  it('calls chips of one device as sysfs does, since it cannot tell them apart', () => {
    sysfs.chip({ name: 'gpiochip4', label: 'bank-a', base: 512, lines: 32, parent: 'soc/brcmstb' });
    sysfs.chip({ name: 'gpiochip5', label: 'bank-b', base: 544, lines: 4, parent: 'soc/brcmstb' });
    expect(findSysfsChips(folders).map((chip) => chip.name)).toEqual(['gpiochip512', 'gpiochip544']);
    const error = failsWith('ENOENT', () => sysfsChipNamed('gpiochip4', folders));
    expect(error.hint).toContain('label:bank-a, label:bank-b');
  });

  it('takes no exported line and no other file for a chip', () => {
    sysfs.chip({ name: 'gpiochip0', label: 'a', base: 512, lines: 8, parent: 'a' });
    mkdirSync(join(sysfs.classDir, 'gpio513'));
    writeFileSync(join(sysfs.classDir, 'export'), '');
    expect(findSysfsChips(folders)).toHaveLength(1);
  });

  it('leaves out a chip that goes away while it looks', () => {
    symlinkSync(join(root, 'nowhere'), join(sysfs.classDir, 'gpiochip700'));
    expect(findSysfsChips(folders)).toEqual([]);
  });

  it('says that the kernel has no GPIO in sysfs', () => {
    const error = failsWith('ENOENT', () => findSysfsChips({ ...folders, classDir: join(dirname(root), 'nowhere') }));
    expect(error.hint).toContain('CONFIG_GPIO_SYSFS');
  });
});

describe('openDriver with onoff', () => {
  it('finds the header and any chip by label, without a device file', () => {
    sysfs.chip({ name: 'gpiochip0', label: 'other', base: 512, lines: 8, parent: 'a' });
    sysfs.chip({ name: 'gpiochip1', label: 'pinctrl-rp1', base: 571, lines: 54, parent: 'b' });
    const sources = { sysfs };
    expect(openDriver({ driver: 'onoff' }, sources).info).toEqual({
      name: 'gpiochip1',
      label: 'pinctrl-rp1',
      lines: 54,
    });
    expect(openDriver({ driver: 'onoff', chip: 'label:other' }, sources).info.name).toBe('gpiochip0');
    expect(openDriver({ driver: 'onoff', chip: 'gpiochip0' }, sources).driver).toBe('sysfs');
    expect(failsWith('ENOENT', () => openDriver({ driver: 'onoff', chip: 'label:x' }, sources)).hint).toContain(
      'other',
    );
    failsWith('EINVAL', () => openDriver({ driver: 'onoff', chip: '/dev/gpiochip0' }, sources));
  });

  it('does not choose between twins', () => {
    sysfs.chip({ name: 'gpiochip0', label: 'twin', base: 512, lines: 8, parent: 'a' });
    sysfs.chip({ name: 'gpiochip1', label: 'twin', base: 520, lines: 8, parent: 'b' });
    failsWith('EEXIST', () => openDriver({ driver: 'onoff', chip: 'label:twin' }, { sysfs }));
  });
});
