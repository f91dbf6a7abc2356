// The plain kernels of the roundings over the shared memory.
import type { WasmMemory } from '../kernel-set';
import type { RoundingSet } from '../rounding-set';
import { clippedScale } from './clip';
import { factorTile, invertTile, multiplyBy, subtractProduct, tileCount, tileSide, unitTile } from './factor';
import { roundPlaces } from './gptq';
import { multiplyColumns } from './gram';
import { eachGroup } from './groups';
import { codeOfZero, hqqGroup, quantizeWithFloatZero } from './hqq';
import type { Loss } from './quantize';

export function plainRoundings(memory: WasmMemory): RoundingSet {
  const f32 = (at: number, count: number) => new Float32Array(memory.buffer, at, count);
  const f64 = (at: number, count: number) => new Float64Array(memory.buffer, at, count);
  const i32 = (at: number, count: number) => new Int32Array(memory.buffer, at, count);
  const u8 = (at: number, count: number) => new Uint8Array(memory.buffer, at, count);
  const tile = (at: number) => f64(at, tileCount);
  return {
    clipScales(scales, zeros, floats, loudness, lines, line, group, bits) {
      const groups = lines * Math.ceil(line / group);
      const scale = f32(scales, groups);
      const zero = u8(zeros, groups);
      const weights = f32(floats, lines * line);
      const loud = loudness === 0 ? null : f32(loudness, line);
      eachGroup(lines, line, group, 0, (index, first, _, length) => {
        const own = weights.slice(first, first + length);
        const column = first % line;
        const ownLoud = loud?.subarray(column, column + length);
        scale[index] = clippedScale(own, { scale: scale[index]!, zero: zero[index]! }, bits, ownLoud ?? null);
      });
    },
    hqqGroups(codes, scales, zeros, loss, floats, lines, line, group, padded, bits) {
      const groups = lines * Math.ceil(line / group);
      const scale = f32(scales, groups);
      const zero = f32(zeros, groups);
      const weights = f32(floats, lines * line);
      const to = u8(codes, padded === 0 ? lines * line : groups * padded);
      const sums = f64(loss, 3);
      const lost: Loss = { signal: sums[0]!, noise: sums[1]!, clipped: sums[2]! };
      eachGroup(lines, line, group, padded, (index, first, code, length) => {
        const own = weights.subarray(first, first + length);
        const found = hqqGroup(own, bits);
        scale[index] = found.scale;
        zero[index] = found.zero;
        quantizeWithFloatZero(to.subarray(code, code + length), own, found, bits, lost);
        if (padded > 0) to.fill(codeOfZero(found.zero, 2 ** bits - 1), code + length, code + padded);
      });
      sums.set([lost.signal, lost.noise, lost.clipped]);
      return 1;
    },
    reconstructFloats(floats, codes, scales, zeros, lines, line, group, padded) {
      const groups = lines * Math.ceil(line / group);
      const to = f32(floats, lines * line);
      const from = u8(codes, padded === 0 ? lines * line : groups * padded);
      const scale = f32(scales, groups);
      const zero = f32(zeros, groups);
      eachGroup(lines, line, group, padded, (index, first, code, length) => {
        for (let i = 0; i < length; i++) to[first + i] = Math.fround(from[code + i]! - zero[index]!) * scale[index]!;
      });
    },
    factorTile: (at) => factorTile(tile(at)),
    invertTile: (inverse, at) => invertTile(tile(inverse), tile(at)),
    subtractProduct: (c, a, b) => subtractProduct(tile(c), tile(a), tile(b)),
    multiplyBy: (a, b) => multiplyBy(tile(a), tile(b)),
    unitTile: (at, diagonal, panels) => unitTile(tile(at), f64(diagonal, tileSide), panels !== 0),
    gatherPlaces(to, from, columnOf, lines, line, stride, places) {
      const columns = i32(columnOf, places);
      const weights = f32(from, lines * line);
      const out = f32(to, lines * stride);
      for (let n = 0; n < lines; n++) {
        for (let p = 0; p < places; p++) out[n * stride + p] = columns[p]! < 0 ? 0 : weights[n * line + columns[p]!]!;
      }
    },
    feedBack(current, lost, unit, lines) {
      const to = f32(current, lines * tileSide);
      const from = f32(lost, lines * tileSide);
      const units = f32(unit, tileCount);
      for (let n = 0; n < lines; n++) {
        for (let j = 0; j < tileSide; j++) {
          let sum = 0;
          for (let k = 0; k < tileSide; k++) {
            const d = from[(n >> 2) * 4 * tileSide + k * 4 + (n & 3)]!;
            sum = Math.fround(sum + Math.fround(d * units[(j >> 3) * 8 * tileSide + k * 8 + (j & 7)]!));
          }
          to[n * tileSide + j]! += sum;
        }
      }
    },
    feedBackPlace(current, row, places, lost) {
      const to = f32(current, places);
      const from = f32(row, places);
      const d = Math.fround(lost);
      for (let i = 0; i < places; i++) to[i] = to[i]! + Math.fround(d * from[i]!);
    },
    roundPlaces(
      ...[
        codes,
        codeStride,
        lost,
        current,
        original,
        stride,
        unit,
        weights,
        lines,
        first,
        grid,
        groups,
        groupOf,
        codeOf,
        top,
      ]
    ) {
      const places = first + tileSide;
      const line = { groups, groupOf: i32(groupOf, places), codeOf: i32(codeOf, places), top };
      const out = f32(lost, Math.ceil(lines / 4) * 4 * tileSide);
      const own = new Float32Array(tileSide);
      let total = 0;
      for (let n = 0; n < lines; n++) {
        total += roundPlaces(
          u8(codes + n * codeStride, codeStride),
          own,
          f32(current + n * tileSide * 4, tileSide),
          f32(original + (n * stride + first) * 4, tileSide),
          f32(unit, tileCount),
          f64(weights, places),
          first,
          { ...line, grid: f32(grid + n * 3 * groups * 4, 3 * groups) },
        );
        for (let p = 0; p < tileSide; p++) out[(n >> 2) * 4 * tileSide + p * 4 + (n & 3)] = own[p]!;
      }
      return total;
    },
    multiplyInputs(out, inputs, line, count, row, column) {
      multiplyColumns(f32(out, tileCount), f32(inputs, count * line), line, row, column);
    },
  };
}
