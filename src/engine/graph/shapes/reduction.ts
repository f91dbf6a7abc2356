// Operators that fold axes away: Reduce*, ArgMax, global pooling.
import { readInt } from '../edit';
import type { DataType } from '../graph';
import { axisOf, type Call, type Known, known, numbers, product, type Rule } from './known';
import { axesOf } from './movement';

const reduce =
  (compute?: (values: readonly number[]) => number | null): Rule =>
  (call) => {
    const { dtype, shape, values } = call.in(0);
    if (!shape) return known(dtype, null);
    const keep = readInt(call.node, 'keepdims', 1) !== 0;
    const axes = axesOf(call, 1);
    if (!axes && call.has(1)) return known(dtype, keep ? shape.map(() => null) : null);
    if ((!axes || axes.length === 0) && readInt(call.node, 'noop_with_empty_axes', 0))
      return known(dtype, shape, values);
    const gone = new Set(
      axes && axes.length > 0 ? axes.map((axis) => axisOf(axis, shape.length)) : shape.map((_, i) => i),
    );
    const elements = numbers(values);
    const folded = compute && elements && shape.length === 1 ? [compute(elements)] : undefined;
    const result = shape.flatMap((dim, i) => (gone.has(i) ? (keep ? [1] : []) : [dim]));
    return known(dtype, result, folded);
  };

const arg: Rule = (call) => {
  const { shape } = call.in(0);
  if (!shape) return known('int64', null);
  const axis = axisOf(readInt(call.node, 'axis', 0), shape.length);
  const keep = readInt(call.node, 'keepdims', 1) !== 0;
  return known(
    'int64',
    shape.flatMap((dim, i) => (i === axis ? (keep ? [1] : []) : [dim])),
  );
};

const globalPool: Rule = (call: Call): Known => {
  const { dtype, shape } = call.in(0);
  return known(dtype, shape ? shape.map((dim, i) => (i < 2 ? dim : 1)) : null);
};

const loss: Rule = (call) => {
  const dtype: DataType | null = call.in(0).dtype;
  const attribute = call.node.attributes.get('reduction');
  const isNone = attribute?.type === 'string' && new TextDecoder().decode(attribute.value) === 'none';
  return [known(dtype, isNone ? call.in(1).shape : []), known(dtype, call.in(0).shape)];
};

export const reduction: Record<string, Rule> = {
  ArgMax: arg,
  ArgMin: arg,
  Det: (call) => known(call.in(0).dtype, call.in(0).shape?.slice(0, -2) ?? null),
  GlobalAveragePool: globalPool,
  GlobalLpPool: globalPool,
  GlobalMaxPool: globalPool,
  NegativeLogLikelihoodLoss: loss,
  ReduceL1: reduce(),
  ReduceL2: reduce(),
  ReduceLogSum: reduce(),
  ReduceLogSumExp: reduce(),
  ReduceMax: reduce((values) => Math.max(...values)),
  ReduceMean: reduce(),
  ReduceMin: reduce((values) => Math.min(...values)),
  ReduceProd: reduce((values) => product(values) as number),
  ReduceSum: reduce((values) => values.reduce((a, b) => a + b, 0)),
  ReduceSumSquare: reduce(),
  SoftmaxCrossEntropyLoss: loss,
};
