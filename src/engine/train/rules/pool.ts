// Gradients of pools.

import { refuse } from '../../../contract/words/refusal';
import { readInt } from '../../graph/edit';
import { elementCount, type Node } from '../../graph/graph';
import { cast, compare, div, expand, mul, reshape, scaled, sum } from '../emit';
import type { Rule, Tape } from '../tape';
import { spread, upsampled } from './spread';
import { allEqual, type Windows, windowsOf } from './windows';

const poolWindows = (tape: Tape, node: Node): Windows =>
  windowsOf(node, tape.known(node.inputs[0]!).dims.slice(2), tape.known(node.outputs[0]!).dims.slice(2));

/** Windows that lie side by side and cover the input exactly. */
function areTiles({ kernel, strides, dilations, before, after }: Windows, input: readonly number[]): boolean {
  return (
    kernel.every((size, i) => size === strides[i] && input[i]! % size === 0) &&
    allEqual(dilations, 1) &&
    allEqual([...before, ...after], 0)
  );
}

/** y = max: g goes to the largest element of each window; among equal ones of a tile it is shared, elsewhere the first takes it. */
export const maxPool: Rule = (tape, node, [g]) => {
  const [x] = node.inputs as [string];
  const windows = poolWindows(tape, node);
  const { dims } = tape.known(x);
  // The runtime's MaxPool that also gives indices is its slow one.
  if (dims.length === 4 && !node.outputs[1] && areTiles(windows, dims.slice(2)))
    return [toLargest(tape, { x, y: node.outputs[0]!, g: g!, windows })];
  if (readInt(node, 'storage_order', 0) === 1)
    refuse('unsupported', 'A MaxPool that counts its indices column by column has no gradient rule.');
  return [byIndices(tape, node, g!)];
};

interface Tiles {
  readonly x: string;
  readonly y: string;
  readonly g: string;
  readonly windows: Windows;
}

function toLargest(tape: Tape, { x, y, g, windows }: Tiles): string {
  const { dtype } = tape.known(x);
  const isLargest = cast(tape, compare(tape, 'Equal', x, upsampled(tape, y, windows.kernel)), dtype);
  const size = elementCount(windows.kernel);
  const share = tape.emit('AveragePool', [isLargest], tape.known(y), {
    kernel_shape: windows.kernel,
    strides: windows.strides,
  });
  // g / (how many are largest): their share of the window times its size.
  const shared = div(tape, scaled(tape, g, 1 / size), share);
  return mul(tape, isLargest, upsampled(tape, shared, windows.kernel));
}

/** ONNX counts the indices through the whole tensor. */
function byIndices(tape: Tape, node: Node, g: string): string {
  const [x] = node.inputs as [string];
  const { dtype, dims } = tape.known(x);
  const made = tape.known(node.outputs[0]!);
  const indices = tape.output(node, 1, { dtype: 'int64', dims: made.dims });
  const count = elementCount(made.dims);
  const blank = tape.emit('Expand', [tape.scalar(0, dtype), tape.ints([elementCount(dims)])], {
    dtype,
    dims: [elementCount(dims)],
  });
  const set = tape.emit(
    'ScatterElements',
    [blank, reshape(tape, indices, [count]), reshape(tape, g, [count])],
    { dtype, dims: [elementCount(dims)] },
    { axis: 0, reduction: 'add' },
  );
  return reshape(tape, set, dims);
}

/** y = mean of each window: g / count to each of its elements. */
export const averagePool: Rule = (tape, node, [g]) => {
  const [x] = node.inputs as [string];
  const windows = poolWindows(tape, node);
  const input = tape.known(x).dims.slice(2);
  const size = elementCount(windows.kernel);
  if (tape.known(x).dims.length === 4 && areTiles(windows, input))
    return [upsampled(tape, scaled(tape, g!, 1 / size), windows.kernel)];
  const counts = windowCounts(
    windows,
    input,
    tape.known(g!).dims.slice(2),
    readInt(node, 'count_include_pad', 0) === 1,
  );
  const { dtype } = tape.known(x);
  const shares = allEqual(counts.values, counts.values[0]!)
    ? scaled(tape, g!, 1 / counts.values[0]!)
    : mul(
        tape,
        g!,
        tape.floats(
          counts.dims,
          counts.values.map((count) => 1 / count),
          dtype,
        ),
      );
  return [spread(tape, shares, windows, tape.known(x))];
};

/** How many elements each window divides by: those on the input, or those on input and pads. */
function windowCounts(
  { kernel, strides, dilations, before, after }: Windows,
  input: readonly number[],
  output: readonly number[],
  countsPads: boolean,
): { dims: number[]; values: number[] } {
  const perAxis = kernel.map((size, axis) =>
    Array.from({ length: output[axis]! }, (_, window) => {
      const start = window * strides[axis]! - before[axis]!;
      const [low, high] = countsPads ? [-before[axis]!, input[axis]! + after[axis]!] : [0, input[axis]!];
      let count = 0;
      for (let tap = 0; tap < size; tap++) {
        const at = start + tap * dilations[axis]!;
        if (at >= low && at < high) count++;
      }
      return count;
    }),
  );
  const values = perAxis.reduce<number[]>((all, axis) => all.flatMap((one) => axis.map((count) => one * count)), [1]);
  return { dims: [1, 1, ...output], values };
}

/** y = mean over all positions: g / count to each. */
export const globalAveragePool: Rule = (tape, { inputs: [x] }, [g]) => {
  const { dims } = tape.known(x!);
  return [expand(tape, scaled(tape, g!, 1 / elementCount(dims.slice(2))), dims)];
};

/** y = max over all positions: g to the largest, shared among equal ones. */
export const globalMaxPool: Rule = (tape, { inputs: [x], outputs: [y] }, [g]) => {
  const { dtype, dims } = tape.known(x!);
  const isLargest = cast(tape, compare(tape, 'Equal', x!, y!), dtype);
  const count = sum(tape, isLargest, dims.map((_, i) => i).slice(2));
  return [mul(tape, isLargest, div(tape, g!, count))];
};
