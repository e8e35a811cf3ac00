// From rooms to Markdown: a page a room, an index of pages, and the table of all names.
import type { Docstring } from './docstring.js';
import type { Entry, Room, RoomFile } from './rooms.js';

const NOTE = '<!-- Written by `npm run docs` from the docstrings in kernel/. Change those, and run it again. -->';
const WIDTH = 110;

/** Finds the place of an exported name, as seen from a page: `irq.md#requestirq`. */
type Locate = (name: string) => string | undefined;

/** Gives headings of one page their anchors, as GitHub does: the second of a name gets `-1`. */
function anchors(): (title: string) => string {
  const taken = new Map<string, number>();
  return (title) => {
    const slug = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    const before = taken.get(slug);
    taken.set(slug, (before ?? 0) + 1);
    return before === undefined ? slug : `${slug}-${before}`;
  };
}

/** Where each name is described, in the order of the page. */
function locator(rooms: readonly Room[]): Locate {
  const places = new Map<string, string>();
  for (const room of rooms) {
    const anchor = anchors();
    anchor(room.name);
    for (const { title, entries } of room.files.filter((file) => file.entries.length > 0)) {
      anchor(heading(title));
      const { constants, others } = sorted(entries);
      const table = constants.length === 0 ? '' : anchor('Constants');
      for (const { declaration } of constants) places.set(declaration.name, `${room.name}.md#${table}`);
      for (const { declaration } of others) {
        const place = `${room.name}.md#${anchor(declaration.name)}`;
        places.set(declaration.name, place);
        for (const { name } of declaration.members) places.set(`${declaration.name}.${name}`, place);
      }
    }
  }
  return (name) => places.get(name.replace('#', '.').replace(/\(\)$/, ''));
}

const isConstant = (name: string): boolean => /^[A-Z][A-Z0-9_]*$/.test(name);

/** Constants share a table; each of the others has its own heading. */
function sorted(entries: readonly Entry[]): {
  readonly constants: readonly Entry[];
  readonly others: readonly Entry[];
} {
  const constants = entries.filter(({ declaration }) => isConstant(declaration.name));
  return { constants, others: entries.filter(({ declaration }) => !isConstant(declaration.name)) };
}

/** Text of a docstring with its links; `owner` is the class whose members it may name without the class. */
function linked(text: string, locate: Locate, owner?: string): string {
  return text.replace(/\{@link\s+([^}\s|]+)\s*(?:\|?\s*([^}]*))?\}/g, (_, name: string, label: string) => {
    const place = locate(name) ?? (owner === undefined ? undefined : locate(`${owner}.${name}`));
    const shown = `\`${label || name}\``;
    return place === undefined ? shown : `[${shown}](${place})`;
  });
}

/** For a cell of a table: one line, and no bar that ends the cell. */
const cell = (text: string): string => text.replace(/\s*\n\s*/g, ' ').replace(/\|/g, '\\|');

/** Where a list of parameters begins and ends in a signature; undefined when it has none. */
function parameters(signature: string): { readonly from: number; readonly to: number } | undefined {
  const from = signature.indexOf('(');
  let depth = 0;
  for (let at = from; at >= 0 && at < signature.length; at++) {
    if ('([{'.includes(signature[at] ?? '')) depth++;
    if (')]}'.includes(signature[at] ?? '')) depth--;
    if (depth === 0) return { from, to: at };
  }
  return undefined;
}

/** Splits at commas that are not within brackets of any kind; the `>` of an arrow is none. */
function splitCommas(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < list.length; at++) {
    const char = list[at] ?? '';
    if ('([{<'.includes(char)) depth++;
    if (')]}'.includes(char) || (char === '>' && list[at - 1] !== '=')) depth--;
    if (char !== ',' || depth > 0) continue;
    parts.push(list.slice(start, at).trim());
    start = at + 1;
  }
  return [...parts, list.slice(start).trim()].filter((part) => part !== '');
}

