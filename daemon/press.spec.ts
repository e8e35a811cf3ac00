// A press through the API, on a machine whose event loop is late.

import { afterEach, expect, it } from 'vitest';
import { parseConfig } from './config/load.js';
import type { Service } from './control/target.js';
import { createLogger } from './log.js';
import { startService } from './service.js';

const CONFIG = `
driver: sim
lines:
  button1: { gpio: 17, edge: both, bias: pull-up, active: low, debounce: 1ms }
  led1: { gpio: 4, direction: out }
interrupts:
  - { line: button1, top_half: [{ toggle: led1 }], work: { do: [{ log: pressed }] } }
`;

let service: Service | undefined;
let stopped = false;

let seed = 1;
const random = (): number => {
  seed = (seed * 48_271) % 0x7fff_ffff;
  return seed / 0x7fff_ffff;
};

/** Keeps the event loop from its work again and again, mostly for longer than a press, before timers as before I/O. */
function stall(): void {
  if (stopped) return;
  const end = performance.now() + random() * 25;
  while (performance.now() < end);
  if (random() < 0.5) setImmediate(stall);
  else setTimeout(stall, random() * 5);
}

afterEach(async () => {
  stopped = true;
  await service?.stop('end of the test');
});

it.each([
  ['cleanly', false, 100],
  ['with bounce', true, 20],
])(
  'is over when its release has been handled, %s, so that the next one is a press of its own',
  async (_, bounce, times) => {
    stopped = false;
    const result = parseConfig(CONFIG, 'press.yaml');
    if (!result.ok) throw new Error(result.errors[0]?.message);
    const log = createLogger({ level: 'error', output: { write: () => {} }, terminal: false });
    service = await startService({ config: result.config, configPath: '/press.yaml', log });
    stall();
    for (let presses = 1; presses <= times; presses++) {
      await service.press('button1', { forNs: 10e6, bounce });
      // Not by a look at the line, which would bring the chip up to date.
      expect(service.status().edges.received).toBe(2 * presses);
    }
  },
);
