// The example project of docs/scenarios.md, as its reader has it: the package packed and installed, its tests and scripts run.

import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROOT } from './running-daemon.js';

const INSTALL_MS = 240_000;
const RUN_MS = 240_000;

let directory = '';
let project = '';

/** How npm gets through to its registry from here: proxies, certificates, its own settings. */
const WAY_OUT = /^(npm_config_|node_extra_ca_certs$|ssl_cert_|(https?|no)_proxy$)/i;

/** Runs a program in a directory; its output, or an error with it. */
async function run(cwd: string, program: string, ...args: string[]): Promise<string> {
  const { PATH = '', HOME = '' } = process.env;
  const wayOut = Object.fromEntries(Object.entries(process.env).filter(([name]) => WAY_OUT.test(name)));
  const env = {
    ...wayOut,
    PATH,
    HOME,
    CI: 'true',
    NO_COLOR: '1',
    npm_config_update_notifier: 'false',
    npm_config_fund: 'false',
  };
  const { stdout, stderr } = await promisify(execFile)(program, args, { cwd, env });
  return stdout + stderr;
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-ci-example-'));
  const source = join(directory, 'package');
  project = join(directory, 'project');
  cpSync(join(ROOT, 'examples/ci'), project, { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(source, 'package.json'));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  await run(ROOT, process.execPath, tsc, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(source, 'dist'));
  const packed = await run(source, 'npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', directory);
  const tarball = join(directory, packed.trim().split('\n').at(-1) ?? '');
  // What comes from the registry is what this checkout has: npm finds it in its cache, but for what vitest's optional
  // peers would need.
  const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--legacy-peer-deps'];
  await run(project, 'npm', 'install', ...flags, '--save-dev', tarball);
}, INSTALL_MS);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

it(
  'has a configuration that is right',
  async () => {
    expect(await run(project, 'npm', 'run', '--silent', 'check')).toBe('gpio-irqd.yaml: ok (4 lines, 2 interrupts)\n');
  },
  RUN_MS,
);

it(
  'passes its tests',
  async () => {
    expect(await run(project, 'npm', 'test', '--silent')).toMatch(/Tests {2}5 passed \(5\)/);
  },
  RUN_MS,
);

it(
  'replays its scenario to the trace on record, and tells when the handler is another',
  async () => {
    expect(await run(project, 'npm', 'run', '--silent', 'replay')).toBe(
      'visitor: 11 steps in 6s, 5 of 5 expectations met, the trace is as expected\n',
    );
    const handler = join(project, 'handlers/bell.js');
    writeFileSync(handler, readFileSync(handler, 'utf8').replace('+ 2e9', '+ 1e9'));
    await expect(run(project, 'npm', 'run', '--silent', 'replay')).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('"somebody": 2 in the log, expected 1'),
    });
  },
  RUN_MS,
);

it(
  'is fuzzed by the command that it has for that',
  async () => {
    expect(await run(project, 'npm', 'run', '--silent', 'fuzz')).toMatch(
      /^30 random scenarios, 600s, \d+ edges: nothing failed\n$/,
    );
  },
  RUN_MS,
);
