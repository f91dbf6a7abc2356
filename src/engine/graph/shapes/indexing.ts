// Operators that pick elements by index, and those that make tensors from shapes.
import { readInt } from '../edit';
import { type DataType, type Dim, dataTypes, elementCount } from '../graph';
import { axisOf, type Call, type Known, known, numbers, openShape, product, type Rule, replaceAt } from './known';

const sameAs =
  (index: number): Rule =>
  (call) =>
    known(call.in(index).dtype, call.in(index).shape);

function gather(call: Call): Known {
  const { dtype, shape, values } = call.in(0);
  const indices = call.in(1);
  if (!shape || !indices.shape) return known(dtype, null);
  const axis = axisOf(readInt(call.node, 'axis', 0), shape.length);
  if (axis === null) return known(dtype, null);
  const picks = numbers(indices.values);
  const picked =
    values && picks && shape.length === 1 && indices.shape.length < 2
      ? picks.map((i) => values.at(i) ?? null)
      : undefined;
  return known(dtype, [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)], picked);
}

function gatherND(call: Call): Known {
  const { dtype, shape } = call.in(0);
  const indices = call.in(1).shape;
  const depth = indices?.at(-1);
  if (!shape || !indices || typeof depth !== 'number') return known(dtype, null);
  const batch = readInt(call.node, 'batch_dims', 0);
  return known(dtype, [...indices.slice(0, -1), ...shape.slice(batch + depth)]);
}

function shapeOf(call: Call): Known {
  const { shape } = call.in(0);
  if (!shape) return known('int64', [null]);
  const bound = (at: number): number => Math.min(Math.max(at < 0 ? at + shape.length : at, 0), shape.length);
  const part = shape.slice(bound(readInt(call.node, 'start', 0)), bound(readInt(call.node, 'end', shape.length)));
  return known('int64', [part.length], part);
}

function size(call: Call): Known {
  const { shape } = call.in(0);
  return known('int64', [], [shape ? product(shape) : null]);
}

function constantOfShape(call: Call): Known {
  const attribute = call.node.attributes.get('value');
  const tensor = attribute?.type === 'tensor' ? attribute.value : null;
  const dims = call.in(0).values;
  const shape = dims ?? openShape(call.in(0).shape?.[0]);
  const count = dims && dims.length < 2 ? product(dims) : null;
  // Only the default fill of zero is known without reading the tensor; ones are read by `constants`.
  const fill = tensor ? call.in(-1).values?.[0] : 0;
  const values =
    typeof count === 'number' && count <= 256 && fill !== undefined
      ? Array.from({ length: count }, () => fill)
      : undefined;
  return known(tensor?.dtype ?? 'float32', shape, values);
}

function range(call: Call): Known {
  const [start, limit, delta] = [0, 1, 2].map((i) => call.in(i).values?.[0] ?? null);
  const { dtype } = call.in(0);
  if (typeof start === 'number' && typeof limit === 'number' && typeof delta === 'number' && delta !== 0) {
    const count = Math.max(0, Math.ceil((limit - start) / delta));
    return known(dtype, [count], count <= 256 ? Array.from({ length: count }, (_, i) => start + i * delta) : undefined);
  }
  return known(dtype, [start === 0 && delta === 1 ? (limit ?? null) : null]);
}

function topK(call: Call): readonly Known[] {
  const { dtype, shape } = call.in(0);
  const axis = shape ? axisOf(readInt(call.node, 'axis', -1), shape.length) : null;
  const k: Dim = call.node.attributes.has('k') ? readInt(call.node, 'k', 0) : (call.in(1).values?.[0] ?? null);
  const result = shape && axis !== null ? replaceAt(shape, axis, k) : null;
  return [known(dtype, result), known('int64', result)];
}

function oneHot(call: Call): Known {
  const { shape } = call.in(0);
  const depth = call.in(1).values?.[0] ?? null;
  if (!shape) return known(call.in(2).dtype, null);
  const axis = axisOf(readInt(call.node, 'axis', -1), shape.length + 1) ?? shape.length;
  return known(call.in(2).dtype, [...shape.slice(0, axis), depth, ...shape.slice(axis)]);
}

function constant(call: Call): Known {
  for (const [name, attribute] of call.node.attributes) {
    if (attribute.type === 'tensor') {
      const { dtype, dims } = attribute.value;
      return known(dtype, dims, elementCount(dims) === 0 ? [] : call.in(-1).values);
    }
    if (attribute.type === 'int') return known('int64', [], [Number(attribute.value)]);
    if (attribute.type === 'ints') return known('int64', [attribute.value.length], attribute.value.map(Number));
    if (attribute.type === 'float') return known('float32', [], [attribute.value]);
    if (attribute.type === 'floats') return known('float32', [attribute.value.length], attribute.value);
    if (attribute.type === 'sparse') return known(attribute.value.values.dtype, attribute.value.dims);
    if (name === 'value_string') return known('string', []);
    if (attribute.type === 'strings') return known('string', [attribute.value.length]);
  }
  return known(null, null);
}

const typed = (call: Call, attribute: string, fallback: DataType | null): DataType | null => {
  const code = readInt(call.node, attribute, 0);
  const entry = Object.entries(dataTypes).find(([, { onnx }]) => onnx === code);
  return (entry?.[0] as DataType | undefined) ?? fallback;
};

const randomShape: Rule = (call) => {
  const shape = call.node.attributes.get('shape');
  return known(typed(call, 'dtype', 'float32'), shape?.type === 'ints' ? shape.value.map(Number) : null);
};

export const indexing: Record<string, Rule> = {
  Compress: (call) => {
    const { dtype, shape } = call.in(0);
    if (!call.node.attributes.has('axis')) return known(dtype, [null]);
    const axis = shape ? axisOf(readInt(call.node, 'axis', 0), shape.length) : null;
    return known(dtype, shape && axis !== null ? replaceAt(shape, axis, null) : null);
  },
  Constant: constant,
  ConstantOfShape: constantOfShape,
  EyeLike: (call) => known(typed(call, 'dtype', call.in(0).dtype), call.in(0).shape),
  Gather: gather,
  GatherElements: (call) => known(call.in(0).dtype, call.in(1).shape),
  GatherND: gatherND,
  NonMaxSuppression: () => known('int64', [null, 3]),
  NonZero: (call) => known('int64', [call.in(0).shape?.length ?? null, null]),
  OneHot: oneHot,
  RandomNormal: randomShape,
  RandomNormalLike: (call) => known(typed(call, 'dtype', call.in(0).dtype), call.in(0).shape),
  RandomUniform: randomShape,
  RandomUniformLike: (call) => known(typed(call, 'dtype', call.in(0).dtype), call.in(0).shape),
  Range: range,
  Scatter: sameAs(0),
  ScatterElements: sameAs(0),
  ScatterND: sameAs(0),
  Shape: shapeOf,
  Size: size,
  TensorScatter: sameAs(0),
  TopK: topK,
  Unique: (call) => {
    const flat = !call.node.attributes.has('axis');
    const { dtype, shape } = call.in(0);
    const axis = shape && !flat ? axisOf(readInt(call.node, 'axis', 0), shape.length) : null;
    const picked = known('int64', [null]);
    return [
      known(dtype, flat ? [null] : shape && axis !== null ? replaceAt(shape, axis, null) : null),
      picked,
      picked,
      picked,
    ];
  },
};
