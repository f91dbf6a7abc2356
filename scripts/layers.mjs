// The layer check: who may import whom. Rules as data on top, a short walk below; what no rule allows is an error.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';

// A room is the longest prefix that matches a file. `may` lists rooms (and their sub-rooms) and packages it may import at run time;
// `types` adds rooms it may import with `import type` only. A room may always import itself. `node` allows Node's own modules.
const engineFloors = [
  'kernels',
  'graph',
  'formats',
  'runtime',
  'data',
  'measure',
  'train',
  'methods',
  'devices',
  'placement',
];
const below = {
  kernels: ['graph'],
  graph: [],
  formats: ['graph'],
  runtime: ['formats', 'graph', 'kernels'],
  data: ['runtime', 'formats', 'graph', 'kernels'],
  measure: ['data', 'runtime', 'formats', 'graph', 'kernels'],
  train: ['measure', 'data', 'runtime', 'formats', 'graph', 'kernels'],
  methods: ['train', 'measure', 'data', 'runtime', 'formats', 'graph', 'kernels'],
  devices: ['graph'],
  placement: ['devices', 'measure', 'runtime', 'formats', 'graph'],
};
const packagesOf = {
  runtime: ['onnxruntime-node'],
  data: ['sharp', 'fflate', 'csv-parse'],
};

const rules = [
  { room: 'src/contract', may: ['zod', '@orpc/contract'] },
  { room: 'src/engine', node: true, may: ['src/engine', 'src/contract/words', 'fflate'] },
  ...engineFloors.map((floor) => ({
    room: `src/engine/${floor}`,
    node: true,
    may: [...below[floor].map((name) => `src/engine/${name}`), 'src/contract/words', ...(packagesOf[floor] ?? [])],
    // A kernel or a pass may name what a corridor hands it.
    types: floor === 'kernels' || floor === 'graph' ? [] : ['src/engine/tasks'],
  })),
  { room: 'src/engine/kernels/wasm', may: [] },
  { room: 'src/main', node: true, may: ['src/contract', 'src/main', '@orpc/server', '@orpc/client', 'zod', 'ws'] },
  { room: 'src/main/index.ts', node: true, may: ['src/contract', 'src/main', 'electron', '@orpc/server'] },
  {
    room: 'src/main/cli',
    node: true,
    may: ['src/contract', 'src/main', '@orpc/contract', '@orpc/server', '@orpc/client', 'commander', 'zod'],
  },
  { room: 'src/main/history', node: true, may: ['src/contract', 'better-sqlite3'] },
  { room: 'src/main/library', node: true, may: ['src/contract', 'src/main/history'] },
  { room: 'src/main/jobs', node: true, may: ['src/contract', 'src/main/history', 'src/main/library'] },
  { room: 'src/main/jobs/engine-process.ts', node: true, may: ['src/contract', 'src/engine', 'src/main/jobs'] },
  { room: 'src/preload', may: ['electron'] },
  {
    room: 'src/renderer',
    may: [
      'src/contract',
      '@orpc/client',
      '@orpc/contract',
      '@orpc/tanstack-query',
      'react',
      'react-dom',
      'recharts',
      'wouter',
      '@mantine/',
      '@tanstack/',
      '@tabler/icons-react',
      '@fontsource-variable/',
    ],
  },
];
const badNames = /^(utils?|common|helpers?|managers?|misc|base|types)(\.tsx?)?$/;

const root = resolve(import.meta.dirname, '..');
const builtins = new Set(builtinModules);
const inside = (path, room) => path === room || path.startsWith(`${room}/`) || path.startsWith(`${room}.`);
const ruleFor = (file) =>
  rules.filter((rule) => inside(file, rule.room)).sort((a, b) => b.room.length - a.room.length)[0];

function* filesUnder(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (badNames.test(entry.name)) yield { path, bad: true };
    if (entry.isDirectory()) yield* filesUnder(path);
    else if (/\.(ts|tsx|mjs)$/.test(entry.name) && !entry.name.endsWith('.d.ts')) yield { path };
  }
}

