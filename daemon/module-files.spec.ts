// Files of modules, written anew and left alone.
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ModuleFiles } from './module-files.js';

it('tells which files are others than when they were noted, until they are noted anew', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gpio-irqd-modules-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [a, b] = [join(folder, 'a.js'), join(folder, 'b.js')];
  for (const path of [a, b]) writeFileSync(path, 'one');
  const files = new ModuleFiles();
  files.note([a, b]);
  expect(files.changed()).toEqual(new Set());
  writeFileSync(a, 'one');
  utimesSync(a, 1, 2);
  expect(files.changed()).toEqual(new Set([a]));
  files.note([a, b]);
  expect(files.changed()).toEqual(new Set([a]));
  files.note([a, b], new Set([a]));
  expect(files.changed()).toEqual(new Set());
  rmSync(b);
  expect(files.changed()).toEqual(new Set([b]));
  files.note([a]);
  expect(files.changed()).toEqual(new Set());
});
