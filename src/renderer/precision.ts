// Which of the five precisions a width or type belongs to, and its words and colours.

export const precisions = ['fp32', 'fp16', 'int8', 'int4', 'int2'] as const;
export type Precision = (typeof precisions)[number];

/** Other widths take the nearest colour: int3 → int4, fp8 → int8, double → fp32. */
export function precisionOf(bits: number): Precision {
  if (bits > 16) return 'fp32';
  if (bits > 8) return 'fp16';
  if (bits > 4) return 'int8';
  if (bits > 2) return 'int4';
  return 'int2';
}

/** The word on a tag: the type's own where it is known (bf16, fp8, uint8), else the precision's. */
export function precisionWord(bits: number, dtype?: string): string {
  const own: Record<string, string> = {
    float32: 'fp32',
    float64: 'fp64',
    float16: 'fp16',
    bfloat16: 'bf16',
    float8e4m3fn: 'fp8',
    float8e5m2: 'fp8',
  };
  return (dtype && own[dtype]) || (bits > 16 ? `fp${bits}` : bits > 8 ? 'fp16' : `int${bits}`);
}

/** Text that is readable on the precision's own fill. */
export const onPrecision = (precision: Precision): string => `var(--l-${precision === 'fp16' ? 'on-fp16' : 'on-p'})`;