/** A signature, with a parameter a line when it is long. */
export function wrapped(signature: string): string {
  if (signature.length <= WIDTH) return signature;
  const place = parameters(signature);
  if (place === undefined) return signature;
  const list = splitCommas(signature.slice(place.from + 1, place.to)).map((parameter) => `  ${parameter},`);
  return [signature.slice(0, place.from + 1), ...list, signature.slice(place.to)].join('\n');
}

function code(lines: readonly string[]): string[] {
  return ['```ts', ...lines, '```', ''];
}

/** Parameters, result and errors as a list. */
function details(doc: Docstring, locate: Locate): string[] {
  const lines = doc.params.map(({ name, text }) => `- \`${name}\`: ${linked(text, locate)}`);
  if (doc.returns !== undefined) lines.push(`- returns ${linked(doc.returns, locate)}`);
  for (const error of doc.errors) lines.push(`- error: ${linked(error, locate)}`);
  return lines.length === 0 ? [] : [...lines, ''];
}

function memberTable({ declaration, typeOnly }: Entry, locate: Locate): string[] {
  const members = declaration.members.filter(({ name }) => name !== 'constructor');
  const made = declaration.members.filter(({ name }) => name === 'constructor' && !typeOnly);
  const lines = made.flatMap(({ signature, doc }) => {
    const text = doc === undefined ? [] : [plain(doc, locate, declaration.name), ''];
    return [...code([wrapped(signature.replace(/^constructor/, `new ${declaration.name}`))]), ...text];
  });
  if (members.length === 0) return lines;
  lines.push('| member | |', '|---|---|');
  for (const { signature, doc } of members) {
    lines.push(`| \`${cell(signature)}\` | ${doc === undefined ? '' : cell(plain(doc, locate, declaration.name))} |`);
  }
  return [...lines, ''];
}

/** A member's docstring as running text. */
function plain(doc: string, locate: Locate, owner: string): string {
  const text = doc
    .replace(/^\/\*\*|\*\/$/g, '')
    .replace(/^\s*\* ?/gm, '')
    .replace(/\s+/g, ' ')
    .replace(/ @(param|returns|throws) /g, '; $1 ')
    .trim();
  return linked(text, locate, owner);
}

function entryLines(entry: Entry, locate: Locate): string[] {
  const { declaration, doc, linux } = entry;
  const facts = [linux.map((name) => `\`${name}\``).join(', '), doc.context?.replace(/\.$/, '') ?? ''];
  const line = facts.filter((fact) => fact !== '').join(' · ');
  return [
    `### ${declaration.name}`,
    '',
    ...(line === '' ? [] : [linked(line, locate), '']),
    ...(declaration.signatures.length === 0 ? [] : code(declaration.signatures.map(wrapped))),
    ...(doc.text === '' ? [] : [linked(doc.text, locate, declaration.name), '']),
    ...details(doc, locate),
    ...memberTable(entry, locate),
  ];
}

/** Names that stand for numbers, as in Linux. */
function constantTable(entries: readonly Entry[], locate: Locate): string[] {
  if (entries.length === 0) return [];
  const lines = ['### Constants', '', '| name | value | |', '|---|---|---|'];
  for (const { declaration, doc, value } of entries) {
    const text = linked([doc.text, doc.context ?? ''].filter((part) => part !== '').join(' '), locate);
    const shown = value ?? (declaration.signatures[0] ?? '').replace(/^\w+(?::| =) /, '');
    lines.push(`| \`${declaration.name}\` | \`${cell(shown)}\` | ${cell(text)} |`);
  }
  return [...lines, ''];
}

function fileLines({ path, title, entries }: RoomFile, locate: Locate): string[] {
  if (entries.length === 0) return [];
  const { constants, others } = sorted(entries);
  const [, linux] = LINUX_FILES.exec(title) ?? [];
  return [
    `## ${heading(title)}`,
    '',
    `[${path}](../../${path})${linux === undefined ? '' : ` · Linux: ${linux}`}`,
    '',
    ...constantTable(constants, locate),
    ...others.flatMap((entry) => entryLines(entry, locate)),
  ];
}

/** At the end of a file's first comment: the files of Linux that it stands for. */
const LINUX_FILES = / \(([^()]*\.[ch][^()]*)\)\.?$/;

