// How the windows of convolutions and pools lie over their input: kernel, strides, dilations and pads, whichever way the node says them.
import { readIntList, readString } from '../../graph/edit';
import type { Node } from '../../graph/graph';

/** One number per spatial axis each. */
export interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Pads before and after; negative ones do not occur. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Elements a dilated kernel reaches over. */
export const reach = (kernel: number, dilation: number): number => dilation * (kernel - 1) + 1;

/** `input`, `output`: spatial sizes on the side the windows lie on and on the side with one element per window. */
export function windowsOf(
  node: Node,
  input: readonly number[],
  output: readonly number[],
  kernelDims?: readonly number[],
): Windows {
  const ones = input.map(() => 1);
  const kernel = readIntList(node, 'kernel_shape') ?? kernelDims ?? ones;
  const strides = readIntList(node, 'strides') ?? ones;
  const dilations = readIntList(node, 'dilations') ?? ones;
  const mode = readString(node, 'auto_pad', 'NOTSET');
  if (mode === 'SAME_UPPER' || mode === 'SAME_LOWER') {
    const totals = input.map((size, i) =>
      Math.max((output[i]! - 1) * strides[i]! + reach(kernel[i]!, dilations[i]!) - size, 0),
    );
    const less = totals.map((total) => Math.floor(total / 2));
    const more = totals.map((total, i) => total - less[i]!);
    const isUpper = mode === 'SAME_UPPER';
    return { kernel, strides, dilations, before: isUpper ? less : more, after: isUpper ? more : less };
  }
  const pads = mode === 'VALID' ? null : readIntList(node, 'pads');
  const rank = input.length;
  return {
    kernel,
    strides,
    dilations,
    before: pads?.slice(0, rank) ?? input.map(() => 0),
    after: pads?.slice(rank) ?? input.map(() => 0),
  };
}

export const allEqual = (values: readonly number[], to: number): boolean => values.every((value) => value === to);
