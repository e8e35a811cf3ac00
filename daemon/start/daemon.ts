// gpio-irqd from its command line on: what main.ts loads, with the code that is kept for it.

import { fileURLToPath } from 'node:url';
import type { Surroundings } from '../cli.js';
import { processSurroundings } from '../cli.js';
import { daemonMain } from '../daemon-commands.js';

/** The file that this is in. */
export const PLACE = fileURLToPath(import.meta.url);

/** @returns the exit code */
export function daemon(args: readonly string[], io: Surroundings = processSurroundings()): Promise<number> {
  return daemonMain(args, io, {
    startService: async () => (await import('../service.js')).startService,
    detect: async (json) => {
      const { detect, detectionJson, formatDetection } = await import('../../drivers/index.js');
      const detection = detect();
      return json ? `${detectionJson(detection)}\n` : formatDetection(detection);
    },
  });
}
