// Detection and the choice of a chip, on made-up machines: device files in a temporary directory, chips by their label.
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KernelError } from '../kernel/errno.js';
import type { GpioChip, LineInfo } from '../kernel/gpio/driver.js';
import { failsWith } from '../test/contract/backend.js';
import type { AccessSources } from './detect/access.js';
import { PI4, PI5, writeDeviceTree } from './detect/fake-device-tree.spec-helper.js';
import { formatDetection } from './detect/format.js';
import { type DetectSources, detect, detectionJson } from './detect.js';
import { openDriver, reopenDriver } from './open.js';

let devDir: string;
beforeEach(() => {
  devDir = mkdtempSync(join(tmpdir(), 'gpio-irqd-detect-'));
});
afterEach(() => rmSync(devDir, { recursive: true }));

/** A machine whose chips have these labels; `EACCES` is a chip that does not open. */
function machine(labels: Readonly<Record<string, string>>, tree: Tree = {}, holders: Holders = {}): DetectSources {
  for (const name of Object.keys(labels)) writeFileSync(join(devDir, name), '', { mode: 0o660 });
  const deviceTree = join(devDir, 'device-tree');
  writeDeviceTree(deviceTree, tree);
  const lineInfo = (offset: number): LineInfo => ({
    ...{ offset, name: `GPIO${offset}`, consumer: holders[offset] ?? '', used: holders[offset] !== undefined },
    ...{ direction: 'in', activeLow: false, edge: 'none', bias: 'as-is', drive: 'push-pull', debounceUs: 0 },
  });
  const open = (path: string): GpioChip => {
    const name = basename(path);
    const label = labels[name];
    if (label === undefined) throw new KernelError('ENOENT', `open ${path}: ENOENT`, { hint: 'see detect' });
    if (label === 'EACCES') throw new KernelError('EACCES', `open ${path}: EACCES`, { hint: 'join the group gpio' });
    return { driver: 'chardev', info: { name, label, lines: 54 }, lineInfo, close: () => {} } as unknown as GpioChip;
  };
  return { devDir, deviceTree, access: user(), open, probe: () => {}, others: [] };
}

/** The group gpio: one that the files of this process may have. */
const GPIO_GID = process.getgid?.() === 0 ? 993 : (process.getgid?.() ?? 0);

/** Makes a device file one of the group gpio, with a mode. */
function giveToGpio(name: string, mode: number): void {
  chmodSync(join(devDir, name), mode);
  if (process.getgid?.() === 0) chownSync(join(devDir, name), 0, GPIO_GID);
}

/** Who asks: pi, in the groups of this process and `more`. */
function user(mayUse = true, groups: readonly number[] = process.getgroups?.() ?? []): AccessSources {
  const etcDir = join(devDir, 'etc');
  mkdirSync(etcDir, { recursive: true });
  writeFileSync(join(etcDir, 'passwd'), `root:x:0:0::/root:/bin/sh\npi:x:1000:1000::/home/pi:/bin/sh\n`);
  writeFileSync(join(etcDir, 'group'), `root:x:0:\ngpio:x:${GPIO_GID}:pi,other\n`);
  return { etcDir, user: 'pi', groups, mayUse: () => mayUse };
}

type Tree = Parameters<typeof writeDeviceTree>[1];
type Holders = Readonly<Record<number, string>>;

