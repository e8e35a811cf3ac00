// Handler modules in TypeScript: by Node itself where it removes types, else by sucrase, which removes them before Node sees the text.
import { createRequire, register } from 'node:module';
import { KernelError } from '../../kernel/index.js';

/** Files that need it. */
const TYPESCRIPT = /\.m?ts$/;

let registered = false;

/** Node removes types itself: from 22.18 on. */
function isBuiltIn(): boolean {
  const features: object = process.features;
  return 'typescript' in features && features.typescript !== false;
}

/** Makes a file importable, if it is one of TypeScript. `ENOTSUP` where nothing can read it. */
export function prepareTypescript(path: string): void {
  if (!TYPESCRIPT.test(path) || registered || isBuiltIn()) return;
  try {
    createRequire(import.meta.url).resolve('sucrase');
  } catch (cause) {
    throw new KernelError('ENOTSUP', `${path} is TypeScript, which Node ${process.versions.node} does not read`, {
      hint: 'use Node 22.18 or newer, or npm install sucrase',
      subject: path,
      cause,
    });
  }
  // From here, and as well from where the bundle has this module: it keeps the hooks in their place (packaging/bundle.mjs).
  register('../bridge/typescript-hooks.js', import.meta.url);
  registered = true;
}
