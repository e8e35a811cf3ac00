// Files that are written in pieces, where the disk takes only a part of each.

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { OutputFile } from './output-file.js';

/** Most bytes that the disk takes at once. */
const TAKEN = 3;

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const writeSync = (fd: number, bytes: Uint8Array, at = 0): number =>
    real.writeSync(fd, bytes, at, Math.min(TAKEN, bytes.length - at));
  return { ...real, writeSync };
});

it('are whole', () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'gpio-irqd-output-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  const path = join(folder, 'trace.jsonl');
  const file = new OutputFile(path);
  for (const text of ['{"at":1,"line":"Tür"}\n', '', '{"at":2}\n']) file.write(text);
  file.close();
  expect(fs.readFileSync(path, 'utf8')).toBe('{"at":1,"line":"Tür"}\n{"at":2}\n');
});
