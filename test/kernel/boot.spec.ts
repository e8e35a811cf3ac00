// What boot.sh promises: status and output of the command, a time limit, and nothing left behind however it ends.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

const BOOT = fileURLToPath(new URL('boot.sh', import.meta.url));

interface Outcome {
  readonly status: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function boot(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(BOOT, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : (error.code ?? null), stdout, stderr });
    });
  });
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-boot-spec-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** Processes of this machine whose command line holds `text`. */
function processesWith(text: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
    } catch {
      return false; // it ended meanwhile
    }
  });
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 60_000; !condition(); ) {
    if (performance.now() > end) throw new Error(`did not happen in 60 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('the command in the guest', () => {
  test('gives its exit status and its output, and runs in this directory', async () => {
    const { status, stdout } = await boot('--', 'sh', '-c', 'pwd; echo "two  words" >&2; exit 7');
    expect({ status, stdout }).toEqual({ status: 7, stdout: `${process.cwd()}\ntwo  words\n` });
  });

  test('gets its arguments as they are', async () => {
    const odd = ['two words', '', "it's", '$HOME', 'a\nb', '"', '*'];
    const { stdout } = await boot(
      '--',
      'node',
      '-e',
      'console.log(JSON.stringify(process.argv.slice(1)))',
      '--',
      ...odd,
    );
    expect(JSON.parse(stdout)).toEqual(odd);
  });

  test('loses nothing of much output', async () => {
    const { status, stdout } = await boot('--', 'seq', '1', '500000');
    expect(status).toBe(0);
    expect(stdout.length).toBe(3_388_895);
    expect(stdout.endsWith('\n499999\n500000\n')).toBe(true);
  });

  test('cannot change the files of this machine, except below --out', async () => {
    const [inside, outside] = [temporaryDirectory(), temporaryDirectory()];
    writeFileSync(join(outside, 'kept'), 'before');
    const script = `echo after >${outside}/kept; echo new >${outside}/new; echo result >${inside}/result`;
    expect((await boot('--out', inside, '--', 'sh', '-c', script)).status).toBe(0);
    expect(readFileSync(join(outside, 'kept'), 'utf8')).toBe('before');
    expect(readdirSync(outside)).toEqual(['kept']);
    expect(readFileSync(join(inside, 'result'), 'utf8')).toBe('result\n');
  });

  test('runs under systemd when asked to', async () => {
    const { status, stdout } = await boot(
      '--systemd',
      temporaryDirectory(),
      '--',
      'sh',
      '-c',
      'cat /proc/1/comm; exit 3',
    );
    expect({ status, stdout }).toEqual({ status: 3, stdout: 'systemd\n' });
  });
});

describe('the end of a guest', () => {
  test('is 124 when the time is up', async () => {
    const { status, stderr } = await boot('--timeout', '2', '--', 'sleep', '100');
    expect(status).toBe(124);
    expect(stderr).toContain('the guest was killed after 2 s');
  });

  test('is 125 when the kernel panics, with its last words', async () => {
    const { status, stderr } = await boot('--', 'sh', '-c', 'echo c >/proc/sysrq-trigger; sleep 100');
    expect(status).toBe(125);
    expect(stderr).toContain('Kernel panic - not syncing: sysrq triggered crash');
  });

  test('is 2 for wrong use', async () => {
    expect((await boot('--out', '/nonexistent', '--', 'true')).status).toBe(2);
    expect((await boot('--', ...[])).status).toBe(2);
    expect((await boot('--loud', '--', 'true')).status).toBe(2);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const)('leaves nothing behind after %s', async (signal) => {
    const out = temporaryDirectory();
    const child = spawn(BOOT, ['--out', out, '--', 'sh', '-c', `cat /proc/cmdline >${out}/started; sleep 100`]);
    const started = join(out, 'started');
    let run = '';
    await until('the guest runs', () => {
      run = (existsSync(started) && / guest_run=(\S+) /.exec(readFileSync(started, 'utf8'))?.[1]) || '';
      return run !== '';
    });
    expect(existsSync(run)).toBe(true);
    expect(processesWith(run)).not.toEqual([]);
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    await until(
      'everything is gone',
      () => !existsSync(run) && !existsSync(`${run}.ended`) && processesWith(run).length === 0,
    );
  });
});
