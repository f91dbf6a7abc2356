// Forward values that do not depend on the data: small constants, and what is computed from shapes alone.
import { elementCount, type Model } from '../graph/graph';
import { inferKnown } from '../graph/shapes';
import { readDoubles } from '../graph/tensor';
import { constantTensor } from '../graph/walk';
import { isFloat } from './emit';

// Sizes, axes and scales are read through these; larger tensors are data.
const mostInts = 2 ** 16;
const mostFloats = 64;

/** Elements by value name. The model has static shapes where what depends on them shall be known. */
export async function constantsOf(model: Model): Promise<ReadonlyMap<string, readonly number[]>> {
  const found = new Map<string, readonly number[]>();
  for (const [name, { values }] of await inferKnown(model)) {
    if (values?.every((value) => typeof value === 'number')) found.set(name, values as number[]);
  }
  const tensors = [...model.graph.initializers].map(([name, tensor]) => ({ name, tensor }));
  for (const node of model.graph.nodes) {
    const tensor = constantTensor(node);
    if (tensor) tensors.push({ name: node.outputs[0]!, tensor });
  }
  for (const { name, tensor } of tensors) {
    const isInteger = /^(u?int\d+|bool)$/.test(tensor.dtype);
    const most = isInteger ? mostInts : isFloat(tensor.dtype) ? mostFloats : 0;
    if (elementCount(tensor.dims) <= most) found.set(name, [...(await readDoubles(tensor))]);
  }
  return found;
}
