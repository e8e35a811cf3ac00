#!/usr/bin/env node
// gpio-irqd: the daemon.

import { processSurroundings } from './cli.js';
import { daemonMain } from './daemon-commands.js';

process.exit(
  await daemonMain(process.argv.slice(2), processSurroundings({ patient: true }), {
    startService: async () => (await import('./service.js')).startService,
    detect: async (json) => {
      const { detect, detectionJson, formatDetection } = await import('../drivers/index.js');
      const detection = detect();
      return json ? `${detectionJson(detection)}\n` : formatDetection(detection);
    },
  }),
);