/** A file's first comment as a heading: without Linux's files and the full stop. */
function heading(title: string): string {
  return title.replace(LINUX_FILES, '').replace(/\.$/, '');
}

/** The first words of a file's first comment, which say what is in it. */
const subject = (title: string): string => heading(title).replace(/[:.] .*/, '');

/** Rows Linux → here, in alphabetical order. */
function nameRows(rooms: readonly Room[], locate: Locate): string[] {
  const rows = rooms.flatMap((room) =>
    room.files
      .flatMap(({ entries }) => entries)
      .flatMap(({ declaration, linux }) => linux.map((name) => ({ name, to: declaration.name }))),
  );
  const key = (row: { readonly name: string; readonly to: string }): string =>
    `${row.name.replace(/^struct /, '')} ${row.to}`;
  rows.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return rows.map(({ name, to }) => `| \`${name}\` | ${linked(`{@link ${to}}`, locate)} |`);
}

function page(room: Room, locate: Locate): string {
  const rows = nameRows([room], locate);
  const named = room.files.flatMap(({ entries }) => entries).filter(({ declaration }) => !isConstant(declaration.name));
  const own = named.filter(({ linux }) => linux.length === 0);
  const table = rows.length === 0 ? [] : ['| Linux | here |', '|---|---|', ...rows, ''];
  const ours = own.map(({ declaration: { name } }) => linked(`{@link ${name}}`, locate)).join(', ');
  return [
    NOTE,
    '',
    `# ${room.name}`,
    '',
    '[All pages](README.md)',
    '',
    ...table,
    ...(ours === '' ? [] : [`${rows.length === 0 ? 'Names' : 'Without a namesake in Linux'}: ${ours}`, '']),
    ...room.files.flatMap((file) => fileLines(file, locate)),
  ]
    .join('\n')
    .trimEnd();
}

const INTRODUCTION = `# Reference

Every name that \`gpio-irqd\` exports from the model (\`kernel/\`), a page a room. The rooms are called as in Linux, and so is
what is in them: \`request_threaded_irq()\` is \`requestThreadedIrq()\`; constants keep their names.

How to read a signature:

- \`Effect<R>\` takes time or may sleep. A generator function takes it by \`yield*\`, an async one by \`await\`; called without
  either it does nothing. \`Coroutine<R>\` can be taken by \`yield*\` only.
- \`Atomic<R>\` is what a handler in atomic context may return: \`R\`, or a generator that comes to it. \`Process<R>\` may also be
  a promise.
- What fails throws a [\`KernelError\`](errno.md#kernelerror) with the kernel's code, where C returns the negative number.
- Times are integers in nanoseconds, unless the name says another unit or jiffies.`;

function indexPage(rooms: readonly Room[]): string {
  const rows = rooms.map(({ name, files }) => {
    const shown = files.filter(({ entries }) => entries.length > 0);
    return `| [${name}](${name}.md) | ${shown.map(({ title }) => cell(subject(title))).join('; ')} |`;
  });
  const all = '[names.md](names.md) finds a name of Linux on these pages.';
  return [NOTE, '', INTRODUCTION, '', '| page | about |', '|---|---|', ...rows, '', all].join('\n');
}

function namesPage(rooms: readonly Room[], locate: Locate): string {
  const head = ['# Names of Linux, and where they are here', '', '[All pages](README.md)', ''];
  return [NOTE, '', ...head, '| Linux | here |', '|---|---|', ...nameRows(rooms, locate)].join('\n');
}

/** All pages by file name. */
export function renderPages(rooms: readonly Room[]): Map<string, string> {
  const locate = locator(rooms);
  const shown = rooms.filter(({ files }) => files.some(({ entries }) => entries.length > 0));
  const pages = new Map([
    ['README.md', indexPage(shown)],
    ['names.md', namesPage(shown, locate)],
    ...shown.map((room): [string, string] => [`${room.name}.md`, page(room, locate)]),
  ]);
  return new Map([...pages].map(([name, text]) => [name, `${text}\n`]));
}
