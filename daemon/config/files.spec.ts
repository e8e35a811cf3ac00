// Specification of the files that a configuration names: each is told of at its place when others could have changed it.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { unprivileged } from '../unprivileged.spec-helper.js';
import { loadConfig } from './load.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-files.'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

function put(name: string, mode: number, text = ''): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const CONFIG = `lines:
  button: { gpio: 17, edge: both }
  bell: { gpio: 18, edge: both }
interrupts:
  - { line: button, handler: ./top.mjs }
  - line: bell
    work:
      queue: slow
      do:
        - { exec: [DIR/notify, "{line}"] }
        - { exec: [sibling, "{line}"], env: { PATH: "/nonexistent:DIR" } }
        - { module: ./heavy.mjs }
workqueues: { slow: { flags: [cpu_intensive] } }
mqtt: { url: mqtt://localhost, username: me, password_file: password }
http: { token_file: token }
`;

/** What is wrong, as LINE: MESSAGE, with the directory as DIR. */
function errors(trusted = true): string[] {
  const result = loadConfig(join(directory, 'config.yaml'), { trusted });
  return result.ok ? [] : result.errors.map((e) => `${e.code} ${e.line}: ${e.message}`.replaceAll(directory, 'DIR'));
}

function putAll(mode: number, secretMode: number): void {
  put('config.yaml', 0o644, CONFIG.replaceAll('DIR', directory));
  for (const name of ['top.mjs', 'heavy.mjs']) put(name, mode);
  for (const name of ['notify', 'sibling']) put(name, mode | 0o111, '#!/bin/sh\n');
  for (const name of ['password', 'token']) put(name, secretMode);
}

describe('a configuration for the service', () => {
  test('is good when nobody else may write its files, or read its secrets', () => {
    putAll(0o644, 0o600);
    expect(errors()).toEqual([]);
  });

  test('is told at each place of a file that everyone may write, and of a secret that everyone may read', () => {
    putAll(0o646, 0o644);
    expect(errors()).toEqual([
      'CONFIG_TRUST 5: DIR/top.mjs can be changed by everyone (mode 0646), and it would be run by the daemon',
      'CONFIG_TRUST 10: DIR/notify can be changed by everyone (mode 0757), and it would be run by the daemon',
      'CONFIG_TRUST 11: DIR/sibling can be changed by everyone (mode 0757), and it would be run by the daemon',
      'CONFIG_TRUST 12: DIR/heavy.mjs can be changed by everyone (mode 0646), and it would be run by the daemon',
      'CONFIG_TRUST 14: DIR/password is a secret that everyone may read (mode 0644)',
      'CONFIG_TRUST 15: DIR/token is a secret that everyone may read (mode 0644)',
    ]);
  });

  test('is told of what a handler imports by its place, however far, but not of data that it names', () => {
    putAll(0o644, 0o600);
    put('top.mjs', 0o644, "import { far } from './near.mjs';\nconst state = './state.json';\n");
    put('near.mjs', 0o644, "export { far } from './far.mjs';\n");
    put('far.mjs', 0o666, 'export const far = 1;\n');
    put('state.json', 0o666, '{}');
    expect(errors()).toEqual([
      'CONFIG_TRUST 5: DIR/far.mjs can be changed by everyone (mode 0666), and it would be run by the daemon',
    ]);
  });

  test('is itself refused when everyone may write it, before anything in it counts', () => {
    putAll(0o646, 0o644);
    chmodSync(join(directory, 'config.yaml'), 0o666);
    expect(errors()).toEqual([
      'CONFIG_TRUST 1: DIR/config.yaml can be changed by everyone (mode 0666), and it says what the daemon runs',
    ]);
  });

  test('is not asked for files that are not there yet, except modules', () => {
    putAll(0o644, 0o600);
    for (const name of ['notify', 'password', 'token', 'heavy.mjs']) rmSync(join(directory, name));
    expect(errors()).toEqual(["CONFIG_REFERENCE 12: no file './heavy.mjs'"]);
  });
});

test('a module that is no file, or that cannot be reached, is told of as that', async () => {
  putAll(0o644, 0o600);
  chmodSync(directory, 0o755);
  const inner = join(directory, 'inner');
  mkdirSync(inner);
  put('config.yaml', 0o644, CONFIG.replaceAll('DIR', directory).replace('./top.mjs', './inner/top.mjs'));
  rmSync(join(directory, 'heavy.mjs'));
  mkdirSync(join(directory, 'heavy.mjs'));
  chmodSync(inner, 0o000);
  const told = await unprivileged(() => loadConfig(join(directory, 'config.yaml'), { trusted: true }));
  chmodSync(inner, 0o755);
  expect(told.ok ? [] : told.errors.map(({ code, line, message, hint }) => [code, line, message, hint])).toEqual([
    [
      'CONFIG_FILE',
      5,
      "'./inner/top.mjs' cannot be looked at: permission denied",
      `let this user through: sudo chmod o+x ${inner}`,
    ],
    ['CONFIG_FILE', 12, "'./heavy.mjs' is a directory", 'name the file of the module'],
  ]);
  rmSync(join(directory, 'heavy.mjs'), { recursive: true });
  execFileSync('mkfifo', [join(directory, 'heavy.mjs')]);
  expect(errors()).toContain("CONFIG_FILE 12: './heavy.mjs' is not a regular file");
});

test('a secret that is not there is warned of, at its place', () => {
  putAll(0o644, 0o600);
  const warnings = (): string[] | undefined => {
    const result = loadConfig(join(directory, 'config.yaml'), { trusted: true });
    return result.ok ? result.warnings.map((w) => `${w.line}: ${w.path}: ${w.message}`) : undefined;
  };
  const before = warnings();
  for (const name of ['password', 'token']) rmSync(join(directory, name));
  expect(before?.filter((text) => text.includes('no file'))).toEqual([]);
  expect(warnings()).toEqual(
    expect.arrayContaining(["14: mqtt.password_file: no file 'password'", "15: http.token_file: no file 'token'"]),
  );
});

test.runIf(process.getuid?.() === 0)('by hand its owner is trusted, but not the owner of what it includes', () => {
  putAll(0o644, 0o600);
  writeFileSync(join(directory, 'config.yaml'), `include: more.yaml\n${CONFIG.replaceAll('DIR', directory)}`);
  const more = put('more.yaml', 0o644, 'lines: { led: { gpio: 4, direction: out } }\n');
  for (const name of ['config.yaml', 'top.mjs']) chownSync(join(directory, name), 4245, 0);
  expect(errors()).toEqual([]);
  chownSync(more, 4246, 0);
  expect(errors()).toEqual([
    'CONFIG_TRUST 1: DIR/more.yaml can be changed by user 4246 (mode 0644), and it says what the daemon runs',
  ]);
  chownSync(more, 0, 0);
  vi.stubEnv('NOTIFY_SOCKET', '/run/systemd/notify');
  chownSync(join(directory, 'config.yaml'), 4247, 0);
  expect(errors()).toEqual([
    'CONFIG_TRUST 1: DIR/config.yaml can be changed by user 4247 (mode 0644), and it says what the daemon runs',
  ]);
});

test('a replay takes the files as they are', () => {
  putAll(0o666, 0o666);
  expect(errors(false)).toEqual([]);
});
