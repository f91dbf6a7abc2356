// Gradients of ConvTranspose: a convolution seen from its other side.
import { readInt, readIntList, readString } from '../../graph/edit';
import type { Node } from '../../graph/graph';
import type { Rule } from '../tape';
import { channelSum, weightGradient } from './conv';
import { reach, type Windows } from './windows';

/** x [N, C, in…], W [C, M/G, kernel…], y [N, M, out…]: ∂x = g ∗ W, ∂W = g correlated with x, ∂b = Σg. */
export const convTranspose: Rule = (tape, node, [g]) => {
  const [x, weight, bias] = node.inputs as [string, string, string | undefined];
  const groups = readInt(node, 'group', 1);
  const input = tape.known(x).dims.slice(2);
  const output = tape.known(g!).dims.slice(2);
  const windows = transposedWindows(node, input, output, tape.known(weight).dims.slice(2));
  const { kernel, strides, dilations, before, after } = windows;
  const back = { group: groups, kernel_shape: kernel, strides, dilations, pads: [...before, ...after] };
  // Seen from y, x has one element per window.
  const turned = { x: g!, weight, groups, input: output, output: input, windows };
  return [
    tape.wants(x) ? tape.emit('Conv', [g!, weight], tape.known(x), back) : null,
    tape.wants(weight) ? weightGradient(tape, turned, x) : null,
    tape.wants(bias) ? channelSum(tape, g!) : null,
  ];
};

/** Pads follow from the sizes where the node gives an output shape or an auto_pad; the runtime rounds as written here. */
function transposedWindows(
  node: Node,
  input: readonly number[],
  output: readonly number[],
  kernelDims: readonly number[],
): Windows {
  const ones = input.map(() => 1);
  const kernel = readIntList(node, 'kernel_shape') ?? kernelDims;
  const strides = readIntList(node, 'strides') ?? ones;
  const dilations = readIntList(node, 'dilations') ?? ones;
  const mode = readString(node, 'auto_pad', 'NOTSET');
  const pads = readIntList(node, 'pads');
  const rank = input.length;
  if (mode === 'NOTSET' && !readIntList(node, 'output_shape'))
    return {
      ...{ kernel, strides, dilations },
      before: pads?.slice(0, rank) ?? input.map(() => 0),
      after: pads?.slice(rank) ?? input.map(() => 0),
    };
  const extra = readIntList(node, 'output_padding') ?? input.map(() => 0);
  const totals = input.map((size, i) =>
    Math.max(0, (size - 1) * strides[i]! + extra[i]! + reach(kernel[i]!, dilations[i]!) - output[i]!),
  );
  const less = totals.map((total) => Math.floor(total / 2));
  const more = totals.map((total, i) => total - less[i]!);
  const isUpper = mode === 'SAME_UPPER';
  return { kernel, strides, dilations, before: isUpper ? less : more, after: isUpper ? more : less };
}
