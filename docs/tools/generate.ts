// `npm run docs`: writes the pages of docs/reference/ anew, and takes away those that are no more. Run at the repository's root.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
process.stdout.write(changed.length === 0 ? `${folder} is up to date\n` : `written: ${changed.join(', ')}\n`);
