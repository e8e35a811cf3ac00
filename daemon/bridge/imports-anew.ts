// Imports of modules that are loaded anew: those beside a module are loaded anew with it, in place of those that Node has.
import * as nodeModule from 'node:module';

type Resolved = { readonly url: string };
type Next = (specifier: string, context: object) => Resolved;

/** Of Node from 22.15 on: hooks in this thread. */
type RegisterHooks = (hooks: {
  resolve(specifier: string, context: { readonly parentURL?: string }, next: Next): Resolved;
}) => unknown;

let registered = false;

/** Has the imports of whatever is loaded with `?instance=N` be loaded with the same from now on. Idempotent. */
export function loadImportsAnew(): void {
  if (registered) return;
  registered = true;
  const { registerHooks } = nodeModule as { readonly registerHooks?: RegisterHooks };
  if (registerHooks === undefined) nodeModule.register(`data:text/javascript,${encodeURIComponent(HOOKS)}`);
  else {
    registerHooks({
      resolve: (specifier, context, next) => {
        const found = next(specifier, context);
        return { ...found, url: asItsParent(found.url, specifier, context.parentURL) };
      },
    });
  }
}

/**
 * The address of what a module imports. Imported by its place, and no package's, it is of the instance of who imports it.
 *
 * Uses nothing from outside: its text is run in another thread as well.
 */
export function asItsParent(url: string, specifier: string, parent: string | undefined): string {
  const instance = /[?&](instance=\d+)/.exec(parent ?? '')?.[1];
  const isPlace = /^(\.{0,2}\/|file:)/.test(specifier);
  if (instance === undefined || !isPlace || !url.startsWith('file:') || url.includes('/node_modules/')) return url;
  const [address, fragment] = url.split('#');
  return `${address}${url.includes('?') ? '&' : '?'}${instance}${fragment === undefined ? '' : `#${fragment}`}`;
}

/** Older Node has hooks in a thread of their own, which loads them by an address: this one holds them itself. */
const HOOKS = `const asItsParent = ${asItsParent};
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  return { ...found, url: asItsParent(found.url, specifier, context.parentURL) };
}`;
