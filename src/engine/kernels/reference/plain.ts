// The plain kernels over the shared memory: what the SIMD kernels are tested against, and what takes the stretches they cannot (NaN, infinity).
import { float16FromFloat32, float32FromFloat16 } from '../../graph/number-formats';
import { type Address, type KernelSet, rules, type WasmMemory } from '../kernel-set';
import { eachGroup } from './groups';
import { countBeyond, countBins } from './histogram';
import { powerSums } from './moments';
import { packCodes } from './pack';
import { plainPruning } from './plain-pruning';
import { plainRoundings } from './plain-rounding';
import { type Grid, groupRange, groupScale, type Loss, quantizeGroup } from './quantize';
import { widenRanges } from './ranges';

const ruleNames = Object.keys(rules) as (keyof typeof rules)[];

export function plainKernels(memory: WasmMemory): KernelSet {
  const f32 = (at: Address, count: number) => new Float32Array(memory.buffer, at, count);
  const f64 = (at: Address, count: number) => new Float64Array(memory.buffer, at, count);
  const u8 = (at: Address, count: number) => new Uint8Array(memory.buffer, at, count);
  const u16 = (at: Address, count: number) => new Uint16Array(memory.buffer, at, count);
  const u32 = (at: Address, count: number) => new Uint32Array(memory.buffer, at, count);
  return {
    ...plainRoundings(memory),
    ...plainPruning(memory),
    touch: () => 0,
    decodeFloat16(floats, codes, count) {
      const to = f32(floats, count);
      const from = u16(codes, count);
      for (let i = 0; i < count; i++) to[i] = float32FromFloat16(from[i]!);
    },
    decodeBfloat16(floats, codes, count) {
      const to = u32(floats, count);
      const from = u16(codes, count);
      for (let i = 0; i < count; i++) to[i] = from[i]! << 16;
    },
    encodeFloat16(codes, floats, count) {
      const to = u16(codes, count);
      const from = f32(floats, count);
      for (let i = 0; i < count; i++) to[i] = float16FromFloat32(from[i]!);
    },
    powerSums(out, floats, count, shift) {
      const { min, max, zeros, sums } = powerSums(f32(floats, count), shift);
      f64(out, 7).set([min, max, zeros, ...sums]);
    },
    countBins(counts, floats, count, min, width) {
      countBins(u32(counts, 256), f32(floats, count), min, width);
    },
    countBeyond(floats, count, low, high) {
      return countBeyond(f32(floats, count), low, high);
    },
    widenRanges(min, max, floats, count, channel, left, inner, channels) {
      const start = channel * inner + inner - left;
      widenRanges(f32(min, channels), f32(max, channels), f32(floats, count), start, inner);
    },
    transposeFloats(to, from, rows, columns) {
      transpose(f32(to, rows * columns), f32(from, rows * columns), rows, columns);
    },
    transposeCodes(to, from, rows, columns) {
      transpose(u8(to, rows * columns), u8(from, rows * columns), rows, columns);
    },
    quantizeGroups(codes, scales, zeros, loss, floats, lines, line, group, padded, bits, rule) {
      const groups = lines * Math.ceil(line / group);
      const scale = f32(scales, groups);
      const zero = u8(zeros, groups);
      const weights = f32(floats, lines * line);
      const to = u8(codes, padded === 0 ? lines * line : groups * padded);
      const sums = f64(loss, 3);
      const name = ruleNames[rule]!;
      const lost: Loss = { signal: sums[0]!, noise: sums[1]!, clipped: sums[2]! };
      eachGroup(lines, line, group, padded, (index, first, code, length) => {
        const stretch = weights.subarray(first, first + length);
        const { low, high } = groupRange(stretch);
        const found =
          name === 'given'
            ? { scale: scale[index]!, zero: zero[index]! }
            : groupScale(low, high, { bits: bits as Grid['bits'], rule: name });
        scale[index] = found.scale;
        zero[index] = found.zero;
        quantizeGroup(to.subarray(code, code + length), stretch, found, bits, lost);
        if (padded > 0) to.fill(found.zero, code + length, code + padded);
      });
      sums.set([lost.signal, lost.noise, lost.clipped]);
    },
    reconstructGroups(floats, codes, scales, zeros, lines, line, group, padded) {
      const groups = lines * Math.ceil(line / group);
      const to = f32(floats, lines * line);
      const from = u8(codes, padded === 0 ? lines * line : groups * padded);
      const scale = f32(scales, groups);
      const zero = u8(zeros, groups);
      eachGroup(lines, line, group, padded, (index, first, code, length) => {
        for (let i = 0; i < length; i++) to[first + i] = (from[code + i]! - zero[index]!) * scale[index]!;
      });
    },
    scaleGroups(to, floats, scales, lines, line, group) {
      const scaled = f32(to, lines * line);
      const weights = f32(floats, lines * line);
      const scale = f32(scales, lines * Math.ceil(line / group));
      eachGroup(lines, line, group, 0, (index, first, _, length) => {
        const reciprocal = scale[index] === 0 ? 0 : Math.fround(1 / scale[index]!);
        for (let i = 0; i < length; i++) scaled[first + i] = weights[first + i]! * reciprocal;
      });
    },
    countLevels(counts, codes, zeros, lines, line, group, padded) {
      const groups = lines * Math.ceil(line / group);
      const to = u32(counts, 512);
      const from = u8(codes, padded === 0 ? lines * line : groups * padded);
      const zero = u8(zeros, groups);
      eachGroup(lines, line, group, padded, (index, _, code, length) => {
        for (let i = 0; i < length; i++) to[from[code + i]! - zero[index]! + 256]!++;
      });
    },
    packCodes(bytes, codes, count, bits, flip) {
      const packed = packCodes(u8(codes, count), bits, flip);
      u8(bytes, packed.length).set(packed);
    },
  };
}

function transpose<Floats extends Float32Array | Uint8Array>(to: Floats, from: Floats, rows: number, columns: number) {
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) to[c * rows + r] = from[r * columns + c]!;
}
