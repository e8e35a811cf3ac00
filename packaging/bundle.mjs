// Puts what was compiled into few files (`npm run build`, after tsc): a start opens some 35 modules in place of 560.
//
// They are CommonJS, which Node reads in the main thread: a module of the other kind is read by the thread pool, step by step.
// `import` takes their names all the same, and `require` as well.
//
// The entries keep their places, so `bin` and `exports` of package.json and every `import 'gpio-irqd'` go on as before; what
// they share is in chunks beside them, so that there is one kernel whoever imports it. The packages of INSIDE, which every
// start needs, are bundled with their licences; the others stay where npm puts them, and most are loaded only when they are asked for.
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

/** The package: this one, or one like it that is named on the command line. */
const ROOT = realpathSync(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..'));
const ENTRIES = [
  'daemon/bridge/typescript-hooks',
  'daemon/ctl',
  'daemon/main',
  'daemon/warm',
  'drivers/index',
  'kernel/index',
  'sim-fallback/index',
  'systemd/install',
  'testing/index',
];
const INSIDE = ['commander', 'pino', 'yaml', 'zod'];
/** The model's own code stays in folders of these names: its stacks leave the frames of those out (kernel/trace/stack.ts). */
const MODEL = ['kernel', 'sim-fallback'];

const dist = join(ROOT, 'dist');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const outside = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }).filter(
  (name) => !INSIDE.includes(name),
);

/** Folder of the package that a module belongs to. */
function packageOf(module) {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(module)?.[0];
}

/** What the licences of the packages in the bundle ask for. */
function licences(folders) {
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text =
      file === undefined ? `${license}, by its package.json` : readFileSync(join(folder, file), 'utf8').trim();
    return `${name} ${version}\n\n${text}\n`;
  });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

/** The same text in ASCII, which V8 keeps in a byte a character; all of a file that has one more takes two. */
function inAscii(code) {
  return code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Files under a folder whose names end so. */
function filesEnding(folder, ending) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}

const bundle = await rolldown({
  cwd: ROOT,
  platform: 'node',
  input: Object.fromEntries(ENTRIES.map((entry) => [entry, join(dist, `${entry}.js`)])),
  external: (id) => id.startsWith('node:') || outside.some((name) => id === name || id.startsWith(`${name}/`)),
  onLog: (level, log) => {
    if (level === 'warn') throw new Error(`bundle.mjs: ${log.message}`);
  },
});
const written = mkdtempSync(join(ROOT, 'dist-'));
try {
  const { output } = await bundle.write({
    dir: written,
    format: 'cjs',
    // Comments go, names stay: stacks and logs show them.
    comments: false,
    entryFileNames: '[name].js',
    chunkFileNames: ({ name }) => (MODEL.includes(name) ? `${name}/model-[hash].js` : 'daemon/parts/[name]-[hash].js'),
    codeSplitting: {
      groups: [
        ...MODEL.map((name) => ({ name, test: (module) => module.startsWith(join(dist, name, '/')) })),
        // What V8 has kept of a module cannot import (daemon/start/code-cache.ts).
        { name: 'import-file', test: (module) => module === join(dist, 'daemon/bridge/import-file.js') },
      ],
    },
  });
  const folders = new Set();
  for (const chunk of output) {
    for (const module of chunk.moduleIds ?? []) {
      const folder = packageOf(module);
      if (folder !== undefined && existsSync(join(folder, 'package.json'))) folders.add(folder);
    }
  }
  for (const file of filesEnding(written, '.js')) writeFileSync(file, inAscii(readFileSync(file, 'utf8')));
  writeFileSync(join(written, 'LICENSES-OF-PARTS.txt'), licences(folders));
  writeFileSync(join(written, 'package.json'), `${JSON.stringify({ type: 'commonjs' })}\n`);
  for (const ending of ['.js', '.js.map']) for (const file of filesEnding(dist, ending)) rmSync(file);
  cpSync(written, dist, { recursive: true });
} finally {
  rmSync(written, { recursive: true });
}
