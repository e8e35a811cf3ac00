#!/usr/bin/env node
// gpio-irqd: the daemon.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadFromCache } from './start/code-cache.js';

loadFromCache(dirname(fileURLToPath(import.meta.url)));
// Not `await`: what is built of this is CommonJS, which starts sooner.
void import('./start/daemon.js')
  .then(({ daemon }) => daemon(process.argv.slice(2)))
  // Not at once: what the last write has failed with is told in between.
  .then((code) => new Promise<number>((settle) => setImmediate(settle, code)))
  .then(process.exit);
