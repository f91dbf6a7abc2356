// The weight gradient of depthwise convolutions, for which the runtime has no fast operator.
import { mul, reshape, sum, transpose } from '../emit';
import type { Tape } from '../tape';
import type { Convolution } from './conv';
import { concat, pad, padded, slice } from './slices';
import { tapOf, taps } from './windows-seen';

// A product over all pairs of columns wastes a factor of the width; beyond this, one pass per tap is faster (measured).
const widestProduct = 80;

/** weight [C, 1, kernel…] of a convolution with as many groups as channels. */
export function depthwiseWeight(tape: Tape, one: Convolution, g: string): string {
  const isNarrow = one.input.length === 2 && one.output[1]! <= widestProduct;
  return isNarrow ? columnProducts(tape, one, g) : perTap(tape, one, g);
}

/**
 * For each row i of the kernel the product of all pairs of columns over every sample and row at once,
 *   P[c] = Σ_(n,h) g[n,c,h,:]ᵀ · x[n,c,h·s+i·d−p,:]      [out width, width],
 * one matrix product per channel; tap j is the sum along P's diagonal w_x = w_g·s + j·d − p.
 */
function columnProducts(tape: Tape, { x, weight, input, output, windows }: Convolution, g: string): string {
  const [batch, channels] = tape.known(x).dims as [number, number];
  const [height, width] = input as [number, number];
  const [rows, columns] = output as [number, number];
  const [kernelHeight] = windows.kernel as [number, number];
  const [stride] = windows.strides as [number, number];
  const [dilation] = windows.dilations as [number, number];
  const [top] = windows.before as [number, number];
  const { dtype } = tape.known(x);
  const xc = transpose(tape, x, [1, 0, 2, 3]);
  const gc = transpose(tape, g, [1, 0, 2, 3]);
  const found = Array.from({ length: kernelHeight }, (_, i) => {
    // Rows of g from `first` to `last` meet a row of x; the others meet padding.
    const shift = i * dilation - top;
    const first = Math.min(Math.max(0, Math.ceil(-shift / stride)), rows);
    const last = Math.max(first, Math.min(rows, Math.floor((height - 1 - shift) / stride) + 1));
    if (first === last) return zeroTaps(tape, x, channels, windows.kernel[1]!);
    const start = first * stride + shift;
    const end = start + (last - first - 1) * stride + 1;
    const seen = slice(tape, xc, [{ axis: 2, start, end, step: stride }]);
    const met = slice(tape, gc, [{ axis: 2, start: first, end: last }]);
    const depth = batch * (last - first);
    const right = reshape(tape, seen, [channels, depth, width]);
    const left = transpose(tape, reshape(tape, met, [channels, depth, columns]), [0, 2, 1]);
    const pairs = tape.emit('MatMul', [left, right], { dtype, dims: [channels, columns, width] });
    return alongDiagonals(tape, pairs, { windows, width, columns });
  });
  return reshape(tape, concat(tape, found, 1), tape.known(weight).dims);
}

const zeroTaps = (tape: Tape, like: string, channels: number, kernel: number): string =>
  tape.emit('Expand', [tape.scalar(0, tape.known(like).dtype), tape.ints([channels, 1, kernel])], {
    dtype: tape.known(like).dtype,
    dims: [channels, 1, kernel],
  });

/**
 * pairs [C, out width, width] → [C, 1, kernel width]. Padded to rows of `wide` columns, then read as rows of `wide` + stride: row r begins
 * r·stride further right, so that every diagonal has become a column.
 */
function alongDiagonals(
  tape: Tape,
  pairs: string,
  { windows, width, columns }: { windows: Convolution['windows']; width: number; columns: number },
): string {
  const [, kernel] = windows.kernel as [number, number];
  const [, stride] = windows.strides as [number, number];
  const [, dilation] = windows.dilations as [number, number];
  const [, left] = windows.before as [number, number];
  const [, right] = windows.after as [number, number];
  const [channels] = tape.known(pairs).dims as [number];
  const wide = Math.max(width + left + right, (columns - 1) * stride + dilation * (kernel - 1) + 1);
  const apart = pad(tape, pairs, [0, 0, left], [0, 0, wide - width - left]);
  const flat = pad(tape, reshape(tape, apart, [channels, columns * wide]), [0, 0], [0, columns * stride]);
  const turned = reshape(tape, flat, [channels, columns, wide + stride]);
  const cut = slice(tape, turned, [{ axis: 2, start: 0, end: dilation * (kernel - 1) + 1, step: dilation }]);
  return sum(tape, cut, [1]);
}

/** Σ g · (x as the tap sees it), one tap after the other. */
function perTap(tape: Tape, { x, weight, output, windows }: Convolution, g: string): string {
  const from = padded(tape, x, windows);
  const [, channels] = tape.known(x).dims as [number, number];
  const axes = tape.known(x).dims.flatMap((_, i) => (i === 1 ? [] : [i]));
  const found = taps(windows.kernel).map((tap) =>
    reshape(tape, sum(tape, mul(tape, tapOf(tape, from, tap, output, windows), g), axes, false), [channels, 1]),
  );
  return reshape(tape, concat(tape, found, 1), tape.known(weight).dims);
}
