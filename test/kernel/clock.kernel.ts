// The built daemon on a real kernel when somebody sets the wall clock: edges, pulses and stamps go by the clock that nobody can set.
import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { ControlEvent, LineStatus } from '../../daemon/control/target.js';
import { daemon, OFTEN, setUpEach, sim } from './daemon-lab.js';

const BUTTON = 17;
const LAMP = 4;
const EDGES_A_STEP = 100;
const DAY_S = 86_400;
const PULSE_NS = 1.5e9;

setUpEach();

const CONFIG = `
driver: hardware
lines:
  button: { gpio: ${BUTTON}, edge: both }
  lamp: { gpio: ${LAMP}, direction: out }
interrupts:
  - { line: button, thread: [{ log: "{edge}" }] }
triggers:
  - { name: every-second, schedule: "* * * * * *", work: { do: [{ log: tick }] } }
  - { name: light, hook: light, work: { do: [{ pulse: lamp, for: ${PULSE_NS / 1e6}ms }] } }
`;

/** Sets the wall clock of the guest, which is the guest's own. */
function stepClock(seconds: number): void {
  execFileSync('date', ['-s', `@${Math.round(Date.now() / 1_000) + seconds}`], { stdio: 'ignore' });
}

/** Edges, some of them while the clock is being set. */
async function edgesAround(step: () => void): Promise<void> {
  for (let i = 0; i < EDGES_A_STEP; i++) {
    sim.pull(BUTTON, i % 2 === 0 ? 1 : 0);
    if (i === EDGES_A_STEP / 2) step();
    await delay(2);
  }
}

it('a wall clock that is set a day forward and back moves no edge and no pulse', async () => {
  const { client } = await daemon(CONFIG);
  const events: ControlEvent[] = [];
  void (async () => {
    for await (const event of client.events()) events.push(event);
  })().catch(() => undefined);
  const of = (type: ControlEvent['type']) => events.filter((event) => event.type === type);
  await expect.poll(() => of('trigger').length, OFTEN).toBeGreaterThan(0);

  for (const seconds of [DAY_S, -DAY_S]) {
    const values = of('value').length;
    const beforeNs = Number(process.hrtime.bigint());
    await client.call('POST', '/v1/hooks/light', {});
    await edgesAround(() => stepClock(seconds));
    await expect.poll(() => of('value').length, OFTEN).toBe(values + 2);
    const [on, off] = of('value').slice(values);
    // A stamp is of a little after the line was set; how much that is, and how much longer the pulse, is up to the machine.
    expect(on?.atNs).toBeGreaterThan(beforeNs);
    expect(off?.atNs).toBeGreaterThanOrEqual(beforeNs + PULSE_NS);
    expect(off?.atNs).toBeLessThan(Number(process.hrtime.bigint()));
    // A schedule goes by the wall clock, and goes on from what it shows now.
    const ticks = of('trigger').filter((event) => 'trigger' in event && event.trigger === 'every-second').length;
    await expect
      .poll(() => of('trigger').filter((event) => 'trigger' in event && event.trigger === 'every-second').length, {
        timeout: 90_000,
      })
      .toBeGreaterThan(ticks + 1);
  }

  const { rising, falling, lost } = (await client.call('GET', '/v1/lines/button')) as LineStatus;
  expect({ edges: rising + falling, lost }).toEqual({ edges: 2 * EDGES_A_STEP, lost: 0 });
  const stamps = of('edge').map(({ atNs }) => atNs);
  expect(stamps).toEqual([...stamps].sort((a, b) => a - b));
  const spanNs = (stamps.at(-1) ?? 0) - (stamps[0] ?? 0);
  expect(spanNs).toBeLessThan((DAY_S * 1e9) / 2);
});
