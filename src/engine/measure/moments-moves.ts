// Moments through operators that only move, split or join values.
import { readInt, readIntList } from '../graph/edit';
import type { Step } from './moments-rules';
import { type Moments, pooled } from './moments-values';

/** Along the axis of the channels one after another; along any other, what they are on the whole. */
export function concatenated({ node, known, shapes }: Step): Moments | null {
  const parts = node.inputs.map((name) => known.get(name));
  const rank = shapes.get(node.outputs[0]!)?.shape?.length;
  if (rank === undefined || !parts.every((part) => part !== undefined)) return null;
  const along = readInt(node, 'axis', 0);
  const axis = along < 0 ? along + rank : along;
  if (!parts.every((part) => part.axis === axis)) return pooled(parts);
  const all = (pick: (part: Moments) => Float64Array) => Float64Array.from(parts.flatMap((part) => [...pick(part)]));
  return {
    axis,
    mean: all(({ mean }) => mean),
    variance: all(({ variance }) => variance),
    low: all(({ low }) => low),
    high: all(({ high }) => high),
  };
}

export function turned({ node, shapes }: Step, given: Moments): Moments | null {
  const rank = shapes.get(node.inputs[0]!)?.shape?.length;
  if (given.axis === null) return given;
  if (rank === undefined) return pooled([given]);
  const perm = readIntList(node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  return { ...given, axis: perm.indexOf(given.axis) };
}

/** Index i along the axis found behind the reshape is of channel ⌊i / inner⌋ mod channels; without such an axis, all are pooled. */
export function reshaped(
  given: Moments,
  before: readonly unknown[] | null | undefined,
  after: readonly unknown[] | null | undefined,
): Moments | null {
  if (given.axis === null) return given;
  if (!before || !after) return pooled([given]);
  const stride = (shape: readonly unknown[], axis: number): number =>
    shape.slice(axis + 1).reduce<number>((product, dim) => (typeof dim === 'number' ? product * dim : Number.NaN), 1);
  const channels = given.mean.length;
  const period = stride(before, given.axis);
  for (let axis = after.length - 1; axis >= 0; axis--) {
    const dim = after[axis];
    const inner = period / stride(after, axis);
    if (typeof dim !== 'number' || !Number.isInteger(inner) || dim % (inner * channels) !== 0) continue;
    const grown = (values: Float64Array) =>
      Float64Array.from({ length: dim }, (_, i) => values[Math.floor(i / inner) % channels]!);
    return {
      axis,
      mean: grown(given.mean),
      variance: grown(given.variance),
      low: grown(given.low),
      high: grown(given.high),
    };
  }
  return pooled([given]);
}
