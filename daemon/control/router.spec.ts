// Finding the route of a request.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Route } from './route.js';
import { Router } from './router.js';
import { describedRoutes } from './routes.js';

const router = new Router(describedRoutes());

function found(method: string, path: string): string | undefined {
  const { route, params } = router.find(method, path) ?? {};
  return route && `${route.id} ${JSON.stringify(params)}`;
}

describe('a router', () => {
  it.each([
    ['GET', '/v1/status', 'getStatus {}'],
    ['GET', '/v1/lines/led1', 'getLine {"name":"led1"}'],
    ['PUT', '/v1/lines/led1', 'setLine {"name":"led1"}'],
    ['GET', '/v1/lines/a%2Fb%20c', 'getLine {"name":"a/b c"}'],
    ['GET', '/v1/%6cines', 'listLines {}'],
    ['POST', '/v1/irqs/17/enable', 'enableIrq {"irq":"17"}'],
    ['GET', '/v1/files/proc/irq/17', 'readFile {"*":"proc/irq/17"}'],
    ['GET', '/v1/files/', 'readFile {"*":""}'],
    ['GET', '/v1/files/..//%2e%2e', 'readFile {"*":"..//.."}'],
    ['HEAD', '/v1/status', 'getStatus {}'],
  ])('finds %s %s', (method, path, expected) => {
    expect(found(method, path)).toBe(expected);
  });

  it.each([
    ['GET', '/'],
    ['GET', ''],
    ['GET', '*'],
    ['GET', '/v1/status/'],
    ['GET', '//v1/status'],
    ['GET', '/V1/status'],
    ['GET', '/v1/lines/'],
    ['GET', '/v1/lines/led1/more'],
    ['GET', '/v1/files'],
    ['POST', '/v1/status'],
    ['DELETE', '/v1/lines/led1'],
    ['HEAD', '/v1/reload'],
    // It would watch, and never end.
    ['HEAD', '/v1/events'],
  ])('finds nothing for %s %s', (method, path) => {
    expect(found(method, path)).toBeUndefined();
  });

  it('refuses what is not well encoded', () => {
    expect(() => router.find('GET', '/v1/lines/%zz')).toThrow(URIError);
    expect(() => router.find('GET', '/v1/%c0')).toThrow(URIError);
  });

  it('finds every route by any name in it', () => {
    const name = fc.string({ minLength: 1, unit: 'grapheme' });
    fc.assert(
      fc.property(fc.constantFrom(...describedRoutes()), name, (route: Route, given) => {
        const path = route.path.replace(/:\w+|\*/, encodeURIComponent(given));
        const result = router.find(route.method, path);
        expect(result?.route.id).toBe(route.id);
        expect(Object.values(result?.params ?? {})).toEqual(route.params === undefined ? [] : [given]);
      }),
    );
  });
});
