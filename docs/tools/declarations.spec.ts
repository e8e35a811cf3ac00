// What the scanner makes of declaration files as tsc writes them.
import { describe, expect, it } from 'vitest';
import { parseDeclarations } from './declarations.js';

const only = (text: string) => {
  const [declaration, ...more] = parseDeclarations(text).declarations;
  expect(more).toEqual([]);
  return declaration;
};

describe('parseDeclarations', () => {
  it('reads functions, and constants that are functions, in one form', () => {
    const { declarations } = parseDeclarations(
      'export declare function a(x: number): void;\n' +
        'export declare const b: (f: (y: string) => void, z?: number) => import("./e.js").Effect<string | undefined>;\n' +
        'export declare function* c<T>(t: T): Generator<T>;',
    );
    expect(declarations.map(({ kind, signatures }) => [kind, ...signatures])).toEqual([
      ['function', 'a(x: number): void'],
      ['function', 'b(f: (y: string) => void, z?: number): Effect<string | undefined>'],
      ['function', 'c<T>(t: T): Generator<T>'],
    ]);
  });

  it('gives a docstring to the statement right behind it, and to no other', () => {
    const text = '/** First. */\nexport declare const A = 1;\n// plain\nexport declare const B: "; }";\n';
    expect(parseDeclarations(text).declarations).toMatchObject([
      { name: 'A', doc: '/** First. */', signatures: ['A = 1'] },
      { name: 'B', doc: undefined, signatures: ['B: "; }"'] },
    ]);
  });

  it('keeps the first docstring of an overloaded function', () => {
    const text = 'export declare function f(a: 1): 1;\n/** Both. */\nexport declare function f(a: 2): 2;';
    expect(only(text)).toMatchObject({ doc: '/** Both. */', signatures: ['f(a: 1): 1', 'f(a: 2): 2'] });
  });

  it('reads public members of a class with their docstrings', () => {
    const declaration = only(
      'export declare class C extends D<"a;"> {\n    #private;\n    private readonly hidden;\n' +
        '    /** Now; or never. */\n    readonly at: {\n        ns: number;\n    };\n' +
        '    constructor(at?: number);\n    get on(): boolean;\n    [Symbol.iterator](): Generator<C>;\n}',
    );
    expect(declaration?.kind).toBe('class');
    expect(declaration?.members).toEqual([
      { name: 'at', doc: '/** Now; or never. */', signature: 'readonly at: { ns: number; }' },
      { name: 'constructor', doc: undefined, signature: 'constructor(at?: number)' },
      { name: 'on', doc: undefined, signature: 'get on(): boolean' },
      { name: '[Symbol.iterator]', doc: undefined, signature: '[Symbol.iterator](): Generator<C>' },
    ]);
  });

  it('reads types, and passes over what is not exported', () => {
    expect(
      only('interface Inner {\n    a: 1;\n}\nexport type T = {\n    a: Inner;\n    b: 2;\n} | 3;\nexport {};'),
    ).toEqual({
      kind: 'type',
      name: 'T',
      doc: undefined,
      members: [],
      signatures: ['type T = { a: Inner; b: 2; } | 3'],
    });
  });

  it('reads export lists with their sources, aliases and types', () => {
    const { lists } = parseDeclarations(
      "export * from './a.js';\nexport { a, type B, c as d } from './b.js';\nexport type { E } from './e.js';\n" +
        '/** The same. */\nexport { f as g, };',
    );
    const type = { typeOnly: true };
    expect(lists).toEqual([
      { from: './a.js', names: undefined, doc: undefined },
      {
        from: './b.js',
        doc: undefined,
        names: [
          { name: 'a', as: 'a', typeOnly: false },
          { name: 'B', as: 'B', ...type },
          { name: 'c', as: 'd', typeOnly: false },
        ],
      },
      { from: './e.js', doc: undefined, names: [{ name: 'E', as: 'E', ...type }] },
      { from: undefined, doc: '/** The same. */', names: [{ name: 'f', as: 'g', typeOnly: false }] },
    ]);
  });
});
