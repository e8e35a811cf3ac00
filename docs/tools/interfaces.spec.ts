// Man pages, completions and the description of the API are as the programs are, and readable by what reads them.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { interfaceFiles } from './interfaces.js';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const files = interfaceFiles(version);

function isThere(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`]);
    return true;
  } catch {
    return false;
  }
}

it.each([...files.keys()])('%s is as `npm run docs` writes it', (path) => {
  expect(readFileSync(path, 'utf8')).toBe(files.get(path));
});

describe.each([...files.keys()].filter((path) => path.startsWith('man/')))('%s', (path) => {
  const text = files.get(path) ?? '';

  it.runIf(isThere('mandoc'))('has nothing that mandoc warns of', () => {
    // The date is left to the package; what it says of that is no fault.
    const lint = execFileSync('sh', ['-c', 'mandoc -T lint -W warning || true'], { input: text, encoding: 'utf8' });
    expect(lint.split('\n').filter((line) => line !== '' && !line.includes('missing date'))).toEqual([]);
  });

  it.runIf(isThere('man'))('has nothing that man warns of', () => {
    const shown = execFileSync('sh', ['-c', 'man --warnings -E UTF-8 -l - 2>&1 >/dev/null'], {
      input: text,
      encoding: 'utf8',
    });
    expect(shown).toBe('');
  });
});

it('every command and every option is in the man page of its program', () => {
  const page = (files.get('man/gpio-irqctl.1') ?? '').replaceAll('\\-', '-');
  for (const word of ['reload', 'hook', 'top', '--format', '--interval', '--socket', 'completion']) {
    expect(page).toContain(word);
  }
  expect(page).not.toContain('names');
});
