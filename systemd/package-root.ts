// Where the package is that a module belongs to.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory of the package's package.json, from a git clone as from an npm directory; `undefined` when there is none. */
export function packageRootOf(moduleUrl: string): string | undefined {
  for (let directory = dirname(fileURLToPath(moduleUrl)); ; directory = dirname(directory)) {
    const manifest = join(directory, 'package.json');
    if (existsSync(manifest) && readFileSync(manifest, 'utf8').includes('"name": "gpio-irqd"')) return directory;
    if (directory === dirname(directory)) return undefined;
  }
}
