// The package that the specs of one run share: a folder for it, which is there before the first of them and goes after the last.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
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
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  project.provide('package', folder);
  // Of sources that have changed, the package has to be another one; and what could not be built may be by now.
  project.onTestsRerun(() => {
    remove();
    mkdirSync(folder);
  });
  return remove;
}