describe('detect', () => {
  it.each(['pinctrl-bcm2835', 'pinctrl-bcm2711', 'pinctrl-rp1'])('knows %s as the header', (label) => {
    const { chips } = detect(machine({ gpiochip0: 'gpio-brcmstb@107d508500', gpiochip4: label }));
    expect(chips.filter((chip) => chip.header).map((chip) => chip.name)).toEqual(['gpiochip4']);
  });

  it('orders chips by number, reads the model, and shows links as aliases', () => {
    const sources = machine({ gpiochip10: 'a', gpiochip2: 'b', gpiochip0: 'pinctrl-rp1' }, PI5);
    symlinkSync('gpiochip0', join(devDir, 'gpiochip4'));
    const found = detect(sources);
    expect(found.chips.map((chip) => chip.name)).toEqual(['gpiochip0', 'gpiochip2', 'gpiochip10']);
    expect(found.chips[0]?.aliases).toEqual(['gpiochip4']);
    expect(found.model).toBe('Raspberry Pi 5 Model B Rev 1.0');
    expect(found.compatible).toContain('brcm,bcm2712');
    expect(formatDetection(found)).toContain('choose it with chip: auto, or by label');
  });

  it('says why a chip does not open, and why a driver cannot be used', () => {
    const text = formatDetection(detect(machine({ gpiochip0: 'EACCES' })));
    expect(text).toContain('gpiochip0: cannot be opened: ');
    expect(text).toContain('join the group gpio');
    expect(text).toMatch(/chardev: cannot be used: .*EACCES/);
  });

  it('says of each line of the header who holds it and whose pin it is, and what to do about that', () => {
    const holders = { 4: 'onewire@4', 7: 'spi0 CS1', 8: 'spi0 CS0', 17: 'gpio-irqd', 22: '' };
    const found = detect(machine({ gpiochip0: 'pinctrl-bcm2711' }, PI4, holders));
    expect(found.header?.chip).toBe('gpiochip0');
    expect(found.header?.lines).toHaveLength(28);
    expect(found.header?.lines[8]).toEqual({
      ...{ gpio: 8, pin: 24, name: 'GPIO8', direction: 'in', held: true, consumer: 'spi0 CS0', device: 'spi0' },
    });
    expect(found.header?.lines[27]).toMatchObject({ pin: 13, held: false, consumer: '', device: undefined });
    expect(found.header?.conflicts.map(({ name, kind, gpios, state }) => [name, kind, gpios, state])).toEqual([
      ['onewire@4', 'w1-gpio', [4], 'held'],
      ['spi0 CS1', 'spi', [7], 'held'],
      ['spi0 CS0', 'spi', [8], 'held'],
      ['gpio-irqd', 'program', [17], 'held'],
      ['the kernel', 'other', [22], 'held'],
      ['i2c1', 'i2c', [2, 3], 'muxed'],
      ['spi0', 'spi', [9, 10, 11], 'muxed'],
    ]);
    const text = formatDetection(found);
    expect(text).toContain('header on gpiochip0: 18 of 28 lines are free');
    expect(text).toContain("  GPIO4 (pin 7): held by 'onewire@4', its pin belongs to onewire@4");
    expect(text).toContain('  GPIO2 (pin 3): not held, its pin belongs to i2c1');
    expect(text).toMatch(/to use GPIO2, GPIO3, whose pins belong to i2c1: set dtparam=i2c_arm=off/);
    expect(text).toMatch(/to use GPIO4, which onewire@4 holds: remove dtoverlay=w1-gpio/);
  });

  it('numbers no pins on the first board, whose header is another one', () => {
    const tree = { '/': { model: 'Raspberry Pi Model B Rev 1' } };
    expect(detect(machine({ gpiochip0: 'pinctrl-bcm2835' }, tree)).header?.lines[2]).toMatchObject({ pin: undefined });
  });

  it('looks at no header when there is none, or two, or it does not open', () => {
    expect(detect(machine({ gpiochip0: 'other' })).header).toBeUndefined();
    expect(detect(machine({ gpiochip0: 'pinctrl-rp1', gpiochip1: 'pinctrl-rp1' })).header).toBeUndefined();
    expect(detect(machine({ gpiochip0: 'EACCES', gpiochip1: 'other' })).header).toBeUndefined();
  });

  it.each([
    [0o600, [], /for root alone: install the udev rule/],
    [0o660, [], /^pi was added to the group gpio after this login: log in again$/],
    [0o660, [GPIO_GID], /pi is in it, yet it is refused: see its ACL/],
  ])('mode %o, groups %j: says what this user lacks', (mode, groups, hint) => {
    const sources = machine({ gpiochip0: 'EACCES' });
    giveToGpio('gpiochip0', mode);
    const access = detect({ ...sources, access: user(false, groups) }).chips[0]?.access;
    const expected = { group: 'gpio', mode: mode.toString(8).padStart(4, '0'), permitted: false };
    expect(access).toMatchObject({ ...expected, inGroup: groups.length > 0 });
    expect(access?.hint).toMatch(hint);
  });

  it('says how to join the group, and nothing to one who may', () => {
    const sources = machine({ gpiochip0: 'EACCES' });
    giveToGpio('gpiochip0', 0o660);
    const refused = detect({ ...sources, access: { ...user(false, []), user: 'anna' } });
    const hint = 'anna is not in the group gpio: sudo usermod -aG gpio anna, then log in again';
    expect(refused.chips[0]?.access?.hint).toBe(hint);
    expect(formatDetection(refused)).toContain(hint);
    expect(detect(sources).chips[0]?.access).toMatchObject({ permitted: true, hint: undefined });
  });

  it('as JSON leaves no key out', () => {
    const json = JSON.parse(detectionJson(detect(machine({ gpiochip0: 'pinctrl-bcm2711' }, PI4))));
    expect(Object.keys(json)).toEqual(['schema', 'model', 'compatible', 'chips', 'header', 'drivers']);
    expect(Object.keys(json.chips[0])).toEqual([
      'name',
      'path',
      'label',
      'lines',
      'aliases',
      'header',
      'access',
      'refused',
    ]);
    expect(Object.keys(json.header.lines[0])).toEqual([
      'gpio',
      'pin',
      'name',
      'direction',
      'held',
      'consumer',
      'device',
    ]);
    expect(json).toMatchObject({
      schema: 1,
      chips: [{ refused: null }],
      drivers: [{ name: 'chardev', refused: null }],
    });
    const bare = JSON.parse(detectionJson(detect(machine({}))));
    rmSync(join(devDir, 'gpiochip0'), { force: true });
    expect(Object.keys(bare)).toEqual(Object.keys(json));
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

describe('reopenDriver', () => {
  const gone = { name: 'gpiochip0', label: 'pinctrl-rp1' };

  it('opens the chip with the label, under whatever name it has now', () => {
    const sources = machine({ gpiochip0: 'other', gpiochip3: 'pinctrl-rp1' });
    expect(reopenDriver('hardware', gone, sources).info.name).toBe('gpiochip3');
    failsWith('ENOENT', () => reopenDriver('hardware', { ...gone, label: 'absent' }, sources));
  });

  it('takes the one of the old name where several have the label, and none where that one has another', () => {
    const twins = machine({ gpiochip0: 'twin', gpiochip1: 'twin', gpiochip2: 'other' });
    expect(reopenDriver('chardev', { name: 'gpiochip1', label: 'twin' }, twins).info.name).toBe('gpiochip1');
    failsWith('EEXIST', () => reopenDriver('chardev', { name: 'gpiochip2', label: 'twin' }, twins));
  });
});
