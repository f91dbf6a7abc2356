// Compiles the SIMD kernels (wasm/*.ts, AssemblyScript) to out/kernels/*.wasm; does nothing where the sources are those of the last time.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
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

// Must be the limit that the arena asks for: an imported memory may not be larger than declared.
const memoryPages = 2 ** 30 / 65536;

const modules = {
  'kernels.wasm': { entry: 'index.ts', memory: ['--sharedMemory', '--maximumMemory', String(memoryPages)] },
  'optimizer.wasm': { entry: 'optimizer.ts', memory: [] },
};

function built() {
  try {
    return (
      readFileSync(join(out, 'kernels.hash'), 'utf8') === wanted &&
      Object.keys(modules).every((name) => existsSync(join(out, name)))
    );
  } catch {
    return false;
  }
}

async function compile(name, entry, memory) {
  const { main } = await import('assemblyscript/asc');
  const file = join(out, `${name}.${process.pid}`);
  const options = [
    '--baseDir',
    root,
    ...['--outFile', relative(root, file).replaceAll('\\', '/')],
    ...['--runtime', 'stub', '--noAssert', '-O3', '--converge', '--importMemory', '--initialMemory', '1', ...memory],
    ...['--enable', 'simd', '--enable', 'threads', '--enable', 'bulk-memory', '--enable', 'relaxed-simd'],
  ];
  const { error, stderr } = await main([relative(root, join(here, 'wasm', entry)).replaceAll('\\', '/'), ...options]);
  if (error) {
    process.stderr.write(stderr.toString());
    throw error;
  }
  // Renamed, so that another build or a running test never sees half a file.
  renameSync(file, join(out, name));
}

if (!built()) {
  mkdirSync(out, { recursive: true });
  for (const [name, { entry, memory }] of Object.entries(modules)) await compile(name, entry, memory);
  writeFileSync(join(out, 'kernels.hash'), wanted);
}
