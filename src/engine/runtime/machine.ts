// This machine as the runtime sees it: physical cores, free memory, the CPU features that decide which kernels run.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, freemem } from 'node:os';

/** `/proc/cpuinfo` where there is one; empty elsewhere. */
function cpuInfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}

/** Cores without hyper-threads, and no more than this process may use. The default number of threads everywhere. */
export function physicalCores(info = cpuInfo()): number {
  const cores = new Set<string>();
  let socket = '0';
  for (const line of info.split('\n')) {
    const [key, value] = line.split(':').map((part) => part.trim());
    if (key === 'physical id') socket = value ?? '0';
    if (key === 'core id') cores.add(`${socket}.${value}`);
  }
  return Math.max(1, Math.min(cores.size || Infinity, availableParallelism()));
}

/** Instruction sets by which onnxruntime picks its kernels: two machines that agree here give the same bytes and outputs. */
const telling = [
  'sse4_1',
  'avx',
  'f16c',
  'fma',
  'avx2',
  'avx512f',
  'avx512bw',
  'avx512_vnni',
  'avx_vnni',
  'avx512_bf16',
  'avx512_fp16',
  'amx_int8',
  'amx_bf16',
  'asimd',
  'asimdhp',
  'asimddp',
  'i8mm',
  'bf16',
  'sve',
] as const;

export function cpuFeatures(info = cpuInfo()): string[] {
  const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(info);
  const have = new Set((line?.[1] ?? '').split(/\s+/));
  return telling.filter((feature) => have.has(feature));
}

export function onnxruntimeVersion(): string {
  const described = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return described.version;
}

/** Memory that can be had without swapping, bytes. */
export function freeMemoryBytes(): number {
  try {
    const line = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'));
    if (line) return Number(line[1]) * 1024;
  } catch {
    // Not Linux: the system's own figure, which leaves reclaimable caches out.
  }
  return freemem();
}

/** Memory of this process that is not file-backed, bytes. */
export function ownMemoryBytes(): number {
  try {
    const line = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    if (line) return Number(line[1]) * 1024;
  } catch {
    // Not Linux.
  }
  return process.memoryUsage().rss;
}
