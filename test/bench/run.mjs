// npm run bench: builds the benches and runs them one after another; `npm run bench kernels` runs those whose name contains the word.
// With LATHE_BENCH_JSON what they measured goes to that file too.
import { readdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
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
const measured = {};
for (const file of benches.filter((name) => name.includes(wanted))) {
  const { default: bench } = await import(pathToFileURL(join(outDir, file.replace('.ts', '.mjs'))).href);
  const load = loadavg()[0];
  measured[file.replace('.bench.ts', '')] = { ...(await bench()), load };
}
if (process.env.LATHE_BENCH_JSON) writeFileSync(process.env.LATHE_BENCH_JSON, JSON.stringify(measured));
