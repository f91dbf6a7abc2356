// Small floating-point formats and their float32 values: float16, bfloat16, the four float8s, float4 and the power-of-two scale.

const scratch = new DataView(new ArrayBuffer(4));

function float32Bits(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}

/** What a format does with its highest exponent, and with the code of negative zero. */
type Specials = 'ieee' | 'finite' | 'finite-unsigned-zero' | 'none';

/**
 * Value of `sign | exponent | mantissa` with the given widths.
 * `finite` ("fn"): no infinity, only the all-ones code is NaN. `finite-unsigned-zero` ("fnuz"): no infinity, −0 is the NaN.
 */
function decodeMinifloat(code: number, exponentBits: number, mantissaBits: number, bias: number, specials: Specials) {
  const sign = code >> (exponentBits + mantissaBits) === 1 ? -1 : 1;
  const exponent = (code >> mantissaBits) & ((1 << exponentBits) - 1);
  const mantissa = code & ((1 << mantissaBits) - 1);
  const top = exponent === (1 << exponentBits) - 1;
  if (specials === 'ieee' && top) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (specials === 'finite' && top && mantissa === (1 << mantissaBits) - 1) return Number.NaN;
  if (specials === 'finite-unsigned-zero' && sign === -1 && exponent === 0 && mantissa === 0) return Number.NaN;
  if (exponent === 0) return sign * mantissa * 2 ** (1 - bias - mantissaBits);
  return sign * (1 + mantissa * 2 ** -mantissaBits) * 2 ** (exponent - bias);
}

function table(size: number, decode: (code: number) => number): () => Float32Array {
  let built: Float32Array | undefined;
  return () => (built ??= Float32Array.from({ length: size }, (_, code) => decode(code)));
}

/** Every code's float32 value, built on first use. All values of these formats are exact in float32. */
export const minifloatTables = {
  float16: table(65536, (code) => decodeMinifloat(code, 5, 10, 15, 'ieee')),
  float8e4m3fn: table(256, (code) => decodeMinifloat(code, 4, 3, 7, 'finite')),
  float8e4m3fnuz: table(256, (code) => decodeMinifloat(code, 4, 3, 8, 'finite-unsigned-zero')),
  float8e5m2: table(256, (code) => decodeMinifloat(code, 5, 2, 15, 'ieee')),
  float8e5m2fnuz: table(256, (code) => decodeMinifloat(code, 5, 2, 16, 'finite-unsigned-zero')),
  float4e2m1: table(16, (code) => decodeMinifloat(code, 2, 1, 1, 'none')),
  float8e8m0: table(256, (code) => (code === 255 ? Number.NaN : 2 ** (code - 127))),
} as const;

export function float32FromFloat16(code: number): number {
  return minifloatTables.float16()[code]!;
}

export function float32FromBfloat16(code: number): number {
  scratch.setUint32(0, code << 16);
  return scratch.getFloat32(0);
}

/** Nearest float16, ties to even; beyond 65,504 by half a step or more becomes infinity, NaN stays NaN. */
export function float16FromFloat32(value: number): number {
  const bits = float32Bits(value);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65,520 is the midpoint above the largest float16; ties go to the even code, which is infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    // Normal: rebias the exponent from 127 to 15, then drop 13 mantissa bits; a carry walks into the exponent as it should.
    const rebiased = magnitude - 0x38000000;
    return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13);
  }
  // Subnormal or zero: the value in units of 2^-24, rounded half to even.
  const units = Math.abs(Math.fround(value)) * 2 ** 24;
  const floor = Math.floor(units);
  const rest = units - floor;
  return sign | (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor);
}

/** Nearest bfloat16, ties to even; NaN stays NaN. */
export function bfloat16FromFloat32(value: number): number {
  const bits = float32Bits(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

export function decodeFloat16(codes: Uint16Array): Float32Array {
  const values = minifloatTables.float16();
  const out = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) out[i] = values[codes[i]!]!;
  return out;
}

export function encodeFloat16(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = float16FromFloat32(values[i]!);
  return out;
}

/** A bfloat16 is the upper half of a float32. */
export function decodeBfloat16(codes: Uint16Array): Float32Array {
  const bits = new Uint32Array(codes.length);
  for (let i = 0; i < codes.length; i++) bits[i] = codes[i]! << 16;
  return new Float32Array(bits.buffer);
}

export function encodeBfloat16(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = bfloat16FromFloat32(values[i]!);
  return out;
}
