#!/usr/bin/env node
// gpio-irqctl: the command that talks to the daemon.

import { processSurroundings } from './cli.js';
import { controlMain } from './control-commands.js';

// Not `await`: what is built of this is CommonJS, which starts sooner.
void controlMain(process.argv.slice(2), processSurroundings('gpio-irqctl'))
  // Not at once: what the last write has failed with is told in between.
  .then((code) => new Promise<number>((settle) => setImmediate(settle, code)))
  .then(process.exit);
