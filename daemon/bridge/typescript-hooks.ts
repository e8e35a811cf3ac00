// Module hooks of Node, in their own thread: text of TypeScript becomes JavaScript, line by line at its place.
import { readFile } from 'node:fs/promises';
import type { LoadHook } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transform } from 'sucrase';

/** Removes the types of TypeScript files; all others are loaded as ever. */
export const load: LoadHook = async (url, context, nextLoad) => {
  const at = URL.canParse(url) ? new URL(url) : undefined;
  if (at?.protocol !== 'file:' || !/\.m?ts$/.test(at.pathname)) return nextLoad(url, context);
  const filePath = fileURLToPath(at);
  const text = await readFile(filePath, 'utf8');
  const { code } = transform(text, { transforms: ['typescript'], disableESTransforms: true, filePath });
  return { format: 'module', source: code, shortCircuit: true };
};
