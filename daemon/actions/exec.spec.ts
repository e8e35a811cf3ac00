// Running programs: words stay words, the environment is what it is told to be, and every end is told apart.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ExecOptions, exec } from './exec.js';

const LONG = 60e9;
const node = (script: string): string[] => [process.execPath, '-e', script];

/** Runs a program. @returns the lines that it wrote, and what was left out of them */
async function run(argv: readonly string[], options: Partial<ExecOptions> = {}) {
  const lines: string[] = [];
  const { leftOutBytes } = await exec(argv, {
    timeoutNs: LONG,
    env: {},
    onLine: (text) => lines.push(text),
    ...options,
  });
  return { lines, leftOutBytes };
}

/** Runs a program until it is out of time, which is not before it has written a line. @returns the lines */
async function runOutOfTime(argv: readonly string[]): Promise<string[]> {
  // A machine that is busy may take seconds to start it.
  for (let timeoutNs = 0.5e9; ; timeoutNs *= 4) {
    const lines: string[] = [];
    const running = run(argv, { timeoutNs, onLine: (text) => lines.push(text) });
    await expect(running).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    if (lines.length > 0) return lines;
  }
}

/** Whether a process is there and runs; one that waits for its parent to look is not. */
async function runs(pid: number): Promise<boolean> {
  const { readFile } = await import('node:fs/promises');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) Z /.test(stat);
}

describe('exec', () => {
  it('gives what the program wrote, line by line as it comes', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-exec-'));
    const heard = join(directory, 'heard');
    const script = `console.log("out");
      const timer = setInterval(() => {
        if (!require("node:fs").existsSync(${JSON.stringify(heard)})) return;
        clearInterval(timer);
        console.error("err");
        process.stdout.write("no end");
      }, 5);`;
    const lines: string[] = [];
    const onLine = (text: string): void => {
      lines.push(text);
      // The program goes on only when its first line was heard of.
      writeFileSync(heard, '');
    };
    try {
      expect(await run(node(script), { onLine })).toEqual({ lines: [], leftOutBytes: 0 });
    } finally {
      rmSync(directory, { recursive: true });
    }
    expect(lines).toEqual(['out', 'err', 'no end']);
  });

  it('gives it the variables that it is told to, and a path', async () => {
    const { lines } = await run(node('console.log(JSON.stringify(process.env))'), { env: { A: '1' } });
    expect(JSON.parse(lines[0] ?? '')).toEqual({ A: '1', PATH: expect.stringContaining('/usr/bin') });
  });

  it('has an empty input', async () => {
    expect((await run(node('console.log(require("node:fs").readFileSync(0).length)'))).lines).toEqual(['0']);
  });

  it('hands words over as they are, whatever is in them', async () => {
    const words = ['$HOME', '; echo no', '"', '* ?', '\n'];
    const { lines } = await run([...node('console.log(JSON.stringify(process.argv.slice(1)))'), ...words]);
    expect(JSON.parse(lines[0] ?? '')).toEqual(words);
  });

  it('keeps characters whole that come in two pieces', async () => {
    const script =
      'const [a, b] = Buffer.from("é"); process.stdout.write(Buffer.of(a)); setTimeout(() => process.stdout.write(Buffer.of(b)), 50)';
    expect((await run(node(script))).lines).toEqual(['é']);
  });

  it('gives 64 KiB of a flood, counts the rest, and lets the program end', async () => {
    const line = 'x'.repeat(1023);
    const { lines, leftOutBytes } = await run(
      node(
        `const t = ${JSON.stringify(`${line}\n`)}; for (let i = 0; i < 1000; i++) require("node:fs").writeSync(1, t)`,
      ),
    );
    expect(lines).toHaveLength(65);
    expect(lines[64]).toMatch(/: 958464 bytes more of what it wrote are left out$/);
    expect(leftOutBytes).toBe((1000 - 64) * 1024);
  });

  it('gives no more than 200 lines at once', async () => {
    const { lines, leftOutBytes } = await run(node('process.stdout.write("a\\n".repeat(500))'));
    expect(lines.length).toBeGreaterThan(200);
    expect((lines.length - 1) * 2 + leftOutBytes).toBe(1000);
  });

  it('lets the daemon breathe while a program floods it for ever', async () => {
    const enough = new AbortController();
    let flooded = false;
    let turns = 0;
    const timer = setInterval(() => {
      if (flooded && ++turns === 20) enough.abort();
    }, 5);
    const script = 'const b = Buffer.alloc(65536, 65); const go = () => process.stdout.write(b, go); go()';
    const onLine = (): void => {
      flooded = true;
    };
    await expect(run(node(script), { signal: enough.signal, onLine })).rejects.toMatchObject({ code: 'EINTR' });
    clearInterval(timer);
  });

  it.each([
    ['ENOENT', ['/nonexistent'], LONG],
    ['EACCES', ['/etc/passwd'], LONG],
    ['EIO', node('process.exit(1)'), LONG],
    ['EIO', node('process.kill(process.pid, "SIGKILL")'), LONG],
    ['ETIMEDOUT', node('setInterval(() => {}, 1000)'), 1e6],
  ])('fails with %s', async (code, argv, timeoutNs) => {
    await expect(run(argv, { timeoutNs })).rejects.toMatchObject({ name: 'KernelError', code });
  });

  it('tells the status of a program that failed, and what it said', async () => {
    await expect(run(node('console.error("no paper"); process.exit(3)'))).rejects.toThrow('status 3: no paper');
  });

  it('lets a program that is out of time clean up', async () => {
    const script = `process.on("SIGTERM", () => { console.log("cleaned"); process.exit(0) });
      console.log("ready"); setInterval(() => {}, 9)`;
    expect(await runOutOfTime(node(script))).toEqual(['ready', 'cleaned']);
  });

  it('kills one that ignores SIGTERM, with the processes that it has started', async () => {
    const stubborn = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000);';
    const script = `const { spawn } = require("node:child_process");
      const child = spawn(process.execPath, ["-e", ${JSON.stringify(stubborn)}], { stdio: "inherit" });
      console.log(child.pid); ${stubborn}`;
    const child = Number((await runOutOfTime(node(script)))[0]);
    expect(child).toBeGreaterThan(1);
    await expect.poll(() => runs(child)).toBe(false);
  });

  it('kills what a program has left behind that ended at SIGTERM itself', async () => {
    const stubborn = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000);';
    const script = `const { spawn } = require("node:child_process");
      const child = spawn(process.execPath, ["-e", ${JSON.stringify(stubborn)}], { stdio: "ignore" });
      setTimeout(() => console.log(child.pid), 300); setInterval(() => {}, 1000)`;
    const child = Number((await runOutOfTime(node(script)))[0]);
    expect(child).toBeGreaterThan(1);
    await expect.poll(() => runs(child)).toBe(false);
  });

  it('ends it when told to, before or while it runs', async () => {
    const controller = new AbortController();
    const running = run(node('setInterval(() => {}, 1000)'), { signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'EINTR' });
    const late = run(node('setInterval(() => {}, 1000)'), { signal: controller.signal });
    await expect(late).rejects.toMatchObject({ code: 'EINTR' });
  });

  it('refuses words that no program can get', async () => {
    const { execPath } = process;
    await expect(run([execPath, 'a\0b'])).rejects.toMatchObject({
      code: 'EINVAL',
      message: `${execPath}: a null byte is in its words or variables, which no program can get`,
    });
    await expect(run([execPath, 'a'.repeat(4e6)])).rejects.toMatchObject({
      code: 'EINVAL',
      message: `${execPath}: its words and variables are too long`,
    });
  });
});
