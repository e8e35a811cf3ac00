import { simulate } from 'gpio-irqd/testing';
import { afterEach, expect, it } from 'vitest';

let pi;
afterEach(() => pi.end());

it('strikes the gong for 100 ms', async () => {
  pi = await simulate('gpio-irqd.yaml');
  await pi.press('bell', { hold: '50ms', bounce: true });
  expect(pi.lit('gong')).toBe(true);
  await pi.run('100ms');
  expect(pi.lit('gong')).toBe(false);
  expect(pi.log).toEqual(['somebody is at the door']);
});

it('rings once for somebody who has no patience', async () => {
  pi = await simulate('gpio-irqd.yaml');
  for (let i = 0; i < 5; i++) await pi.press('bell', { hold: '100ms' });
  expect(pi.line('bell').rising).toBe(5);
  expect(pi.log).toHaveLength(1);
});

it('lights the lamp while the door is open, and calls the notifier', async () => {
  pi = await simulate('gpio-irqd.yaml');
  pi.set('door', 0);
  await pi.run('1s');
  expect(pi.lit('lamp')).toBe(false);
  pi.set('door', 'float');
  await pi.run('1s');
  expect(pi.lit('lamp')).toBe(true);
  expect(pi.programs.at(-1)).toEqual(['/usr/local/bin/notify', 'door rising']);
});

it('is deaf to a storm on the bell wire, and survives a chip that goes and comes back', async () => {
  pi = await simulate('gpio-irqd.yaml');
  pi.do({ fault: 'storm', line: 'bell', rate: 5000, for: '1s' });
  await pi.run('2s');
  expect(pi.line('bell').rising).toBe(0);
  pi.do({ fault: 'unplug', for: '3s' });
  await pi.run('10s');
  await pi.press('bell');
  await pi.run('1s');
  expect(pi.log).toEqual(['somebody is at the door']);
});

it('plays the recorded visitor', async () => {
  pi = await simulate({
    config: 'gpio-irqd.yaml',
    board: { buttons: { bell: { bounce: { count: 10, settle: '3ms' } } } },
  });
  await pi.play('scenarios/visitor.yaml');
});
