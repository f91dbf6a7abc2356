// npm run bench: builds the benches and runs them one after another; `npm run bench kernels` runs those whose name contains the word.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';

const root = resolve(import.meta.dirname, '../..');
const outDir = join(root, 'out/bench');
const benches = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.bench.ts'));
const entries = benches.map((file) => [file.replace('.ts', ''), join(import.meta.dirname, file)]);
entries.push(['kernel-worker', join(root, 'src/engine/kernels/worker.ts')]);

await build({
  configFile: false,
  root,
  logLevel: 'warn',
  build: {
    ssr: true,
    outDir,
    emptyOutDir: true,
    rolldownOptions: { input: Object.fromEntries(entries), output: { format: 'es', entryFileNames: '[name].mjs' } },
  },
});
const wanted = process.argv[2] ?? '';
for (const file of benches.filter((name) => name.includes(wanted))) {
  const { default: bench } = await import(pathToFileURL(join(outDir, file.replace('.ts', '.mjs'))).href);
  await bench();
}
