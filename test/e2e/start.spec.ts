// A start with what V8 has kept: the same daemon, also when the file is spoilt.

import { execFileSync } from 'node:child_process';
import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { INDEX_AT } from '../../daemon/start/code-cache.js';
import { EXAMPLE, useLab } from './running-daemon.js';

const lab = useLab({ own: true });
const TIMEOUT = 120_000;
/** As the unit's options are in the name of a file. */
const UNIT = '--max-semi-space-size=1';

const kept = (): string[] =>
  readdirSync(lab.programs)
    .filter((name) => name.endsWith('.cache'))
    .map((name) => join(lab.programs, name));

/** Prints, in a Node that has compiled nothing yet, which modules of a file V8 takes as they were kept. */
const TAKEN = `
const { readFileSync } = require('node:fs');
const file = readFileSync(process.argv[1]);
const begin = ${INDEX_AT} + Number(file.readBigUInt64LE());
const index = JSON.parse(file.toString('utf8', ${INDEX_AT}, begin));
for (const [path, offset, size] of index) {
  const source = require('node:module').wrap(readFileSync(path, 'latin1'));
  const script = new (require('node:vm').Script)(source, { cachedData: file.subarray(begin + offset, begin + offset + size) });
  if (!script.cachedDataRejected) console.log(path);
}`;

async function startsAndEnds(): Promise<void> {
  const daemon = await lab.start(EXAMPLE);
  expect(await daemon.ends('SIGTERM')).toMatchObject({ code: 0, err: '' });
}

test('warm.js keeps a file for Node alone and one for the options of the unit, no other one, and starts are as ever', {
  timeout: TIMEOUT,
}, async () => {
  expect(kept()).toEqual([]);
  for (const name of ['start_v18.0.0_x64', `start_v18.0.0_x64_${UNIT}`, `start_${process.version}_x64.1.part`])
    writeFileSync(join(lab.programs, `${name}.cache`), 'of an older Node, and cut off');
  expect(await lab.run('warm', []).finished).toMatchObject({ code: 0, out: '', err: '' });
  expect(kept()).toHaveLength(2);
  const [plain = ''] = kept().filter((path) => !path.includes('semi-space'));
  const taken = execFileSync(process.execPath, ['-e', TAKEN, plain], { cwd: lab.programs, encoding: 'utf8' });
  for (const part of ['kernel/model', 'sim-fallback/model', 'parts/service', 'parts/pino'])
    expect(taken).toContain(part);
  await startsAndEnds();
  for (const path of kept()) truncateSync(path, 5_000);
  await startsAndEnds();
  for (const path of kept()) writeFileSync(path, 'spoilt');
  await startsAndEnds();
});
