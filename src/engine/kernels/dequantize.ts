// Stored codes back into weights, for statistics of layers that are quantized already.
import type { Dequantization } from './kernels';

export function packedBytes(count: number, bits: number): number {
  return Math.ceil((count * bits) / 8);
}

/** A stretch of codes whose scales are `scale`, `scale + step`, `scale + 2·step` …; `skip` codes of padding follow. */
interface Stretch {
  readonly scale: number;
  readonly step: 0 | 1;
  readonly length: number;
  readonly skip: number;
}

function stretchAt(index: number, layout: Dequantization['layout']): Stretch {
  switch (layout.kind) {
    case 'tensor':
      return { scale: 0, step: 0, length: Infinity, skip: 0 };
    case 'axis': {
      const { axis, inner } = layout;
      const along = Math.floor(index / inner) % axis;
      if (inner === 1) return { scale: along, step: 1, length: axis - along, skip: 0 };
      return { scale: along, step: 0, length: inner - (index % inner), skip: 0 };
    }
    case 'blocked': {
      const { axis, inner, block } = layout;
      const along = Math.floor(index / inner) % axis;
      const outer = Math.floor(index / (inner * axis));
      const row = outer * Math.ceil(axis / block) + Math.floor(along / block);
      if (inner > 1) return { scale: row * inner + (index % inner), step: 1, length: inner - (index % inner), skip: 0 };
      return { scale: row, step: 0, length: Math.min(block - (along % block), axis - along), skip: 0 };
    }
    case 'padded': {
      const { columns, block } = layout;
      const stride = Math.ceil(columns / block) * block;
      const column = index % stride;
      const inBlock = block - (column % block);
      const length = Math.max(0, Math.min(inBlock, columns - column));
      return { scale: Math.floor(index / block), step: 0, length, skip: inBlock - length };
    }
    default:
      return layout satisfies never;
  }
}

/**
 * Weights of the codes [first, first + count), as float32: `(code − zero) · scale`. `packed` begins with the byte of code `first`, which is
 * the first of its byte. Answers how many weights were written; padding gives none.
 */
export function dequantize(
  out: Float32Array,
  packed: Uint8Array,
  first: number,
  count: number,
  { bits, signed, scales, zeroPoints, defaultZero, layout }: Dequantization,
): number {
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  const half = signed ? 2 ** (bits - 1) : 0;
  let written = 0;
  for (let i = 0; i < count; ) {
    const stretch = stretchAt(first + i, layout);
    const length = Math.min(stretch.length, count - i);
    for (let j = 0; j < length; j++) {
      const at = i + j;
      const code = bits === 8 ? packed[at]! : (packed[Math.floor(at / perByte)]! >> ((at % perByte) * bits)) & mask;
      const scale = stretch.scale + stretch.step * j;
      // Flipping the top bit and taking it off again extends the sign.
      out[written++] = ((code ^ half) - half - (zeroPoints?.[scale] ?? defaultZero)) * scales[scale]!;
    }
    i += length + Math.min(stretch.skip, count - i - length);
  }
  return written;
}

/** As `dequantize`, in place, for codes that are numbers already (16 bits, float8). These have no padding. */
export function rescale(
  values: Float64Array,
  first: number,
  { scales, zeroPoints, defaultZero, layout }: Dequantization,
) {
  for (let i = 0; i < values.length; ) {
    const { scale, step, length } = stretchAt(first + i, layout);
    const end = Math.min(values.length, i + length);
    for (let at = scale; i < end; i++, at += step)
      values[i] = (values[i]! - (zeroPoints?.[at] ?? defaultZero)) * scales[at]!;
  }
}

/** Index among the weights of the code at `index`: padding counts for nothing. */
export function weightIndex(index: number, layout: Dequantization['layout']): number {
  if (layout.kind !== 'padded') return index;
  const stride = Math.ceil(layout.columns / layout.block) * layout.block;
  return Math.floor(index / stride) * layout.columns + Math.min(index % stride, layout.columns);
}
