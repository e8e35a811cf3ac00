// The reference that is committed says what the docstrings say, and its links lead somewhere.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { committedPages, differing, referencePages } from './reference.js';
import { renderPages, wrapped } from './render.js';
import { readRooms } from './rooms.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('docs/reference', () => {
  let pages: Map<string, string>;
  beforeAll(async () => {
    pages = await referencePages(root);
  });

  it('is up to date', async () => {
    const outdated = differing(pages, await committedPages(`${root}/docs/reference`));
    expect(outdated, 'run `npm run docs`').toEqual([]);
  });

  it('has no link that leads nowhere', () => {
    const broken: string[] = [];
    for (const [page, text] of pages) {
      const headings = (name: string) => [...(pages.get(name) ?? '').matchAll(/^#+ (.*)$/gm)].map(([, title]) => title);
      for (const [link, file = '', anchor = ''] of text.matchAll(/\]\(([^)#]*)#?([^)]*)\)/g)) {
        const name = (anchor.replace(/-\d+$/, '') || '').toLowerCase();
        const found = file.startsWith('../../')
          ? existsSync(`${root}/docs/reference/${file}`)
          : pages.has(file) && (anchor === '' || headings(file).some((title) => title?.toLowerCase() === name));
        if (!found) broken.push(`${page}: ${link}`);
      }
    }
    expect(broken).toEqual([]);
  });
});

describe('renderPages', () => {
  const texts = (source: string, declaration: string) => ({
    sources: new Map([
      ['kernel/index.ts', "export * from './room/file.js';"],
      ['kernel/room/file.ts', source],
    ]),
    declarations: new Map([['kernel/room/file.d.ts', declaration]]),
  });
  const room = (source: string, declaration: string) =>
    renderPages(readRooms(texts(source, declaration), (name) => name === 'run_it')).get('room.md');

  it('writes signature, meaning, context, parameters and errors of a function', () => {
    const doc =
      '/**\n * Runs {@link LIMIT} times (run_it). Any context.\n *\n * @param times how often\n * @throws KernelError EBUSY\n */';
    expect(
      room(
        '// Running: how and when (kernel/run.c).\nexport const LIMIT = 0x10;\n',
        `/** So often. */\nexport declare const LIMIT = 16;\n${doc}\nexport declare function runIt(times: number): void;`,
      ),
    ).toBe(`<!-- Written by \`npm run docs\` from the docstrings in kernel/. Change those, and run it again. -->

# room

[All pages](README.md)

| Linux | here |
|---|---|
| \`run_it\` | [\`runIt\`](room.md#runit) |

## Running: how and when

[kernel/room/file.ts](../../kernel/room/file.ts) · Linux: kernel/run.c

### Constants

| name | value | |
|---|---|---|
| \`LIMIT\` | \`0x10\` | So often. |

### runIt

\`run_it\` · Any context

\`\`\`ts
runIt(times: number): void
\`\`\`

Runs [\`LIMIT\`](room.md#constants) times (run_it).

- \`times\`: how often
- error: EBUSY
`);
  });

  it('tells names apart that differ in capitals only, as GitHub does', () => {
    const page = room(
      '// Locks.',
      'export declare class Lock {\n}\n/** Takes a {@link Lock}. */\nexport declare function lock(): void;',
    );
    expect(page).toContain('[`Lock`](room.md#lock), [`lock`](room.md#lock-1)');
  });

  it('breaks long signatures at their parameters', () => {
    const parameter = (name: string) => `${name}: Map<string, (${name}: number, b: number) => void>`;
    const [a, b] = [parameter('first'), parameter('second')];
    expect(wrapped(`call(${a}, ${b}): Effect<void>`)).toBe(`call(\n  ${a},\n  ${b},\n): Effect<void>`);
  });
});
