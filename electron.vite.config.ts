// One build for every host: Electron main, `lathe serve`, the CLI, the engine and its threads; the preload; the renderer.
import { resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';

const at = (path: string) => resolve(import.meta.dirname, path);

export default defineConfig({
  main: {
    build: {
      externalizeDeps: true,
      sourcemap: false,
      rolldownOptions: {
        // Explicit entries: their names are stable, so fork(), utilityProcess and Worker find them beside the entry that starts them.
        input: {
          index: at('src/main/index.ts'),
          cli: at('src/main/cli/index.ts'),
          engine: at('src/main/jobs/engine-process.ts'),
          'kernel-worker': at('src/engine/kernels/worker.ts'),
          'hash-worker': at('src/main/library/hash-worker.ts'),
        },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      rolldownOptions: {
        input: { index: at('src/preload/index.ts') },
        // A sandboxed preload must be CommonJS.
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: at('src/renderer'),
    plugins: [react()],
    build: { minify: true, rolldownOptions: { input: at('src/renderer/index.html') } },
  },
});
