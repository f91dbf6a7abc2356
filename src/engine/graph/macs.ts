// Multiply-accumulates of one node for batch 1: what a layer costs to compute.
import { readInt, readString } from './edit';
import type { Dim, Model, Node } from './graph';
import type { Shapes } from './shapes';

/** Symbols that stand for the batch: the first dimension of the model's inputs. */
export function batchSymbols(model: Model): ReadonlySet<string> {
  const symbols = new Set<string>();
  for (const { type } of model.graph.inputs) {
    const first = type?.kind === 'tensor' ? type.shape?.[0] : undefined;
    if (typeof first === 'string') symbols.add(first);
  }
  return symbols;
}

/**
 * Multiply-accumulates for batch 1; null where a shape is unknown. `weightDims` is the weight as the node sees it, for packed
 * weights the unpacked shape; null takes it from `shapes`. A symbol in `batch`, and any unknown first dimension, counts as 1.
 */
export function macsOf(
  node: Node,
  shapes: Shapes,
  weightDims: readonly Dim[] | null,
  batch: ReadonlySet<string> = new Set(),
): number | null {
  const shapeOf = (name: string | undefined): (number | null)[] | null => {
    const shape = name ? shapes.get(name)?.shape : null;
    return shape ? shape.map((dim, i) => sizeOf(dim, i, batch)) : null;
  };
  const output = shapeOf(node.outputs[0]);
  switch (node.op) {
    case 'Conv':
    case 'ConvInteger':
    case 'QLinearConv':
    case 'FusedConv':
    case 'NhwcConv':
    case 'NhwcFusedConv':
    case 'DeformConv':
      // per sample: output positions × output channels × (input channels per group × kernel)
      return times(product(output?.slice(1)), product(sizes(weightDims ?? shapeOf(node.inputs[1]))?.slice(1)));
    case 'ConvTranspose':
      // every input position meets the whole kernel of its channel: C × positions × (M per group × kernel)
      return times(product(shapeOf(node.inputs[0])?.slice(1)), product(sizes(weightDims)?.slice(1)));
    case 'Gather':
    case 'GatherBlockQuantized':
    case 'EmbedLayerNormalization':
      return 0;
    case 'LSTM':
    case 'GRU':
    case 'RNN':
    case 'DynamicQuantizeLSTM':
      return recurrent(node, shapeOf(node.inputs[0]), sizes(weightDims));
    case 'Einsum':
      return einsum(node, node.inputs.map(shapeOf));
    case 'MoE':
    case 'QMoE':
      return expert(node, shapeOf(node.inputs[0]), sizes(weightDims));
    default:
      return times(product(output), contracted(node, sizes(weightDims), shapeOf));
  }
}

/** Length of the contracted axis of a matrix product. */
function contracted(
  node: Node,
  weight: (number | null)[] | null,
  shapeOf: (name: string | undefined) => (number | null)[] | null,
): number | null {
  switch (node.op) {
    case 'MatMulNBits':
    case 'MatMulBnb4':
      return readInt(node, 'K', 0);
    case 'Gemm':
    case 'FusedGemm':
    case 'QGemm':
      return (
        shapeOf(node.inputs[0])?.at(readInt(node, 'transA', 0) ? 0 : -1) ??
        weight?.at(readInt(node, 'transB', 0)) ??
        null
      );
    case 'Attention':
    case 'QAttention':
      return weight?.[0] ?? null;
    default:
      return shapeOf(node.inputs[0])?.at(readInt(node, 'transA', 0) ? -2 : -1) ?? weight?.at(-2) ?? null;
  }
}

/** Every time step: the gates' matrix times the input, or times the hidden state. W and R are counted by their own sites. */
function recurrent(node: Node, input: (number | null)[] | null, weight: (number | null)[] | null): number | null {
  const timeAxis = readInt(node, 'layout', 0) ? 1 : 0;
  return times(input?.[timeAxis] ?? null, product(weight));
}

/** Each token passes through `k` experts. */
function expert(node: Node, input: (number | null)[] | null, weight: (number | null)[] | null): number | null {
  return times(times(product(input?.slice(0, -1)), product(weight?.slice(1))), readInt(node, 'k', 1));
}

/** The product of all index sizes of the equation. */
function einsum(node: Node, operands: ((number | null)[] | null)[]): number | null {
  const sizesByLetter = new Map<string, number | null>();
  const terms = readString(node, 'equation', '').split('->')[0]!.split(',');
  for (const [i, term] of terms.entries()) {
    const letters = [...term.trim().replace('...', '')];
    const shape = operands[i];
    if (term.includes('...') || !shape || shape.length !== letters.length) return null;
    for (const [axis, letter] of letters.entries()) sizesByLetter.set(letter, shape[axis]!);
  }
  return product([...sizesByLetter.values()]);
}

function sizeOf(dim: Dim, axis: number, batch: ReadonlySet<string>): number | null {
  if (typeof dim === 'number') return dim;
  return axis === 0 || (dim !== null && batch.has(dim)) ? 1 : null;
}

function sizes(dims: readonly Dim[] | null): (number | null)[] | null {
  return dims?.map((dim) => (typeof dim === 'number' ? dim : null)) ?? null;
}

function product(dims: readonly (number | null)[] | null | undefined): number | null {
  return dims ? dims.reduce<number | null>(times, 1) : null;
}

function times(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a * b;
}
