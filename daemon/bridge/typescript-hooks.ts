// Module hooks of Node, in their own thread: text of TypeScript becomes JavaScript, line by line at its place.
import { readFile } from 'node:fs/promises';
import type { LoadHook } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transform } from 'sucrase';

/** Removes the types of TypeScript files; all others are loaded as ever. */
export const load: LoadHook = async (url, context, nextLoad) => {
  const at = URL.canParse(url) ? new URL(url) : undefined;
  if (at?.protocol !== 'file:' || !/\.m?ts$/.test(at.pathname)) return nextLoad(url, context);
  const filePath = fileURLToPath(at);
  const text = await readFile(filePath, 'utf8');
  return { format: 'module', source: withoutTypes(text, filePath), shortCircuit: true };
};

function withoutTypes(text: string, filePath: string): string {
  try {
    return transform(text, { transforms: ['typescript'], disableESTransforms: true, filePath }).code;
  } catch (cause) {
    throw inFile(cause, filePath);
  }
}

/** An error of syntax as Node tells its own: at its place in the file, and not at the reader's that found it. */
function inFile(cause: unknown, filePath: string): unknown {
  const [, what, place] = (cause instanceof Error && /: ([^:]*) \((\d+:\d+)\)$/.exec(cause.message)) || [];
  if (what === undefined) return cause;
  const error = new SyntaxError(what);
  error.stack = `SyntaxError: ${what}\n    at ${pathToFileURL(filePath).href}:${place}`;
  return error;
}
