// The model's kernel from outside, as a user sees and changes it: lines, files, softirqs, workqueues, tasks.

import { expect, test } from 'vitest';
import type { IrqStatus } from '../../daemon/control/model-target.js';
import { type Daemon, EXAMPLE, useLab } from './running-daemon.js';

const lab = useLab();
/** Several programs are started one after the other, on a machine that may be busy. */
const TIMEOUT = 300_000;

async function answer(daemon: Daemon, ...args: string[]): Promise<string> {
  const { code, out, err } = await daemon.ctl(...args);
  expect([code, err]).toEqual([0, '']);
  return out;
}

async function irqOf(daemon: Daemon, name: string): Promise<string> {
  const { interrupts } = await daemon.interrupts();
  return String(interrupts.find(({ actions }) => actions.includes(name))?.irq);
}

test('a line that is disabled does nothing, keeps one edge, and handles it when it is enabled', {
  timeout: TIMEOUT,
}, async () => {
  const daemon = await lab.start(EXAMPLE);
  const irq = await irqOf(daemon, 'gpiomod#button1');
  expect(await answer(daemon, 'irq', irq, 'disable')).toContain('depth 1, 1 from here');
  await daemon.press('button1');
  expect((await daemon.line('led1')).value).toBe(0);
  const watch = await daemon.watch();
  expect(await answer(daemon, 'irq', irq, 'enable')).toContain('state      enabled');
  await watch.count('edge', 1);
  expect((await daemon.line('led1')).value).toBe(1);
  expect((await daemon.ctl('irq', irq, 'enable')).err).toContain('was not disabled from here (EINVAL)');
});

test('files are read and written through the API, with the errors that the kernel gives', {
  timeout: TIMEOUT,
}, async () => {
  const daemon = await lab.start(EXAMPLE);
  const irq = await irqOf(daemon, 'gpiomod#button2');
  expect(await answer(daemon, 'cat', '/proc/interrupts')).toBe(await answer(daemon, 'interrupts'));
  expect(await answer(daemon, 'ls', `/proc/irq/${irq}`)).toContain('dr-xr-xr-x  gpiomod#button2\n-r--r--r--  node\n');
  expect(await answer(daemon, 'cat', `/sys/kernel/irq/${irq}/actions`)).toBe('gpiomod#button2\n');
  await answer(daemon, 'write', '/proc/irq/default_smp_affinity', '1');
  // As on a Pi, whose GPIO lines stay where their controller is wired to.
  const refused = await daemon.ctl('write', `/proc/irq/${irq}/smp_affinity`, '1');
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('(EPERM)')]);
  const shown = JSON.parse(await answer(daemon, 'irq', irq, '--json')) as IrqStatus;
  expect(shown).toMatchObject({
    irq: Number(irq),
    hwirq: 18,
    enabled: true,
    heldHere: 0,
    actions: ['gpiomod#button2'],
  });
});

test('softirqs, workqueues and tasks are shown', { timeout: TIMEOUT }, async () => {
  const daemon = await lab.start(EXAMPLE);
  await daemon.press('button1');
  expect(await answer(daemon, 'softirqs')).toMatch(/^ +CPU0 +\n +HI: +\d+\n +TIMER: +\d+\n/);
  expect(await answer(daemon, 'workqueues')).toMatch(/^NAME +FLAGS[^\n]*\nevents[_a-z]* +-? +/m);
  expect(await answer(daemon, 'ps')).toMatch(/ FF +50 +- +0 S +irq\/\d+-gpiomo/);
});
