// The version of this package.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Levels up to the package: from its source one, from where it is built to more. */
const LEVELS = ['../', '../../', '../../../'];

/** As package.json has it. */
export function packageVersion(): string {
  const require = createRequire(import.meta.url);
  for (const up of LEVELS) {
    const path = new URL(`${up}package.json`, import.meta.url);
    if (!existsSync(path)) continue;
    const { version } = require(fileURLToPath(path)) as { version?: string };
    // That of `dist/` says of which kind its modules are, and no more.
    if (version !== undefined) return version;
  }
  throw new Error('the package has lost its package.json');
}
