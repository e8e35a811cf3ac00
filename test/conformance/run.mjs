// Loads the harness and scenarios, in TypeScript or JavaScript and from anywhere, into one graph of modules with the model.
import { fileURLToPath } from 'node:url';
import { createServer, createServerModuleRunner } from 'vite';

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
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
} finally {
  await server.close();
}
