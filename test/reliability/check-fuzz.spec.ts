// `gpio-irqd check` over random configurations: a verdict for each, never a stack trace.
import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Surroundings } from '../../daemon/cli.js';
import { change, changed, rightConfig } from '../../daemon/config/random-config.spec-helper.js';
import { daemonMain } from '../../daemon/daemon-commands.js';
import { Site } from './daemon-process.js';
import { tell, times } from './figures.js';

const CONFIGURATIONS = times(10_000, 500);
/** Cut off at any byte, and with bytes that are no text. */
const BROKEN_SHARE = 5;

const site = new Site();
afterAll(() => rmSync(site.directory, { recursive: true }));

const parts = {
  startService: () => Promise.reject(new Error('nothing is started')),
  detect: () => Promise.reject(new Error('nothing is looked for')),
};

async function run(args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const io: Surroundings = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    terminal: false,
    env: {},
    uid: 0,
    onSignal: () => () => undefined,
  };
  const code = await daemonMain(args, io, parts);
  return { code, out, err };
}

const broken = fc
  .tuple(rightConfig, fc.nat(), fc.string({ maxLength: 8, unit: 'binary' }))
  .map(([config, at, noise]) => {
    const text = stringify(config);
    const cut = at % (text.length + 1);
    return `${text.slice(0, cut)}${noise}${at % 2 === 0 ? text.slice(cut) : ''}`;
  });
const text = fc.oneof(
  { weight: 1, arbitrary: rightConfig.map((config) => stringify(config)) },
  {
    weight: BROKEN_SHARE,
    arbitrary: fc
      .tuple(rightConfig, fc.array(change, { minLength: 1, maxLength: 4 }))
      .map(([config, changes]) => stringify(changed(config, changes))),
  },
  { weight: 1, arbitrary: broken },
);

it(`says of ${CONFIGURATIONS} random configurations whether they are right, and where they are not`, async () => {
  const verdicts = { right: 0, wrong: 0 };
  const one = fc.asyncProperty(text, fc.boolean(), async (config, json) => {
    const file = site.write('random.yaml', config);
    const { code, out, err } = await run(['check', '--config', file, ...(json ? ['--json'] : [])]);
    expect(err).toBe('');
    expect([0, 2]).toContain(code);
    verdicts[code === 0 ? 'right' : 'wrong']++;
    expect(out).not.toMatch(/\n\s+at .*:\d+:\d+\)?\n/);
    if (json) expect(JSON.parse(out)).toMatchObject({ ok: code === 0, file });
    else if (code === 0) expect(out).toMatch(/: ok \(/);
    else expect(out).toMatch(/random\.yaml:\d+:\d+: /);
  });
  await fc.assert(one, { numRuns: CONFIGURATIONS });
  expect(Math.min(verdicts.right, verdicts.wrong)).toBeGreaterThan(CONFIGURATIONS / 20);
  tell('check', [
    ['configurations', CONFIGURATIONS],
    ['found right, found wrong', `${verdicts.right}, ${verdicts.wrong}`],
    ['crashes', 0],
  ]);
});
