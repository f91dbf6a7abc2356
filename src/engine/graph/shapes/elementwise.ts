// Operators that work element by element, with broadcasting; on small integers they are computed.
import { readInt } from '../edit';
import { type DataType, type Dim, dataTypes } from '../graph';
import { add, broadcast, type Call, divide, type Known, known, multiply, numbers, type Rule } from './known';

const same: Rule = (call) => known(call.in(0).dtype, call.in(0).shape);

/** One input, computed on known elements. */
const unary =
  (compute: (x: number) => number): Rule =>
  (call) => {
    const { dtype, shape, values } = call.in(0);
    return known(
      dtype,
      shape,
      values?.map((x) => (typeof x === 'number' ? compute(x) : null)),
    );
  };

const broadcasting =
  (compute?: (a: Dim, b: Dim, dtype: DataType | null) => Dim, output?: DataType): Rule =>
  (call) => {
    const operands = call.node.inputs.map((_, i) => call.in(i));
    const shape = broadcast(operands.map((operand) => operand.shape));
    const dtype = operands.find((operand) => operand.dtype)?.dtype ?? null;
    const values = compute ? fold(operands, shape, (a, b) => compute(a, b, dtype)) : undefined;
    return known(output ?? dtype, shape, values);
  };

/** Elements of a broadcast operation; only scalars and vectors occur where shapes are computed. */
function fold(
  operands: readonly Known[],
  shape: readonly Dim[] | null,
  compute: (a: Dim, b: Dim) => Dim,
): Dim[] | undefined {
  const [first, ...rest] = operands;
  if (!first?.values || !shape || shape.length > 1) return undefined;
  let result = [...first.values];
  for (const { values } of rest) {
    if (!values || values.length === 0 || result.length === 0) return undefined;
    const length = Math.max(result.length, values.length);
    const left = result;
    result = Array.from({ length }, (_, i) => compute(left[i % left.length]!, values[i % values.length]!));
  }
  return result;
}

const isInteger = (dtype: DataType | null): boolean => dtype !== null && /^u?int/.test(dtype);
const both =
  (compute: (a: number, b: number) => number) =>
  (a: Dim, b: Dim): Dim =>
    typeof a === 'number' && typeof b === 'number' ? compute(a, b) : null;
const compare = (compute: (a: number, b: number) => boolean) =>
  broadcasting(
    both((a, b) => Number(compute(a, b))),
    'bool',
  );
const logical = (compute: (a: boolean, b: boolean) => boolean) =>
  broadcasting(
    both((a, b) => Number(compute(a !== 0, b !== 0))),
    'bool',
  );

function cast(call: Call): Known {
  const { shape, values } = call.in(0);
  const code = readInt(call.node, 'to', 0);
  const entry = Object.entries(dataTypes).find(([, { onnx }]) => onnx === code);
  const dtype = (entry?.[0] ?? null) as DataType | null;
  return convert(dtype, shape, values);
}

function convert(dtype: DataType | null, shape: readonly Dim[] | null, values: readonly Dim[] | undefined): Known {
  if (isInteger(dtype))
    return known(
      dtype,
      shape,
      values?.map((x) => (typeof x === 'number' ? Math.trunc(x) : x)),
    );
  if (dtype === 'bool')
    return known(
      dtype,
      shape,
      values?.map((x) => (typeof x === 'number' ? Number(x !== 0) : null)),
    );
  return known(dtype, shape, values);
}

function where(call: Call): Known {
  const [condition, yes, no] = [call.in(0), call.in(1), call.in(2)];
  const shape = broadcast([condition.shape, yes.shape, no.shape]);
  const flags = numbers(condition.values);
  const length = Math.max(flags?.length ?? 0, yes.values?.length ?? 0, no.values?.length ?? 0);
  const values =
    flags?.length && yes.values?.length && no.values?.length && shape && shape.length < 2
      ? Array.from({ length }, (_, i) => {
          const side = flags[i % flags.length] ? yes.values! : no.values!;
          return side[i % side.length]!;
        })
      : undefined;
  return known(yes.dtype ?? no.dtype, shape, values);
}

const integerDivision = (a: Dim, b: Dim, dtype: DataType | null): Dim =>
  isInteger(dtype) ? divide(a, b, Math.trunc) : divide(a, b, (x) => x);
const symmetric =
  (compute: (a: number, b: number) => number) =>
  (a: Dim, b: Dim): Dim =>
    a === b ? a : both(compute)(a, b);
const binary: Rule = broadcasting();

export const elementwise: Record<string, Rule> = {
  ...Object.fromEntries(
    (
      'Acos Acosh Asin Asinh Atan Atanh BitwiseNot Celu Clip Cos Cosh CumProd CumSum Elu Erf Exp Gelu HardSigmoid HardSwish Hardmax ' +
      'LRN LeakyRelu Log LogSoftmax LpNormalization MeanVarianceNormalization Mish Reciprocal Relu Round Selu Shrink Sigmoid ' +
      'Sign Sin Sinh Softmax Softplus Softsign Swish Tan Tanh ThresholdedRelu Trilu'
    )
      .split(' ')
      .map((op) => [op, same]),
  ),
  Abs: unary(Math.abs),
  Ceil: unary(Math.ceil),
  Floor: unary(Math.floor),
  Identity: (call) => call.in(0),
  Neg: unary((x) => -x),
  Not: unary((x) => Number(x === 0)),
  Sqrt: unary(Math.sqrt),
  IsInf: (call) => known('bool', call.in(0).shape),
  IsNaN: (call) => known('bool', call.in(0).shape),
  Add: broadcasting(add),
  And: logical((a, b) => a && b),
  BitShift: binary,
  BitwiseAnd: binary,
  BitwiseOr: binary,
  BitwiseXor: binary,
  Cast: cast,
  CastLike: (call) => convert(call.in(1).dtype, call.in(0).shape, call.in(0).values),
  Div: broadcasting(integerDivision),
  Dropout: (call) => [known(call.in(0).dtype, call.in(0).shape, call.in(0).values), known('bool', call.in(0).shape)],
  Bernoulli: same,
  Equal: broadcasting((a, b) => (a === null || b === null ? null : a === b ? 1 : both(() => 0)(a, b)), 'bool'),
  Greater: compare((a, b) => a > b),
  GreaterOrEqual: compare((a, b) => a >= b),
  Less: compare((a, b) => a < b),
  LessOrEqual: compare((a, b) => a <= b),
  Max: broadcasting(symmetric(Math.max)),
  Mean: binary,
  Min: broadcasting(symmetric(Math.min)),
  Mod: broadcasting(both((a, b) => a - b * Math.floor(a / b))),
  Mul: broadcasting(multiply),
  Or: logical((a, b) => a || b),
  PRelu: same,
  Pow: (call) => known(call.in(0).dtype, broadcast([call.in(0).shape, call.in(1).shape])),
  Sub: broadcasting((a, b) => (a !== null && a === b ? 0 : typeof b === 'number' ? add(a, -b) : null)),
  Sum: broadcasting(add),
  Where: where,
  Xor: logical((a, b) => a !== b),
};
