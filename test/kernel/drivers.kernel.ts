// The built daemon on a real kernel, with each driver that a configuration can name: an edge switches the LED's line, and
// status says what the driver knows.
import { expect, it, onTestFinished } from 'vitest';
import { openChardev } from '../../drivers/index.js';
import { daemon, launch, setUpEach, sim } from './daemon-lab.js';

const BUTTON = 17;
const LED = 4;

setUpEach();

const configOf = (driver: string, more = ''): string => `
driver: ${driver}
lines:
  button1: { gpio: ${BUTTON}, direction: in, edge: both${more} }
  led1: { gpio: ${LED}, direction: out }
interrupts:
  - line: button1
    top_half: [{ toggle: led1 }]
`;

function free(): boolean[] {
  const chip = openChardev(sim.path);
  onTestFinished(() => chip.close());
  return [BUTTON, LED].map((offset) => !chip.lineInfo(offset).used);
}

it.each([
  ['hardware', 'chardev', 0],
  ['libgpiod', 'libgpiod', 'unknown'],
  ['onoff', 'sysfs', 'unknown'],
])('driver: %s runs on %s, which knows %s lost edges', async (named, driver, lost) => {
  const { running, client } = await daemon(configOf(named));
  expect(running.out).toContain(`through the driver ${driver}`);
  for (const level of [1, 0, 1] as const) {
    sim.pull(BUTTON, level);
    await expect.poll(() => sim.value(LED), { interval: 1 }).toBe(level);
  }
  expect(await client.call('GET', '/v1/status')).toMatchObject({
    driver,
    simulated: false,
    edges: { received: 3, lost },
  });
  expect(await running.ends('SIGTERM')).toMatchObject({ code: 0 });
  expect(free()).toEqual([true, true]);
});

it.each([
  ['onoff', ', bias: pull-up', 'sysfs: no bias'],
  ['libgpiod', ', debounce: 5ms', 'libgpiod: no debounce'],
])('driver: %s with "%s" is refused, and nothing is held', async (named, more, message) => {
  const { code, out, err } = await launch(configOf(named, more)).finished;
  expect(code).not.toBe(0);
  expect(out + err).toContain(message);
  expect(out + err).toContain('driver: chardev');
  expect(free()).toEqual([true, true]);
});
