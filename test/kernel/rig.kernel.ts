// What the specs in the guest rest on: a real kernel with one CPU, and simulated edges that come at once, every one.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism, release } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { createGpioSim } from './gpio-sim.js';

const BUTTON = 17;

function interrupts(name: string): number {
  const line = readFileSync('/proc/interrupts', 'utf8')
    .split('\n')
    .find((row) => row.endsWith(` ${name}`));
  return Number(line?.trim().split(/\s+/)[1]);
}

test('this is the test kernel, with one CPU', () => {
  expect(release()).toMatch(/^6\.12\..*-gpio-irqd$/);
  expect(availableParallelism()).toBe(1);
});

test('quick edges do not become one: each interrupts the CPU by itself and reaches the reader', async () => {
  const sim = createGpioSim();
  onTestFinished(() => sim.remove());
  sim.pull(BUTTON, 1);
  // gpiomon, of the system and not of this project. It reads uAPI v1, whose FIFO holds 16.
  const monitor = spawn('gpiomon', ['--num-events=16', '--format=%e', sim.chipName, String(BUTTON)]);
  onTestFinished(() => {
    monitor.kill();
  });
  let seen = '';
  monitor.stdout.on('data', (chunk) => {
    seen += chunk;
  });
  const closed = once(monitor, 'close');
  // Not when it holds the line, which it does a little before it has its interrupt.
  await expect.poll(() => readFileSync('/proc/interrupts', 'utf8'), { interval: 10 }).toContain('gpiomon');
  const before = interrupts('irq_work');
  for (let i = 0; i < 8; i++) {
    sim.pull(BUTTON, 0);
    sim.pull(BUTTON, 1);
  }
  expect(interrupts('irq_work') - before).toBe(16);
  await closed;
  expect(seen.trim().split('\n')).toEqual(Array.from({ length: 8 }, () => ['0', '1']).flat());
});
