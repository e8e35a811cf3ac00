// `--demo`: the daemon presses its own simulated buttons, and shows what ran in which context.

import { KernelError } from '../kernel/errno.js';
import type { Config } from './config/config.js';
import { PRESS_DEFAULT_NS, type Service } from './control/target.js';
import { formatEvent } from './format.js';

/** Presses the button of every interrupt of the configuration once, in order, and writes what happened. */
export async function runDemo(service: Service, config: Config, out: (text: string) => void): Promise<void> {
  const buttons = config.interrupts.map((interrupt) => interrupt.line);
  if (buttons.length === 0) {
    throw new KernelError('EINVAL', 'the configuration has no interrupt to demonstrate', {
      hint: 'Take examples/button-led.yaml.',
    });
  }
  const begin = service.traced();
  const unsubscribe = service.subscribe((event) => out(`${formatEvent(event)}\n`));
  try {
    for (const button of buttons) {
      out(`\nPressing ${button}:\n`);
      await service.press(button, { forNs: PRESS_DEFAULT_NS, bounce: false });
    }
  } finally {
    unsubscribe();
  }
  out(`\nWhat ran when, and in which context:\n${service.trace(begin)}`);
  out(`\n/proc/interrupts of the model:\n${service.interrupts().text}`);
}
