// Running programs: words stay words, the environment is what it is told to be, and every end is told apart.

import { describe, expect, it } from 'vitest';
import { exec } from './exec.js';

const LONG = 60e9;
const node = (script: string): string[] => [process.execPath, '-e', script];

describe('exec', () => {
  it('gives what the program wrote', async () => {
    const result = await exec(node('console.log("out"); console.error("err")'), { timeoutNs: LONG, env: {} });
    expect(result).toEqual({ stdout: 'out\n', stderr: 'err\n' });
  });

  it('gives it the variables that it is told to, and a path', async () => {
    const { stdout } = await exec(node('console.log(JSON.stringify(process.env))'), {
      timeoutNs: LONG,
      env: { A: '1' },
    });
    expect(JSON.parse(stdout)).toEqual({ A: '1', PATH: expect.stringContaining('/usr/bin') });
  });

  it('has an empty input', async () => {
    const { stdout } = await exec(node('console.log(require("node:fs").readFileSync(0).length)'), {
      timeoutNs: LONG,
      env: {},
    });
    expect(stdout).toBe('0\n');
  });

  it('keeps characters whole that come in two pieces', async () => {
    const script =
      'const [a, b] = Buffer.from("é"); process.stdout.write(Buffer.of(a)); setTimeout(() => process.stdout.write(Buffer.of(b)), 50)';
    expect((await exec(node(script), { timeoutNs: LONG, env: {} })).stdout).toBe('é');
  });

  it.each([
    ['ENOENT', ['/nonexistent'], LONG],
    ['EACCES', ['/'], LONG],
    ['EIO', node('process.exit(1)'), LONG],
    ['EIO', node('process.kill(process.pid, "SIGKILL")'), LONG],
    ['EIO', node('process.stderr.write("x".repeat(1e6))'), LONG],
    ['ETIMEDOUT', node('setInterval(() => {}, 1000)'), 1e6],
  ])('fails with %s', async (code, argv, timeoutNs) => {
    await expect(exec(argv, { timeoutNs, env: {} })).rejects.toMatchObject({ name: 'KernelError', code });
  });

  it('ends it when told to, before or while it runs', async () => {
    const controller = new AbortController();
    const running = exec(node('setInterval(() => {}, 1000)'), { timeoutNs: LONG, env: {}, signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'EINTR' });
    const late = exec(node('setInterval(() => {}, 1000)'), { timeoutNs: LONG, env: {}, signal: controller.signal });
    await expect(late).rejects.toMatchObject({ code: 'EINTR' });
  });

  it('refuses words that no program can get', async () => {
    await expect(exec([process.execPath, 'a\0b'], { timeoutNs: LONG, env: {} })).rejects.toThrow(/null bytes/);
  });
});
