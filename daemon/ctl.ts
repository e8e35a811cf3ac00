#!/usr/bin/env node
// gpio-irqctl: the command that talks to the daemon.

import { processSurroundings } from './cli.js';
import { controlMain } from './control-commands.js';

process.exit(await controlMain(process.argv.slice(2), processSurroundings()));
