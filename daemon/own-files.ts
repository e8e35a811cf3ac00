// The files that a module of the user's is made of: its own, and those that it imports by their place beside it.
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Files of one module; whatever more it imports is not looked at. */
const FILES_MAX = 256;
/** A larger file is not read for what it imports. */
const BYTES_MAX = 1024 * 1024;

/** A literal that is a place, as all imports are that name one: `./`, `../` or `/` in front, and a module's name at the end. */
const PLACE = /(["'`])((?:\.{1,2})?\/[^"'`\n?#]*\.(?:m?[jt]s|json))(?:[?#][^"'`\n]*)?\1/g;

/**
 * A module's file and, one after the other, those that it and they import by their places. What is in `node_modules` is somebody
 * else's. Imports are not told from other texts that name a file which is there: that one is watched too does no harm. Those whose
 * place is put together as the module runs are not found.
 */
export function ownFiles(path: string): string[] {
  const files = new Set([path]);
  // A set that grows is gone through to its end.
  for (const file of files) {
    for (const imported of placesIn(file)) if (files.size < FILES_MAX && isOwn(imported)) files.add(imported);
  }
  return [...files];
}

/** No file is what cannot be looked at: a text that names none may be too long for a name, or lead where we may not go. */
function isOwn(path: string): boolean {
  try {
    return !path.includes('/node_modules/') && statSync(path).isFile();
  } catch {
    return false;
  }
}

function placesIn(file: string): string[] {
  if (file.endsWith('.json')) return [];
  const text = textOf(file);
  const at = pathToFileURL(file).href;
  return [...text.matchAll(PLACE)].flatMap(([, , place = '']) => pathOf(place, at) ?? []);
}

/** Undefined for what is no path, such as `//example.org/a.js`. */
function pathOf(place: string, at: string): string | undefined {
  try {
    return fileURLToPath(new URL(place, at));
  } catch {
    return undefined;
  }
}

/** Nothing of a file that cannot be read: whoever loads it says why. To read a FIFO would wait for its writer. */
function textOf(file: string): string {
  try {
    const info = statSync(file);
    return info.isFile() && info.size <= BYTES_MAX ? readFileSync(file, 'utf8') : '';
  } catch {
    return '';
  }
}
