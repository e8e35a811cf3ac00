// Loads the harness and scenarios, in TypeScript or JavaScript and from anywhere, into one graph of modules with the model.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer, createServerModuleRunner } from 'vite';

// npm runs scripts in the project's directory; what the user names is relative to where the user is.
const directories = process.argv.slice(2).map((directory) => resolve(process.env.INIT_CWD ?? '.', directory));
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

const server = await createServer({
  configFile: false,
  root: path('../..'),
  appType: 'custom',
  logLevel: 'warn',
  cacheDir: path('../../build/conformance'),
  server: { middlewareMode: true, hmr: false, watch: null, ws: false, fs: { strict: false } },
  optimizeDeps: { noDiscovery: true, include: [] },
  resolve: {
    alias: [
      { find: /^gpio-irqd\/conformance$/, replacement: path('./vocabulary.ts') },
      { find: /^gpio-irqd$/, replacement: path('../../kernel/index.ts') },
    ],
  },
});
try {
  const runner = createServerModuleRunner(server.environments.ssr, { hmr: false });
  const { main } = await runner.import(path('./cli.ts'));
  process.exitCode = await main(directories);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
} finally {
  await server.close();
}
