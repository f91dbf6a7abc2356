// Each kernel on one core against a memory copy of the same weights and against its plain reference, beside the goals of the design.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { instantiate, type KernelSet, rules, wasm } from '../../src/engine/kernels/kernel-set';
import { plainKernels } from '../../src/engine/kernels/reference/plain';
import { against, print } from './table';

const weights = 2 ** 23;
/** The kernels' usual piece: what they get is in the second-level cache only if they just wrote it. */
const piece = 2 ** 18;

interface Row {
  readonly name: string;
  /** Of the design, × memory copy; null where none was set. */
  readonly goal: number | null;
  run(kernels: KernelSet, first: number): void;
}

export default function bench(): void {
  const memory = new wasm.Memory({ initial: 1024, maximum: 16384, shared: true });
  memory.grow(5 * 1024);
  const file = resolve(import.meta.dirname, '../kernels/kernels.wasm');
  const simd = instantiate(new wasm.Module(readFileSync(file)), memory);
  const plain = plainKernels(memory);
  const source = 2 ** 26;
  const halves = source + weights * 4;
  const scratch = 2 ** 20;
  const [codes, scales, zeros, packed, floats] = [1, 2, 3, 4, 8].map((at) => scratch + at * 2 ** 20) as [
    number,
    number,
    number,
    number,
    number,
  ];
  fill(new Float32Array(memory.buffer, source, weights));
  for (let at = 0; at < weights; at += piece) simd.encodeFloat16(halves + at * 2, source + at * 4, piece);

  const quantized = (kernels: KernelSet, from: number, bits: number, group: number, rule: number) => {
    const line = 4096;
    kernels.quantizeGroups(codes, scales, zeros, scratch, from, piece / line, line, group, 0, bits, rule);
    kernels.packCodes(packed, codes, piece, bits, 0);
  };
  // As the product does with what was not just read from a file.
  const near = (kernels: KernelSet, at: number) => {
    kernels.touch(source + at * 4, piece * 4);
    return source + at * 4;
  };
  const halfToFloat = (kernels: KernelSet, at: number) => {
    kernels.touch(halves + at * 2, piece * 2);
    kernels.decodeFloat16(floats, halves + at * 2, piece);
  };
  const rows: Row[] = [
    { name: '4 bits, groups of 32, symmetric', goal: 0.75, run: (k, at) => quantized(k, near(k, at), 4, 32, 0) },
    { name: '4 bits, groups of 32, asymmetric', goal: null, run: (k, at) => quantized(k, near(k, at), 4, 32, 2) },
    { name: '4 bits, groups of 128, symmetric', goal: null, run: (k, at) => quantized(k, near(k, at), 4, 128, 0) },
    { name: '8 bits, groups of 32, symmetric', goal: 0.95, run: (k, at) => quantized(k, near(k, at), 8, 32, 1) },
    {
      name: 'float16 to 4 bits, groups of 32',
      goal: 0.45,
      run(k, at) {
        halfToFloat(k, at);
        quantized(k, floats, 4, 32, 0);
      },
    },
    {
      name: '4 bits across stored rows (MatMul)',
      goal: null,
      run(k, at) {
        // 64 stored rows of 4096 channels.
        k.transposeFloats(floats, near(k, at), 64, 4096);
        k.quantizeGroups(codes, scales, zeros, scratch, floats, 4096, 64, 32, 0, 4, 0);
        k.packCodes(packed, codes, piece, 4, 0);
      },
    },
    {
      name: 'clipped ranges (80 steps), 4 bits, groups of 32',
      goal: 0.025,
      run(k, at) {
        k.quantizeGroups(codes, scales, zeros, scratch, near(k, at), piece / 4096, 4096, 32, 0, 4, 0);
        k.clipScales(scales, zeros, source + at * 4, 0, piece / 4096, 4096, 32, 4, floats);
        k.quantizeGroups(codes, scales, zeros, scratch, source + at * 4, piece / 4096, 4096, 32, 0, 4, rules.given);
        k.packCodes(packed, codes, piece, 4, 0);
      },
    },
    {
      name: 'half-quadratic, 4 bits, groups of 64',
      goal: 0.11,
      run(k, at) {
        k.hqqGroups(codes, scales, zeros, scratch, near(k, at), piece / 4096, 4096, 64, 0, 4);
        k.packCodes(packed, codes, piece, 4, 0);
      },
    },
    {
      name: 'range, zeros, four moments (float64)',
      goal: 1.4,
      run: (k, at) => k.powerSums(scratch, near(k, at), piece, 0),
    },
    {
      name: '256 bins, with the range pass',
      goal: 0.42,
      run(k, at) {
        k.widenRanges(scratch, scratch + 64, near(k, at), piece, 0, piece, piece, 1);
        k.countBins(scratch + 4096, source + at * 4, piece, -0.0625, 0.125 / 256);
      },
    },
    { name: 'beyond 6 σ', goal: null, run: (k, at) => void k.countBeyond(source + at * 4, piece, -0.06, 0.06) },
    {
      name: 'ranges of 4096 channels side by side',
      goal: null,
      run: (k, at) => k.widenRanges(scratch, scratch + 65536, source + at * 4, piece, 0, 1, 1, 4096),
    },
    { name: 'float32 to float16', goal: 0.75, run: (k, at) => k.encodeFloat16(codes, near(k, at), piece) },
    { name: 'float16 to float32', goal: null, run: (k, at) => halfToFloat(k, at) },
  ];

  // Ordinary memory: copying shared memory is slower in JavaScript.
  const [from, to] = [new Uint8Array(weights * 4).fill(1), new Uint8Array(weights * 4)];
  const copy = (i: number) => to.set(from.subarray(i * piece * 4, (i + 1) * piece * 4), i * piece * 4);
  const speed = (ms: number) => ((piece * 4) / ms / 1e6).toFixed(1);
  const table = rows.map(({ name, goal, run }) => {
    const fast = against(weights / piece, 20, copy, (i) => run(simd, i * piece));
    // The plain kernels are many times slower: a few pieces are enough.
    const slow = against(4, 3, copy, (i) => run(plain, i * piece));
    return [
      name,
      speed(fast.ms),
      fast.ratio.toFixed(2),
      goal === null ? '' : goal.toFixed(2),
      goal === null ? '' : fast.ratio >= goal ? 'met' : 'missed',
      `${(slow.ms / fast.ms).toFixed(0)} ×`,
    ];
  });
  const { yardstickMs } = against(weights / piece, 20, copy, (i) => void near(simd, i * piece));
  print(
    `Kernels, one core, ${weights} float32 weights, Node ${process.version}`,
    ['kernel', 'GB/s', '× copy', 'goal', '', '× plain'],
    [['memory copy', speed(yardstickMs), '1.00', '', '', ''], ...table],
  );
}

function fill(values: Float32Array): void {
  let state = 123456789;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
  for (let i = 0; i < values.length; i++) {
    const a = next();
    const b = next();
    values[i] = (((a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16)) / 65536 - 2) * 0.03;
  }
}
