// `gpio-irqd check` over random configurations: a verdict for each, never a stack trace.
import { type ExecFileException, execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { change, changed, rightConfig } from '../../daemon/config/random-config.spec-helper.js';
import { PROGRAM, Site } from './daemon-process.js';
import { tell, times } from './figures.js';

const CONFIGURATIONS = times(10_000, 500);
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
/** So many go through one process (check-many.mjs): most of what a process of its own takes is its start. */
const BATCH = 250;
/** Of a batch. A configuration that has the program think for so long is as wrong as one that ends it. */
const TIMEOUT_MS = 120_000;
/** An option for which no code is kept: all that the entry loads would be loaded anew with it, for each file. */
const NO_KEPT_CODE = ['--trace-uncaught'];
/** Cut off at any byte, and with bytes that are no text. */
const BROKEN_SHARE = 5;

const run = promisify(execFile);
const site = new Site();
afterAll(() => rmSync(site.directory, { recursive: true }));

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
const sample = fc.record({ text, json: fc.boolean() });

interface Verdict {
  readonly file: string;
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What the program says of each file, up to that at which it ended early, and why. */
async function check(files: readonly string[]): Promise<{ verdicts: Verdict[]; end: string }> {
  const args = [...NO_KEPT_CODE, join(import.meta.dirname, 'check-many.mjs'), PROGRAM, ...files];
  const { stdout, end } = await run(process.execPath, args, { timeout: TIMEOUT_MS, maxBuffer: 2 ** 28 }).then(
    ({ stdout, stderr }) => ({ stdout, end: stderr }),
    ({ stdout, stderr, code, signal }: ExecFileException) => ({
      stdout: stdout ?? '',
      end: `ended by ${signal ?? code}: ${stderr}`,
    }),
  );
  const lines = stdout.split('\n').slice(0, -1);
  return { verdicts: lines.map((line) => JSON.parse(line) as Verdict), end };
}

function judge({ file, code, out, err }: Verdict): void {
  expect(err).toBe('');
  expect([0, 2]).toContain(code);
  expect(out).not.toMatch(/\n\s+at .*:\d+:\d+\)?\n/);
  if (file.endsWith('.json.yaml')) expect(JSON.parse(out)).toMatchObject({ ok: code === 0, file });
  else if (code === 0) expect(out).toMatch(/: ok \(/);
  else expect(out).toMatch(/\.yaml:\d+:\d+: /);
}

it(`says of ${CONFIGURATIONS} random configurations whether they are right, and where they are not`, async () => {
  const found = { right: 0, wrong: 0 };
  const startMs = performance.now();
  for (let first = 0; first < CONFIGURATIONS; first += BATCH) {
    const directory = join(site.directory, `${first}`);
    mkdirSync(directory);
    const samples = fc.sample(sample, { numRuns: Math.min(BATCH, CONFIGURATIONS - first), seed: SEED + first });
    const files = samples.map(({ text, json }, i) => site.write(`${first}/${i}.${json ? 'json.' : ''}yaml`, text));
    const { verdicts, end } = await check(files);
    for (const [i, file] of files.entries()) {
      const verdict = verdicts[i] ?? { file, code: -1, out: '', err: end };
      try {
        judge(verdict);
      } catch (error) {
        throw new Error(`batch ${first} of SEED=${SEED}, ${basename(file)}:\n${samples[i]?.text}`, { cause: error });
      }
      found[verdict.code === 0 ? 'right' : 'wrong']++;
    }
    expect(end).toBe('');
    rmSync(directory, { recursive: true });
  }
  expect(Math.min(found.right, found.wrong)).toBeGreaterThan(CONFIGURATIONS / 20);
  tell('check', [
    ['configurations', `${CONFIGURATIONS} (seed ${SEED}), ${BATCH} in a process`],
    ['found right, found wrong', `${found.right}, ${found.wrong}`],
    ['crashes', 0],
    ['time', `${((performance.now() - startMs) / 1000).toFixed(0)} s`],
  ]);
}, 900_000);
