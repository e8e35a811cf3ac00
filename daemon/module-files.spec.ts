// Files of modules, written anew and left alone.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ModuleFiles } from './module-files.js';
import { unprivileged } from './unprivileged.spec-helper.js';

it('tells which files are others than when they were noted, until they are noted anew', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gpio-irqd-modules-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [a, b] = [join(folder, 'a.js'), join(folder, 'b.js')];
  for (const path of [a, b]) writeFileSync(path, 'one');
  const files = new ModuleFiles();
  files.note(files.look([a, b]));
  expect(files.changed()).toEqual(new Set());
  writeFileSync(a, 'one');
  utimesSync(a, 1, 2);
  expect(files.changed()).toEqual(new Set([a]));
  files.note(files.look([a, b]));
  expect(files.changed()).toEqual(new Set([a]));
  files.note(files.look([a, b], new Set([a])));
  expect(files.changed()).toEqual(new Set());
  rmSync(b);
  expect(files.changed()).toEqual(new Set([b]));
  files.note(files.look([a]));
  expect(files.changed()).toEqual(new Set());
});

it('tells of a file that has changed after it was looked at, and before it was noted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gpio-irqd-modules-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'a.js');
  writeFileSync(path, 'one');
  const files = new ModuleFiles();
  const marks = files.look([path]);
  writeFileSync(path, 'another');
  files.note(marks);
  expect(files.changed()).toEqual(new Set([path]));
});

it('tells of a module that imports a file which is another, by way of others too, and of no other module', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gpio-irqd-modules-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [a, b] = [join(folder, 'a.js'), join(folder, 'b.js')];
  const [words, text] = [join(folder, 'words.js'), join(folder, 'text.js')];
  writeFileSync(a, "import './words.js';");
  writeFileSync(b, '');
  writeFileSync(words, "export * from './text.js';");
  writeFileSync(text, 'one');
  const files = new ModuleFiles();
  files.note(files.look([a, b]));
  writeFileSync(text, 'another');
  expect(files.changed()).toEqual(new Set([a]));
  files.note(files.look([a, b], new Set([a])));
  expect(files.changed()).toEqual(new Set());
  rmSync(text);
  expect(files.changed()).toEqual(new Set([a]));
});

it('takes a file that cannot be looked at any more for another one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gpio-irqd-modules-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const inner = join(folder, 'inner');
  mkdirSync(inner);
  const [a, b] = [join(inner, 'a.js'), join(folder, 'b.js')];
  for (const path of [a, b]) writeFileSync(path, 'one');
  for (const path of [folder, inner]) chmodSync(path, 0o755);
  const files = new ModuleFiles();
  files.note(files.look([a, b]));
  expect(await unprivileged(() => files.changed())).toEqual(new Set());
  chmodSync(inner, 0o000);
  expect(await unprivileged(() => files.changed())).toEqual(new Set([a]));
  chmodSync(inner, 0o755);
  rmSync(b);
  symlinkSync('b.js', b);
  expect(files.changed()).toEqual(new Set([b]));
});
