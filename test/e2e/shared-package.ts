// The package that the specs of one run share: a folder for it, which is there before the first of them and goes after the last.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Empty until the first spec that needs the package has built it. */
    package: string;
  }
}

/** Called by Vitest. */
export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'gpio-irqd-built-'));
  project.provide('package', folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
