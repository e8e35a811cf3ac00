// A daemon that is killed at any moment: the next one finds nothing in its way, and begins anew.
import { existsSync, readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { mulberry32 } from '../../sim-fallback/board/prng.js';
import { Site } from './daemon-process.js';
import { percentile, tell, times } from './figures.js';

const KILLS = times(100, 25);
const SEED = 8;
/** From the start of a process to its kill, at most: some are killed before they serve, and some at work. */
const KILL_WITHIN_MS = 1_800;

/** Longer than a machine that is busy takes no notice of its timers. */
const HOLD_NS = 20_000_000;

const CONFIG = `
lines:
  button: { gpio: 17, edge: both, bias: pull-up, active: low, debounce: 1ms }
  lamp: { gpio: 4, direction: out }
interrupts:
  - line: button
    top_half: [{ toggle: lamp }]
    thread: [{ log: "{line} {edge}" }]
    work: { do: [{ exec: [/bin/true, "{line}"] }] }
triggers:
  - { name: ring, hook: ring, work: { do: [{ pulse: lamp, for: 20ms }] } }
`;

let site: Site;
beforeEach(() => {
  site = new Site();
  site.write('config.yaml', CONFIG);
});
afterEach(() => site.close());

/** Keeps a daemon at work until it is gone. */
async function busy(daemon: ReturnType<Site['spawn']>): Promise<void> {
  let over = false;
  void daemon.ended.then(() => {
    over = true;
  });
  const ask = async (route: () => Promise<unknown>): Promise<void> => {
    while (!over) await route().catch(() => new Promise((resolve) => setTimeout(resolve, 5)));
  };
  const { client } = daemon;
  await Promise.all([
    ask(() => daemon.press('button')),
    ask(() => client.call('POST', '/v1/hooks/ring', {})),
    ask(() => client.call('POST', '/v1/reload')),
    ask(async () => {
      for await (const _ of client.events());
    }),
  ]);
}

it(`is killed ${KILLS} times, and each time the next one serves`, async () => {
  const random = mulberry32(SEED);
  const startsMs: number[] = [];
  let early = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const victim = site.spawn();
    const working = busy(victim);
    await new Promise((resolve) => setTimeout(resolve, random() * KILL_WITHIN_MS));
    if (!existsSync(site.socket)) early++;
    expect(await victim.kill('SIGKILL')).toBe('SIGKILL');
    await working;

    const beginMs = performance.now();
    const next = await site.start();
    startsMs.push(performance.now() - beginMs);
    const { edges, dropped, handlerErrors, problem } = await next.status();
    expect({ edges, dropped, handlerErrors, problem }).toEqual({
      edges: { received: 0, lost: 0 },
      dropped: 0,
      handlerErrors: 0,
      problem: undefined,
    });
    expect((await next.lines()).map(({ name, value, waitingFor }) => ({ name, value, waitingFor }))).toEqual([
      { name: 'button', value: 0, waitingFor: undefined },
      { name: 'lamp', value: 0, waitingFor: undefined },
    ]);
    await next.press('button', HOLD_NS);
    const counted = (await next.status()).edges;
    expect(counted.received).toBe(2);
    expect(counted.lost).toBe(0);
    expect(await next.kill('SIGTERM')).toBe(0);
    expect(readdirSync(site.directory)).toEqual(['config.yaml']);
  }
  tell('kill', [
    ['kills', `${KILLS}, within ${KILL_WITHIN_MS} ms of the start (seed ${SEED})`],
    ['of these before the socket was there', early],
    ['daemons that served afterwards', startsMs.length],
    ['from the start to the first answer: half, 99 %', `${percentile(startsMs, 50)}, ${percentile(startsMs, 99)}`],
  ]);
});
