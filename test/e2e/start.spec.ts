// A start with what V8 has kept: the same daemon, also when the file is spoilt.

import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXAMPLE, useLab } from './running-daemon.js';

const lab = useLab();
const TIMEOUT = 120_000;

const kept = (): string[] =>
  readdirSync(lab.programs)
    .filter((name) => name.endsWith('.cache'))
    .map((name) => join(lab.programs, name));

async function startsAndEnds(): Promise<void> {
  const daemon = await lab.start(EXAMPLE);
  expect(await daemon.ends('SIGTERM')).toMatchObject({ code: 0, err: '' });
}

test('warm.js keeps a file for Node alone and one for the options of the unit, and starts are as ever', {
  timeout: TIMEOUT,
}, async () => {
  expect(kept()).toEqual([]);
  expect(await lab.run('warm', []).finished).toMatchObject({ code: 0, out: '', err: '' });
  expect(kept()).toHaveLength(2);
  await startsAndEnds();
  for (const path of kept()) truncateSync(path, 5_000);
  await startsAndEnds();
  for (const path of kept()) writeFileSync(path, 'spoilt');
  await startsAndEnds();
});
