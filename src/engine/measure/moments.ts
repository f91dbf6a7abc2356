// Mean, variance and bounds of every value, from how the inputs are normalised and the weights alone: no sample is looked at.
// What a product adds up is taken to be independent (Data-Free Quantization, §4.2): exact for one layer over independent
// inputs, an estimate behind several.
import { readFloat } from '../graph/edit';
import type { Graph } from '../graph/graph';
import type { Shapes } from '../graph/shapes';
import { constantTensor } from '../graph/walk';
import { concatenated, reshaped, turned } from './moments-moves';
import {
  arithmetic,
  clippedBy,
  convolved,
  cut,
  largest,
  multiplied,
  normalised,
  type Step,
  through,
} from './moments-rules';
import type { InputMoments, Moments } from './moments-values';

/** Values behind an operator without a rule, and everything after them, are missing. */
export async function momentsOf(
  graph: Graph,
  shapes: Shapes,
  input: InputMoments | ((name: string) => InputMoments),
): Promise<ReadonlyMap<string, Moments>> {
  const known = new Map<string, Moments>();
  for (const { name } of graph.inputs) {
    if (graph.initializers.has(name) || shapes.get(name)?.dtype !== 'float32') continue;
    const { mean, variance, low, high } = typeof input === 'function' ? input(name) : input;
    known.set(name, {
      axis: null,
      mean: Float64Array.of(mean),
      variance: Float64Array.of(variance),
      low: Float64Array.of(low),
      high: Float64Array.of(high),
    });
  }
  const constants = new Map(graph.initializers);
  for (const node of graph.nodes) {
    const tensor = constantTensor(node);
    if (tensor) constants.set(node.outputs[0]!, tensor);
    const made = tensor ? null : await behind({ node, known, constants, shapes });
    if (made) known.set(node.outputs[0]!, made);
  }
  return known;
}

const same = new Set(['Identity', 'Dropout', 'AveragePool', 'GlobalAveragePool']);
const moving = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);

/** Of the node's first output; null where no rule holds. */
async function behind(step: Step): Promise<Moments | null> {
  const { node, known, shapes } = step;
  if (node.domain !== '') return null;
  const given = known.get(node.inputs[0]!);
  if (node.op === 'BatchNormalization') return normalised(step);
  if (node.op === 'Add' || node.op === 'Sub' || node.op === 'Mul' || node.op === 'Div') return arithmetic(step);
  if (node.op === 'Concat') return concatenated(step);
  if (!given) return null;
  if (node.op === 'Conv') return convolved(step, given);
  if (node.op === 'MatMul' || node.op === 'Gemm') return multiplied(step, given);
  if (node.op === 'Relu') return cut(given, 0, Infinity);
  if (node.op === 'LeakyRelu') {
    const slope = readFloat(node, 'alpha', 0.01);
    return through(given, (x) => (x < 0 ? slope * x : x));
  }
  if (node.op === 'Sigmoid') return through(given, (x) => 1 / (1 + Math.exp(-x)));
  if (node.op === 'Clip') return clippedBy(step, given);
  if (node.op === 'MaxPool' || node.op === 'GlobalMaxPool') return largest(given);
  // Neighbours in a window are taken to be alike: a mean over them then varies as one of them does, so that no range is too small.
  if (same.has(node.op)) return given;
  if (node.op === 'Transpose') return turned(step, given);
  if (moving.has(node.op))
    return reshaped(given, shapes.get(node.inputs[0]!)?.shape, shapes.get(node.outputs[0]!)?.shape);
  return null;
}
