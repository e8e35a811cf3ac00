// A configuration of several files: what goes together, what does not, and that each mistake is told in its own file.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from './config.js';
import { formatConfigError } from './errors.js';
import { loadConfig } from './load.js';

let directory = '';
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'gpio-irqd-include-')));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const put = (files: Readonly<Record<string, string>>): void => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
};
const load = (files: Readonly<Record<string, string>> = {}): Config => {
  put(files);
  const result = loadConfig(join(directory, 'main.yaml'));
  if (!result.ok) throw new Error(result.errors.map(formatConfigError).join('\n'));
  return result.config;
};
/** The errors, with paths relative to the directory of the test. */
const errors = (files: Readonly<Record<string, string>> = {}): string[] => {
  put(files);
  const result = loadConfig(join(directory, 'main.yaml'));
  return result.ok ? [] : result.errors.map((error) => formatConfigError(error).replaceAll(`${directory}/`, ''));
};

const MAIN = 'include: conf.d\nlines: { b1: { gpio: 17, edge: both } }\n';
const led = (name: string, gpio: number): string => `lines: { ${name}: { gpio: ${gpio}, direction: out } }\n`;

describe('include', () => {
  it('unites mappings and appends lists, in the order of the names of the files', () => {
    const config = load({
      'main.yaml': `${MAIN}interrupts: [ { line: b1, thread: [ { log: x } ] } ]\nworkqueues: { q1: {} }\n`,
      'conf.d/20-b.yaml': `${led('led2', 5)}interrupts: [ { line: b2, thread: [ { toggle: led1 } ] } ]\n`,
      'conf.d/10-a.yml': `lines: { led1: { gpio: 4, direction: out }, b2: { gpio: 18, edge: both } }\nworkqueues: { q2: {} }\n`,
      'conf.d/.hidden.yaml': 'nonsense',
      'conf.d/README.md': 'nonsense',
      'conf.d/sub/30-c.yaml': 'nonsense',
    });
    expect(config.lines.map(({ name }) => name)).toEqual(['b1', 'led1', 'b2', 'led2']);
    expect(config.interrupts.map(({ name }) => name)).toEqual(['b1', 'b2']);
    expect(config.workqueues.map(({ name }) => name)).toEqual(['q1', 'q2']);
  });

  it('may name files and directories, and included files may include more, each from where it is', () => {
    const config = load({
      'main.yaml': 'include: [ leds/all.yaml, more ]\nlines: { b1: { gpio: 17 } }\n',
      'leds/all.yaml': `include: one.yaml\n${led('led1', 4)}`,
      'leds/one.yaml': led('led2', 5),
      'more/x.yaml': 'log: { level: warn }\n',
    });
    expect(config.lines.map(({ name }) => name)).toEqual(['b1', 'led1', 'led2']);
    expect(config.log?.level).toBe('warn');
  });

  it('takes a file without anything in it, and a directory without files', () => {
    mkdirSync(join(directory, 'conf.d'));
    expect(load({ 'main.yaml': MAIN }).lines).toHaveLength(1);
    expect(load({ 'conf.d/a.yaml': '# nothing yet\n' }).lines).toHaveLength(1);
  });

  it('looks for modules and secrets beside the file that names them', () => {
    const config = load({
      'main.yaml': MAIN,
      'conf.d/a.yaml': 'interrupts: [ { line: b1, handler: ./h.js } ]\nhttp: { token_file: ./token }\n',
      'conf.d/h.js': '',
    });
    expect(config.interrupts[0]?.handler).toBe(join(directory, 'conf.d/h.js'));
    expect(config.http?.tokenFile).toBe(join(directory, 'conf.d/token'));
  });

  it('tells a mistake in the file that it is in, by the path that it has there', () => {
    expect(
      errors({
        'main.yaml': `${MAIN}interrupts: [ { line: b1, thread: [ { log: x } ] } ]\n`,
        'conf.d/a.yaml': 'lines:\n  led1: { gpio: 4, direction: output }\n',
        'conf.d/b.yaml': 'interrupts:\n  - line: b2\n    thread: [ { log: x } ]\n',
      }),
    ).toEqual([
      "conf.d/a.yaml:2:31: lines.led1.direction: 'output' is not allowed here; did you mean out? (one of in, out)",
      "conf.d/b.yaml:2:11: interrupts[0].line: no line 'b2'; did you mean b1?",
    ]);
  });

  it('names both places of a name, a line or a section that two files have', () => {
    expect(
      errors({
        'main.yaml': `${MAIN}log: { level: info }\ninterrupts: [ { line: b1, thread: [ { log: x } ] } ]\n`,
        'conf.d/a.yaml': 'lines:\n  b1: { gpio: 4 }\n  b3: { gpio: 17 }\nlog: { level: warn }\n',
        'conf.d/b.yaml': 'interrupts:\n  - line: b1\n    thread: [ { log: x } ]\n',
      }),
    ).toEqual([
      "conf.d/a.yaml:2:3: lines.b1: the name 'b1' is taken: main.yaml:2:10; rename one",
      'conf.d/a.yaml:3:15: lines.b3.gpio: GPIO17 is already lines.b1 (main.yaml:2:10); one line a GPIO',
      'conf.d/a.yaml:4:1: log: log stands in two files: it is in main.yaml:3:1 already; keep one',
      "conf.d/b.yaml:2:11: interrupts[0].line: the line 'b1' is taken by interrupts[0] (main.yaml:4:15); EBUSY: put all actions of a line in one interrupt",
    ]);
  });

  it('says where a file is missing, cannot be read, or is no configuration', () => {
    const hint = `it is looked for in ${directory}`;
    expect(errors({ 'main.yaml': MAIN })).toEqual([`main.yaml:1:10: include: no file or directory 'conf.d'; ${hint}`]);
    expect(errors({ 'main.yaml': MAIN, 'conf.d/a.yaml': 'lines: [\n', 'conf.d/b.yaml': 'lines: { x: 1 }' })).toEqual([
      expect.stringMatching(/^conf\.d\/a\.yaml:2:1: /),
    ]);
    expect(errors({ 'conf.d/a.yaml': '- x\n', 'conf.d/b.yaml': '' })).toEqual([
      'conf.d/a.yaml:1:1: a list is not a mapping; write a mapping',
    ]);
    expect(errors({ 'main.yaml': 'include: /dev/null\nlines: { a: { gpio: 1 } }\n' })).toEqual([
      '/dev/null:1:1: it is not a regular file; name a YAML file',
    ]);
    expect(errors({ 'main.yaml': 'include: { a: 1 }\nlines: { a: { gpio: 1 } }\n' })).toHaveLength(1);
  });

  it('says so when what should unite is no mapping, or no list', () => {
    expect(errors({ 'main.yaml': MAIN, 'conf.d/a.yaml': 'lines: 5\ninterrupts: { a: 1 }\n' })).toEqual([
      'conf.d/a.yaml:1:8: lines: 5 is not a mapping; write a mapping',
      'conf.d/a.yaml:2:13: interrupts: a mapping is not a list; write a list: each entry behind a dash',
    ]);
    expect(
      errors({ 'main.yaml': 'include: conf.d\nlines: 5\n', 'conf.d/a.yaml': 'lines: { a: { gpio: 1 } }\n' }),
    ).toEqual(['main.yaml:2:8: lines: 5 is not a mapping; write a mapping']);
  });

  it('goes in no circle, and takes no file twice, by whatever name', () => {
    put({ 'main.yaml': 'include: a.yaml\nlines: { b: { gpio: 1 } }\n', 'a.yaml': 'include: b.yaml\n' });
    symlinkSync('main.yaml', join(directory, 'b.yaml'));
    expect(errors()).toEqual(["a.yaml:1:10: include: 'b.yaml' would include itself; remove one include of the circle"]);
    expect(errors({ 'main.yaml': 'include: [c.yaml, c.yaml]\nlines: { b: { gpio: 1 } }\n', 'c.yaml': '' })).toEqual([
      "main.yaml:1:19: include[1]: 'c.yaml' is included already; at main.yaml:1:11",
    ]);
  });

  it('has limits of depth, of number and of size', () => {
    const chain: Record<string, string> = { 'main.yaml': 'include: c1.yaml\nlines: { b: { gpio: 1 } }\n' };
    for (let i = 1; i < 10; i++) chain[`c${i}.yaml`] = `include: c${i + 1}.yaml\n`;
    expect(errors(chain)).toEqual(['c7.yaml:1:10: include: included too deeply; at most 8 files deep']);

    const many: Record<string, string> = { 'main.yaml': MAIN };
    for (let i = 0; i < 64; i++) many[`conf.d/${i}.yaml`] = '';
    expect(errors(many)).toEqual(['main.yaml:1:10: include: too many files; at most 64 in all']);

    const comment = `#${'x'.repeat(600_000)}\n`;
    rmSync(join(directory, 'conf.d'), { recursive: true });
    expect(
      errors({ 'main.yaml': MAIN, 'conf.d/1.yaml': comment, 'conf.d/2.yaml': comment, 'conf.d/3.yaml': '' }),
    ).toEqual(['main.yaml:1:10: include: the files are larger than 1 MiB together; is all of it a configuration?']);

    const values = `lines: [${'1,'.repeat(15_000)}1]\n`;
    expect(errors({ 'conf.d/1.yaml': values, 'conf.d/2.yaml': values, 'conf.d/3.yaml': '' })).toEqual([
      expect.stringMatching(/^conf\.d\/2\.yaml:1:\d+: lines\[\d+\]: too many values/),
    ]);
  });
});
