// Compiles the SIMD kernels (wasm/*.ts, AssemblyScript) to out/kernels/kernels.wasm; does nothing where the sources are those of the last time.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const here = import.meta.dirname;
const root = resolve(here, '../../..');
const out = join(root, 'out/kernels');
const sources = readdirSync(join(here, 'wasm')).filter((file) => file.endsWith('.ts'));
const compiler = JSON.parse(readFileSync(join(root, 'node_modules/assemblyscript/package.json'), 'utf8')).version;

const hash = createHash('sha256')
  .update(`${compiler}\n`)
  .update(readFileSync(import.meta.filename));
for (const file of sources.sort()) hash.update(`${file}\n`).update(readFileSync(join(here, 'wasm', file)));
const wanted = hash.digest('hex');

function built() {
  try {
    return (
      readFileSync(join(out, 'kernels.hash'), 'utf8') === wanted && readFileSync(join(out, 'kernels.wasm')).length > 0
    );
  } catch {
    return false;
  }
}

// Must be the limit that the arena asks for: an imported memory may not be larger than declared.
const memoryPages = 2 ** 30 / 65536;

async function compile() {
  const { main } = await import('assemblyscript/asc');
  const file = join(out, `kernels.${process.pid}.wasm`);
  const options = [
    '--baseDir',
    root,
    ...['--outFile', relative(root, file).replaceAll('\\', '/')],
    ...['--runtime', 'stub', '--noAssert', '-O3', '--converge'],
    ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', String(memoryPages)],
    ...['--enable', 'simd', '--enable', 'threads', '--enable', 'bulk-memory', '--enable', 'relaxed-simd'],
  ];
  const { error, stderr } = await main([relative(root, join(here, 'wasm/index.ts')).replaceAll('\\', '/'), ...options]);
  if (error) {
    process.stderr.write(stderr.toString());
    throw error;
  }
  // Renamed, so that another build or a running test never sees half a file.
  renameSync(file, join(out, 'kernels.wasm'));
  writeFileSync(join(out, 'kernels.hash'), wanted);
}

if (!built()) {
  mkdirSync(out, { recursive: true });
  await compile();
}
