#!/usr/bin/env node
// gpio-irqd: the daemon.

import { processSurroundings } from './cli.js';
import { daemonMain } from './daemon-commands.js';

process.exit(
  await daemonMain(process.argv.slice(2), processSurroundings(), {
    startService: async () => (await import('./service.js')).startService,
    detect: async (json) => {
      const { detect, formatDetection } = await import('../drivers/detect.js');
      const detection = detect();
      return json ? `${JSON.stringify(detection)}\n` : formatDetection(detection);
    },
  }),
);
