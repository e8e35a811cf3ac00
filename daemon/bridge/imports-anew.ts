// Modules that are loaded anew, and their imports: those beside a module are loaded with it, in place of those that Node has.
import * as nodeModule from 'node:module';
import { KernelError } from '../../kernel/errno.js';

type Resolved = { readonly url: string };
type Next = (specifier: string, context: object) => Resolved;

/** Of Node from 22.15 on: hooks in this thread. */
type RegisterHooks = (hooks: {
  resolve(specifier: string, context: { readonly parentURL?: string }, next: Next): Resolved;
}) => unknown;

/** Modules are numbered from here, apart from those of replays. */
const FIRST = 1_000_000_000;
/** Node keeps all that it has loaded, some 10 KB for a small file: after so many a restart is due. */
export const FILES_MAX = 2_000;

let instances = 0;
let files = 0;

/** Modules that are loaded anew together in a process that goes on: what two of them import they have together. */
export class Anew {
  readonly #instance = FIRST + instances++;
  readonly #files = new Set<string>();

  /**
   * Counts the files that a module is made of, each once. Of what it imports under a name that is put together as it runs nobody knows
   * before, and it is not counted.
   *
   * @returns with which number they are loaded
   * @throws KernelError `ENOMEM` when all that were loaded anew would be more than {@link FILES_MAX}
   */
  take(module: readonly string[]): number {
    const more = module.filter((file) => !this.#files.has(file));
    if (files + more.length > FILES_MAX) {
      const message = `files of handler modules were loaded anew ${files} times, and Node keeps them all`;
      throw new KernelError('ENOMEM', message, { hint: 'restart the daemon: systemctl restart gpio-irqd' });
    }
    files += more.length;
    for (const file of more) this.#files.add(file);
    return this.#instance;
  }
}

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
