// The grid of a weight while a training moves it: scales that start where rounding loses least and are learned as factors of that start.
import { elementCount } from '../../graph/graph';
import { packCodes, readFloats } from '../../graph/tensor';
import type { Kernels, QuantizeResult } from '../../kernels/kernels';
import { type Bits, groupsOf, type Order, requestOf } from './order';

export interface LearnedGrid {
  /** Bits of the levels; the order may ask for them in wider codes. */
  readonly bits: Bits;
  /** [N][groups], never 0, negative where the end of the grid that reaches further belongs to positive weights. */
  readonly scales: Float32Array;
}

/** Grids are known by the weight and how it is cut into groups. */
export function gridKey({ tensor, rows, columns, order, groupSize }: Order): string {
  return `${tensor.name} ${rows}×${columns} ${order} ${groupSize}`;
}

/** Levels at both ends of zero. */
export function levelsOf({ scaleRule }: Order, bits: Bits): readonly [low: number, high: number] {
  const high = 2 ** (bits - 1) - 1;
  return [scaleRule === 'restricted' ? -high : -high - 1, high];
}

/** A group of zeros has the scale 0, which nothing can be divided by. */
const scaleOfZeros = 2 ** -40;

/** Where a training begins: at 8 bits the scales of plain rounding, below those of the clipped ranges. */
export async function startGrid(kernels: Kernels, order: Order, bits: Bits, signal: AbortSignal): Promise<LearnedGrid> {
  const rounding = bits === 8 ? 'nearest' : 'mse';
  const { scales } = await kernels.quantize(requestOf({ ...order, bits, rounding }, signal));
  return { bits, scales: scales.map((scale) => (scale === 0 ? scaleOfZeros : scale)) };
}

/** How far a learned scale may go from its start, both ways. */
export const farthestFactor = 16;

/** The scale in float32 as the training graph computes it. */
export function learnedScale(start: number, factor: number): number {
  return Math.fround(start * Math.min(farthestFactor, Math.max(1 / farthestFactor, factor)));
}

/** Adding this and taking it away again leaves a float32 below 2^22 rounded to the nearest whole, halves to even. */
export const roundingShift = 1.5 * 2 ** 23;

const rounded = (x: number): number => Math.fround(Math.fround(x + roundingShift) - roundingShift);

/** Every weight on its grid, in float32 as the training graph has it; laid out as the kernels give codes. */
export async function quantizedOn(order: Order, grid: LearnedGrid): Promise<QuantizeResult> {
  const { tensor, rows, columns, bits, zero } = order;
  const weights = await readFloats(tensor);
  const [low, high] = levelsOf(order, grid.bits);
  const groups = groupsOf(order);
  const length = order.groupSize === 0 ? columns : order.groupSize;
  const middle = zero === 'unsigned' ? 2 ** (bits - 1) : 0;
  const isBlocks = order.layout.kind === 'blocks';
  // Blocks are padded to whole groups of whole bytes, with the code of zero.
  const perByte = 8 / bits;
  const groupCodes = Math.ceil(length / perByte) * perByte;
  const codes = new Uint8Array(isBlocks ? rows * groups * groupCodes : elementCount(tensor.dims)).fill(middle);
  let signal = 0;
  let noise = 0;
  let clipped = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const from = order.order === 'rows' ? row * columns + column : column * rows + row;
      const group = Math.floor(column / length);
      const scale = grid.scales[row * groups + group]!;
      const weight = weights[from]!;
      const steps = Math.fround(weight / scale);
      const level = rounded(Math.min(high, Math.max(low, steps)));
      const at = isBlocks ? (row * groups + group) * groupCodes + (column % length) : from;
      codes[at] = level + middle;
      if (steps < low - 0.5 || steps > high + 0.5) clipped++;
      signal += weight * weight;
      noise += (weight - Math.fround(level * scale)) ** 2;
    }
  }
  return {
    codes: bits === 8 ? codes : packCodes(codes, bits),
    scales: grid.scales,
    zeroPoints: null,
    floatZeroPoints: null,
    outputNoise: null,
    ...{ signal, noise, clipped },
  };
}
