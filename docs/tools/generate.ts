// `npm run docs`: writes what is made of the sources anew, and takes away pages that are no more. Run at the repository's root.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { configurationFiles } from './configuration.js';
import { interfaceFiles } from './interfaces.js';
import { committedPages, differing, referencePages } from './reference.js';

const folder = 'docs/reference';
const pages = await referencePages(process.cwd());
await mkdir(folder, { recursive: true });
const changed = differing(pages, await committedPages(folder));
for (const name of changed) {
  const text = pages.get(name);
  if (text === undefined) await rm(join(folder, name));
  else await writeFile(join(folder, name), text);
}

const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
for (const [path, text] of [...interfaceFiles(version), ...configurationFiles()]) {
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) continue;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  changed.push(path);
}
process.stdout.write(changed.length === 0 ? 'all is up to date\n' : `written: ${changed.join(', ')}\n`);