const importPattern =
  /(?:^|[\s;])(?:import|export)(?<type>\s+type)?(?<names>[^'"();]*?)from\s*['"](?<from>[^'"]+)['"]|(?:^|[\s;])import\s*['"](?<bare>[^'"]+)['"]|import\(\s*['"](?<lazy>[^'"]+)['"]\s*\)/gm;

/** Only types cross: `import type …`, or every name marked `type`. */
const typeOnly = (match) =>
  Boolean(match.groups.type) ||
  (/\{/.test(match.groups.names ?? '') &&
    match.groups.names
      .replace(/[{}]/g, '')
      .split(',')
      .filter((name) => name.trim())
      .every((name) => /^\s*type\s/.test(name)));

function resolveFile(from, spec) {
  const bare = resolve(dirname(from), spec.split('?')[0]);
  for (const end of ['', '.ts', '.tsx', '.mjs', '/index.ts', '/index.tsx']) {
    if (existsSync(bare + end) && statSync(bare + end).isFile())
      return relative(root, bare + end).replaceAll('\\', '/');
  }
  return relative(root, bare).replaceAll('\\', '/');
}

const problems = [];
const edges = new Map();
for (const { path, bad } of filesUnder(join(root, 'src'))) {
  const file = relative(root, path).replaceAll('\\', '/');
  if (bad) problems.push(`${file}: name it after what it describes, not "${file.split('/').at(-1)}".`);
  if (bad || !/\.(ts|tsx)$/.test(file) || inside(file, 'src/engine/kernels/wasm')) continue;
  const rule = ruleFor(file);
  if (!rule) {
    problems.push(`${file}: no rule covers this file.`);
    continue;
  }
  const text = readFileSync(path, 'utf8');
  if (!/^(\/\/|\/\*)/.test(text)) problems.push(`${file}: the first line says what the file is for.`);
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  for (const match of code.matchAll(importPattern)) {
    const spec = match.groups.from ?? match.groups.bare ?? match.groups.lazy;
    const isType = typeOnly(match);
    if (spec.startsWith('.')) {
      const target = resolveFile(path, spec);
      if (/\.(css|svg|json|png)(\?.*)?$/.test(spec)) continue;
      const allowed = [rule.room, ...rule.may, ...(isType ? (rule.types ?? []) : [])];
      // In main, types of the engine come through the one door.
      if (!allowed.some((room) => inside(target, room))) problems.push(`${file}: may not import ${target}.`);
      if (!isType && !match.groups.lazy) edges.set(file, [...(edges.get(file) ?? []), target]);
      if (/src\/engine\/methods\/[^/]+\.ts$/.test(file) && /src\/engine\/methods\/index\.ts$/.test(target))
        problems.push(`${file}: a method does not import the list.`);
      if (file.startsWith('src/main/') && target === 'src/main/jobs/engine-process.ts' && !isType)
        problems.push(`${file}: the engine's entry is started, never imported (types only).`);
    } else if (spec.startsWith('node:') || builtins.has(spec)) {
      if (!rule.node) problems.push(`${file}: ${rule.room} does not know Node (${spec}).`);
    } else if (!rule.may.some((name) => spec === name || spec.startsWith(name.endsWith('/') ? name : `${name}/`))) {
      problems.push(`${file}: may not import the package ${spec}.`);
    }
  }
}

// No circles among run-time imports.
const state = new Map();
const walk = (file, trail) => {
  if (state.get(file) === 'done') return;
  if (state.get(file) === 'open') {
    problems.push(`circle: ${[...trail.slice(trail.indexOf(file)), file].join(' → ')}`);
    return;
  }
  state.set(file, 'open');
  for (const next of edges.get(file) ?? []) walk(next, [...trail, file]);
  state.set(file, 'done');
};
for (const file of edges.keys()) walk(file, []);

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`Layers: ${[...edges.keys()].length} files keep to their floors.`);
