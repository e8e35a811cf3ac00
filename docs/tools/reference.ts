// The pages of docs/reference/ as they should be: has tsc emit the model's declarations, and reads them.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readLinuxNames } from './names.js';
import { renderPages } from './render.js';
import { readRooms } from './rooms.js';

const run = promisify(execFile);

/** Texts of the files under `root/kernel` that end with `ending`, by path from the root, with slashes. */
async function textsOf(root: string, ending: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const path of (await readdir(join(root, 'kernel'), { recursive: true })).sort()) {
    if (!path.endsWith(ending)) continue;
    texts.set(`kernel/${path.replaceAll('\\', '/')}`, await readFile(join(root, 'kernel', path), 'utf8'));
  }
  return texts;
}

async function emitted(root: string): Promise<Map<string, string>> {
  const scratch = await mkdtemp(join(tmpdir(), 'gpio-irqd-docs-'));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const project = join(root, 'docs/tools/tsconfig.kernel.json');
  try {
    await run(process.execPath, [tsc, '-p', project, '--outDir', scratch]).catch((error: { stdout?: string }) => {
      throw new Error(`kernel/ does not compile, so its reference cannot be written:\n${error.stdout ?? error}`);
    });
    return await textsOf(scratch, '.d.ts');
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** All pages by file name; `root` is the repository's folder. Rejects when kernel/ does not compile. */
export async function referencePages(root: string): Promise<Map<string, string>> {
  const [sources, declarations] = await Promise.all([textsOf(root, '.ts'), emitted(root)]);
  return renderPages(readRooms({ sources, declarations }, readLinuxNames(join(root, 'docs/tools/linux-names.txt'))));
}

/** The pages that are in `folder` now. */
export async function committedPages(folder: string): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names.sort()) {
    if (name.endsWith('.md')) pages.set(name, await readFile(join(folder, name), 'utf8'));
  }
  return pages;
}

/** Names of pages that differ, are missing or should not be there. */
export function differing(wanted: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): string[] {
  const names = new Set([...wanted.keys(), ...found.keys()]);
  return [...names].filter((name) => wanted.get(name) !== found.get(name)).sort();
}
