import path from 'node:path';
import { defineConfig } from 'vite';

/** Pages for browsers, from src/console to dist/console: `npm run build`. Nothing is fetched, nothing is inlined. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  build: {
    outDir: path.resolve(import.meta.dirname, '../../dist/console'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: ['chrome137', 'firefox130', 'safari18'],
    modulePreload: { polyfill: false },
    rolldownOptions: { onLog: (level, log, write) => { if (log.code !== 'MODULE_LEVEL_DIRECTIVE') write(level, log); } },
  },
});
