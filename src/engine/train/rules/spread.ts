// One value per window back onto everything the window lay on.
import { elementCount } from '../../graph/graph';
import { filled, reshape } from '../emit';
import type { Known, Tape } from '../tape';
import { reach, type Windows } from './windows';

/** Each element of x [N, C, H, W] repeated over a tile of this size. */
export function upsampled(tape: Tape, x: string, tile: readonly number[]): string {
  const { dtype, dims } = tape.known(x);
  return tape.emit(
    'Resize',
    [x, '', tape.floats([4], [1, 1, ...tile])],
    { dtype, dims: [dims[0]!, dims[1]!, dims[2]! * tile[0]!, dims[3]! * tile[1]!] },
    { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
  );
}

/** Sums, for every element of `to` [N, C, in…], the values of the windows it lies in: a transposed convolution with ones. */
export function spread(tape: Tape, values: string, windows: Windows, to: Known): string {
  const { kernel, strides, dilations, before } = windows;
  const output = tape.known(values).dims.slice(2);
  const input = to.dims.slice(2);
  const planes = elementCount(to.dims.slice(0, 2));
  // Windows of a pool that rounds up hang over the end.
  const over = input.map(
    (size, i) => (output[i]! - 1) * strides[i]! + reach(kernel[i]!, dilations[i]!) - size - before[i]!,
  );
  const ones = filled(tape, 1, to.dtype, [1, 1, ...kernel]);
  const back = tape.emit(
    'ConvTranspose',
    [reshape(tape, values, [planes, 1, ...output]), ones],
    { dtype: to.dtype, dims: [planes, 1, ...input] },
    {
      kernel_shape: kernel,
      strides,
      dilations,
      pads: [...before, ...over.map((size) => Math.max(0, size))],
      output_padding: over.map((size) => Math.max(0, -size)),
    },
  );
  return reshape(tape, back, to.dims);
}
