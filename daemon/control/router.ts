// Which route a request is for, by its method and the parts of its path.

import type { Route } from './route.js';

/** A route, and what the path has in place of its parameters. */
export interface Found {
  readonly route: Route;
  /** Decoded; by name, and `*` for the rest of the path. */
  readonly params: Readonly<Record<string, string>>;
}

interface Pattern {
  readonly route: Route;
  readonly parts: readonly string[];
}

const REST = '*';

/** @returns the parameters, or `undefined` for another path. */
function match(pattern: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [i, expected] of pattern.entries()) {
    const part = parts[i];
    if (part === undefined) return undefined;
    if (expected === REST) {
      params[REST] = parts.slice(i).join('/');
      return params;
    }
    if (!expected.startsWith(':')) {
      if (part !== expected) return undefined;
    } else if (part === '') return undefined;
    else params[expected.slice(1)] = part;
  }
  return pattern.length === parts.length ? params : undefined;
}

/** Finds routes. They are few, so each is looked at. */
export class Router {
  readonly #patterns: readonly Pattern[];

  constructor(routes: readonly Route[]) {
    this.#patterns = routes.map((route) => ({ route, parts: route.path.split('/') }));
  }

  /**
   * The route of a request. A HEAD has that of the GET; unless its answer is a stream, which a HEAD would watch without end.
   *
   * @param path without its query; percent-encoded. Throws URIError when it is badly so.
   */
  find(method: string, path: string): Found | undefined {
    const parts = path.split('/').map(decodeURIComponent);
    for (const pattern of this.#patterns) {
      const { route } = pattern;
      const asked = method === 'HEAD' && route.stream === undefined ? 'GET' : method;
      if (route.method !== asked) continue;
      const params = match(pattern.parts, parts);
      if (params !== undefined) return { route, params };
    }
    return undefined;
  }
}
