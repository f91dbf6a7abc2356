// Gradients of Conv: each shape class has the lowering that was measured fastest for it.
import { readInt } from '../../graph/edit';
import { elementCount, type Node } from '../../graph/graph';
import { matMul, reshape, sum, swapLast, transpose } from '../emit';
import type { Rule, Tape } from '../tape';
import { depthwiseWeight } from './conv-depthwise';
import { concat, padded, slice } from './slices';
import { allEqual, reach, type Windows, windowsOf } from './windows';
import { tapOf, taps } from './windows-seen';

/** x [N, C, in…], weight [M, C/G, kernel…], y [N, M, out…]. */
export interface Convolution {
  readonly x: string;
  readonly weight: string;
  readonly groups: number;
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly windows: Windows;
}

// Below so many channels a matrix product per tap is too thin, and convolving x with g as the kernel is faster.
const fewChannels = 16;

// From so many weights for each element of data on, one product for the whole batch reads them once (measured).
const heavy = 4;

/** y = x ∗ W + b: ∂x = g convolved back, ∂W = x correlated with g, ∂b = Σg. */
export const conv: Rule = (tape, node, [g]) => {
  const [x, weight, bias] = node.inputs as [string, string, string | undefined];
  const one = convolutionOf(tape, node, x, weight, tape.known(g!).dims);
  return [
    tape.wants(x) ? inputGradient(tape, one, g!) : null,
    tape.wants(weight) ? weightGradient(tape, one, g!) : null,
    tape.wants(bias) ? channelSum(tape, g!) : null,
  ];
};

function convolutionOf(tape: Tape, node: Node, x: string, weight: string, y: readonly number[]): Convolution {
  const input = tape.known(x).dims.slice(2);
  const output = y.slice(2);
  const windows = windowsOf(node, input, output, tape.known(weight).dims.slice(2));
  return { x, weight, groups: readInt(node, 'group', 1), input, output, windows };
}

/** Σ over everything but the channels: [C]. */
export function channelSum(tape: Tape, g: string): string {
  const { dims } = tape.known(g);
  return sum(
    tape,
    g,
    dims.flatMap((_, i) => (i === 1 ? [] : [i])),
    false,
  );
}

/** The gradient with respect to x. */
export function inputGradient(tape: Tape, one: Convolution, g: string): string {
  const { x, weight, groups, input, output, windows } = one;
  const { kernel, strides, dilations, before, after } = windows;
  const full = kernel.map((size, i) => reach(size, dilations[i]!) - 1);
  // What the last window leaves over at the end: less than a stride.
  const left = input.map((size, i) => size - ((output[i]! - 1) * strides[i]! - before[i]! - after[i]! + full[i]! + 1));
  const isHeavy = elementCount(tape.known(weight).dims) > heavy * elementCount(tape.known(x).dims);
  if (isHeavy && groups === 1 && kernel.length === 2) return fromColumns(tape, one, g);
  const fits = allEqual(strides, 1) && full.every((size, i) => size >= before[i]! && size >= after[i]!);
  if (!fits)
    return tape.emit('ConvTranspose', [g, weight], tape.known(x), {
      group: groups,
      kernel_shape: kernel,
      strides,
      dilations,
      pads: [...before, ...after],
      output_padding: left,
    });
  return tape.emit('Conv', [g, turned(tape, weight, groups)], tape.known(x), {
    group: groups,
    kernel_shape: kernel,
    dilations,
    pads: [...full.map((size, i) => size - before[i]!), ...full.map((size, i) => size - after[i]!)],
  });
}

/** Wᵀ [C·kernel, M] · g [M, N·out] makes the columns of every sample, which are then laid over each other. Groups of one, two axes. */
function fromColumns(tape: Tape, { x, weight, input, output, windows }: Convolution, g: string): string {
  const [outs, ins, ...kernel] = tape.known(weight).dims as [number, number, ...number[]];
  const [batch] = tape.known(x).dims as [number];
  const size = ins * elementCount(kernel);
  const length = elementCount(output);
  const rows = reshape(tape, transpose(tape, g, [1, 0, 2, 3]), [outs, batch * length]);
  const columns = matMul(tape, transpose(tape, reshape(tape, weight, [outs, size]), [1, 0]), rows);
  const bySample = transpose(tape, reshape(tape, columns, [size, batch, length]), [1, 0, 2]);
  const { strides, dilations, before, after } = windows;
  return tape.emit('Col2Im', [bySample, tape.ints(input), tape.ints(kernel)], tape.known(x), {
    ...{ strides, dilations },
    pads: [...before, ...after],
  });
}

