// Which files a module is made of, found in their texts.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { asItsParent } from './bridge/imports-anew.js';
import { ownFiles } from './own-files.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-own-files-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function write(name: string, text: string): void {
  mkdirSync(dirname(join(directory, name)), { recursive: true });
  writeFileSync(join(directory, name), text);
}

const found = (): string[] => ownFiles(join(directory, 'main.js')).map((file) => relative(directory, file));

it('finds what is imported by its place, in whichever way, and what that imports', () => {
  write(
    'main.js',
    `import './effect.js';
import { a } from "./lib/a.mjs"; export * from './lib/b.js';
const later = await import(\`./later.ts\`);
import data from './data.json' with { type: 'json' };
import query from './query.js?as=text';
`,
  );
  for (const name of ['effect.js', 'lib/b.js', 'later.ts', 'query.js', 'deep.js']) write(name, '');
  write('lib/a.mjs', "import '../deep.js'; import '../main.js';");
  write('data.json', '{ "./effect.mjs": "./other.js" }');
  write('other.js', '');
  expect(found().sort()).toEqual(
    ['main.js', 'effect.js', 'lib/a.mjs', 'lib/b.js', 'later.ts', 'data.json', 'query.js', 'deep.js'].sort(),
  );
});

it('leaves packages, what is not there, folders and other texts alone', () => {
  write(
    'main.js',
    "import 'luxon'; import './gone.js'; import './node_modules/x/x.js'; open('./notes.txt'); './folder.js'",
  );
  write('node_modules/x/x.js', '');
  write('notes.txt', "import './y.js'");
  write('y.js', '');
  mkdirSync(join(directory, 'folder.js'));
  expect(found()).toEqual(['main.js']);
});

it.each([
  ['another machine', '//example.org/a.js'],
  ['a slash in a name', './a%2Fb.js'],
  ['a zero in a name', './a%00.js'],
  ['a name too long', `/${'a'.repeat(300)}.js`],
  ['a file where a folder would be', './main.js/b.js'],
])('takes a text with %s for no file', (_, text) => {
  write('main.js', `console.log('${text}'); import './lib.js';`);
  write('lib.js', '');
  expect(found()).toEqual(['main.js', 'lib.js']);
});

it('finds a file whose name has spaces and signs of addresses', () => {
  write('main.js', "import './my%20lib%23%25.js'; import './a b.js';");
  write('my lib#%.js', '');
  write('a b.js', '');
  expect(found()).toEqual(['main.js', 'my lib#%.js', 'a b.js']);
});

it('has of a file that is not there its name alone', () => {
  expect(found()).toEqual(['main.js']);
});

it('waits for nobody who writes to a FIFO', () => {
  execFileSync('mkfifo', [join(directory, 'main.js')]);
  expect(found()).toEqual(['main.js']);
});

it('ends in a maze', () => {
  for (let i = 0; i < 400; i++)
    write(i === 0 ? 'main.js' : `${i}.js`, `import './${i + 1}.js'; import './${(i * 7) % 400}.js';`);
  expect(found()).toHaveLength(256);
});

it.each([
  ['file:///h/a.js', './a.js', 'file:///h/m.js?instance=7', 'file:///h/a.js?instance=7'],
  ['file:///a.js', '/a.js', 'file:///h/m.js?instance=7', 'file:///a.js?instance=7'],
  ['file:///h/a.js?raw', './a.js?raw', 'file:///h/m.js?x=1&instance=7', 'file:///h/a.js?raw&instance=7'],
  ['file:///h/a.js#b', './a.js#b', 'file:///h/m.js?instance=7', 'file:///h/a.js?instance=7#b'],
  ['file:///h/a.js', './a.js', 'file:///h/m.js', 'file:///h/a.js'],
  ['file:///h/a.js', './a.js', undefined, 'file:///h/a.js'],
  ['file:///n/dist/index.js', 'gpio-irqd', 'file:///h/m.js?instance=7', 'file:///n/dist/index.js'],
  [
    'file:///h/node_modules/x/x.js',
    './node_modules/x/x.js',
    'file:///h/m.js?instance=7',
    'file:///h/node_modules/x/x.js',
  ],
  ['node:fs', 'node:fs', 'file:///h/m.js?instance=7', 'node:fs'],
])('an import of %s as %j by %s is one of %s', (url, specifier, parent, expected) => {
  expect(asItsParent(url, specifier, parent)).toBe(expected);
});
