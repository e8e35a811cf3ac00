// Detection on a real kernel: lines that drivers hold, a device that this user may not open, and the numbers of a Pi 5's chips.
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ROOT } from '../test/e2e/running-daemon.js';
import { createGpioSim, type GpioSimOptions } from '../test/kernel/gpio-sim.js';
import { openChardev } from './chardev/chardev.js';
import { PI4, writeDeviceTree } from './detect/fake-device-tree.spec-helper.js';
import { formatDetection } from './detect/format.js';
import { type Detection, detect } from './detect.js';

const NOBODY = 65534;

function plug(options: GpioSimOptions = {}) {
  const sim = createGpioSim(options);
  onTestFinished(() => sim.remove());
  return sim;
}

function pi4(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gpio-irqd-tree-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeDeviceTree(folder, PI4);
  return folder;
}

it('tells who holds each line of the header: drivers of the kernel, programs, nobody', () => {
  const sim = plug({
    hogs: {
      4: { name: 'onewire@4', direction: 'input' },
      7: { name: 'spi0 CS1', direction: 'output-high' },
      8: { name: 'spi0 CS0', direction: 'output-high' },
    },
  });
  const chip = openChardev(sim.path);
  onTestFinished(() => chip.close());
  chip.requestLines({ lines: [{ offset: 17, direction: 'in' }], consumer: 'my-button' });
  const found = detect({ deviceTree: pi4() });
  expect(found.chips).toMatchObject([
    { name: sim.chipName, label: 'pinctrl-bcm2835', header: true, access: { owner: 'root', permitted: true } },
  ]);
  const lines = found.header?.lines ?? [];
  expect(lines.filter(({ held }) => held).map(({ gpio, consumer }) => [gpio, consumer])).toEqual([
    [4, 'onewire@4'],
    [7, 'spi0 CS1'],
    [8, 'spi0 CS0'],
    [17, 'my-button'],
  ]);
  expect(lines[8]).toMatchObject({ pin: 24, name: 'GPIO8', direction: 'out', device: 'spi0' });
  expect(found.header?.conflicts.map(({ kind, gpios, state }) => [kind, gpios, state])).toEqual([
    ['w1-gpio', [4], 'held'],
    ['spi', [7], 'held'],
    ['spi', [8], 'held'],
    ['program', [17], 'held'],
    ['i2c', [2, 3], 'muxed'],
    ['spi', [9, 10, 11], 'muxed'],
  ]);
  expect(formatDetection(found)).toContain("GPIO17 (pin 11): held by 'my-button'");
});

it('finds the header of a Pi 5 by its label among chips of other numbers', () => {
  for (const lines of [32, 4, 17]) plug({ label: `gpio-brcmstb@${lines}`, lines });
  const header = plug({ label: 'pinctrl-rp1' });
  const found = detect();
  expect(found.chips.map(({ header: isHeader }) => isHeader)).toEqual([false, false, false, true]);
  expect(found.header?.chip).toBe(header.chipName);
  expect(found.header?.lines).toHaveLength(28);
});

it('tells a user who is not in the group what to do, and opens the chip for one who is', () => {
  const sim = plug();
  chownSync(sim.path, 0, NOBODY);
  chmodSync(sim.path, 0o660);
  const detectAs = (gid: number): Detection =>
    JSON.parse(
      execFileSync(process.execPath, [join(ROOT, 'dist/daemon/main.js'), 'detect', '--json'], {
        uid: NOBODY,
        gid,
        encoding: 'utf8',
      }),
    ) as Detection;
  const refused = detectAs(NOBODY - 1);
  expect(refused).toMatchObject({ schema: 1, header: null });
  expect(refused.chips[0]).toMatchObject({ label: null, refused: { code: 'EACCES' } });
  expect(refused.chips[0]?.access).toMatchObject({ group: 'nogroup', mode: '0660', permitted: false, inGroup: false });
  expect(refused.chips[0]?.access?.hint).toMatch(/nobody is not in the group nogroup: sudo usermod -aG nogroup nobody/);
  expect(refused.drivers[0]).toMatchObject({ name: 'chardev', refused: { code: 'EACCES' } });
  const permitted = detectAs(NOBODY);
  expect(permitted.chips[0]).toMatchObject({ refused: null, access: { permitted: true, inGroup: true, hint: null } });
  expect(permitted.header?.lines).toHaveLength(28);
});
