// The addon's handling of descriptors, compiled with AddressSanitizer over fakes of N-API and libuv, each of whose calls fails once.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

const SOURCES = join(import.meta.dirname, 'addon');
const WARNINGS = ['-Wall', '-Wextra', '-Werror'];
const SANITIZERS = ['-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

/** Where node-gyp found node_api.h and uv.h when it built the addon, or where they belong to the node that runs. */
function headers(): string {
  const configured = /"nodedir": "([^"]+)"/.exec(readFileSync('build/config.gypi', 'utf8'))?.[1];
  return join(configured ?? dirname(dirname(process.execPath)), 'include', 'node');
}

it('frees everything once and closes every descriptor, whatever call of it fails', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gpio-irqd-addon-'));
  try {
    const program = join(folder, 'test');
    const files = ['gpio_fd.c', 'gpio_fd.test.c'].map((name) => join(SOURCES, name));
    const options = ['-std=gnu11', '-D_GNU_SOURCE', '-DNAPI_VERSION=8', `-I${headers()}`, ...WARNINGS, ...SANITIZERS];
    execFileSync('cc', [...options, ...files, '-o', program], { stdio: ['ignore', 'pipe', 'pipe'] });
    expect(execFileSync(program, { encoding: 'utf8' })).toMatch(/^\d{2} runs\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