/** The kernel that convolves back: [M, C/G, k…] → [C, M/G, k…], every spatial axis reversed. */
function turned(tape: Tape, weight: string, groups: number): string {
  const { dims } = tape.known(weight);
  const [outs, ins, ...kernel] = dims as [number, number, ...number[]];
  const spatial = kernel.map((_, i) => i + 3);
  const grouped = reshape(tape, weight, [groups, outs / groups, ins, ...kernel]);
  const swapped = outs === groups || ins === 1 ? grouped : transpose(tape, grouped, [0, 2, 1, ...spatial]);
  const back = reshape(tape, swapped, [groups * ins, outs / groups, ...kernel]);
  const axes = kernel.flatMap((size, i) => (size > 1 ? [i + 2] : []));
  if (axes.length === 0) return back;
  const ends = axes.map(() => -(2 ** 31));
  return tape.emit(
    'Slice',
    [back, tape.ints(axes.map(() => -1)), tape.ints(ends), tape.ints(axes), tape.ints(axes.map(() => -1))],
    tape.known(back),
  );
}

/** The gradient with respect to the weight. */
export function weightGradient(tape: Tape, one: Convolution, g: string): string {
  const { weight, groups, windows } = one;
  const [outs, ins] = tape.known(weight).dims as [number, number];
  if (ins === 1 && groups > 1 && outs === groups) return depthwiseWeight(tape, one, g);
  const isPointwise = elementCount(windows.kernel) === 1;
  if (groups === 1 && ins < fewChannels && !isPointwise) return transposedConvolution(tape, one, g);
  return productPerTap(tape, one, g);
}

/**
 * For every tap the product of g with x as that tap sees it: large matrix products, no im2col. Sample by sample, then summed; or where the
 * products are larger than what they are made of, with the samples side by side as one long axis.
 */
function productPerTap(tape: Tape, { x, weight, groups, output, windows }: Convolution, g: string): string {
  const { dims: weightDims } = tape.known(weight);
  const [outs, ins, ...kernel] = weightDims as [number, number, ...number[]];
  const [batch] = tape.known(x).dims as [number];
  const length = elementCount(output);
  const isFolded = elementCount(kernel) * outs * ins > (outs + ins * groups) * length;
  const byChannel = [1, 0, ...kernel.map((_, i) => i + 2)];
  const folded = (value: string): string => (isFolded ? transpose(tape, value, byChannel) : value);
  const lead = [...(isFolded ? [] : [batch]), ...(groups === 1 ? [] : [groups])];
  const long = isFolded ? batch * length : length;
  const rows = reshape(tape, folded(g), [...lead, outs / groups, long]);
  const from = padded(tape, folded(x), windows);
  const found = taps(kernel).map((tap) => {
    const seen = reshape(tape, tapOf(tape, from, tap, output, windows), [...lead, ins, long]);
    const each = matMul(tape, rows, swapLast(tape, seen));
    return reshape(tape, isFolded ? each : sum(tape, each, [0], false), [outs, ins, 1]);
  });
  if (found.length === 1) return reshape(tape, found[0]!, weightDims);
  return reshape(tape, concat(tape, found, 2), weightDims);
}

/** xᵀ [C, N, in…] convolved with gᵀ [M, N, out…] as the kernel: strides and dilations change places. Groups of one. */
function transposedConvolution(tape: Tape, one: Convolution, g: string): string {
  const { x, weight, input, output, windows } = one;
  const { strides, dilations, before, after } = windows;
  const { dtype, dims: weightDims } = tape.known(weight);
  const [outs, ins, ...kernel] = weightDims as [number, number, ...number[]];
  const spatial = kernel.map((_, i) => i + 2);
  const swap = [1, 0, ...spatial];
  const made = input.map(
    (size, i) => Math.floor((size + before[i]! + after[i]! - strides[i]! * (output[i]! - 1) - 1) / dilations[i]!) + 1,
  );
  const all = tape.emit(
    'Conv',
    [transpose(tape, x, swap), transpose(tape, g, swap)],
    { dtype, dims: [ins, outs, ...made] },
    { kernel_shape: output, strides: dilations, dilations: strides, pads: [...before, ...after] },
  );
  const cut = slice(
    tape,
    all,
    kernel.flatMap((size, i) => (made[i] === size ? [] : [{ axis: i + 2, start: 0, end: size, step: 1 }])),
  );
  return transpose(tape, cut, swap);
}
