// From a node's input back to the tensor that is stored: through Transpose, Cast, DequantizeLinear and their like.
import { readInt, readIntList } from '../edit';
import type { Node, Tensor } from '../graph';
import type { Scope } from '../walk';

/** A stored tensor and how a node sees it. */
export interface StoredWeight {
  readonly name: string;
  readonly tensor: Tensor;
  /** Nodes between the tensor and the use, the tensor's end first. */
  readonly via: readonly Node[];
  /** For each axis as used, the axis of the stored tensor; null where a Reshape mixed them. */
  readonly axes: readonly number[] | null;
  /** What a DequantizeLinear on the way holds. */
  readonly dequantized: Dequantized | null;
}

export interface Dequantized {
  readonly scales: Tensor | null;
  readonly zeroPoints: Tensor | null;
  /** Stored axis that the scales run along; null where there is one scale. */
  readonly axis: number | null;
  /** Elements along `axis` that share a scale; 1 is per channel. */
  readonly block: number;
}

// An export puts two or three nodes between weight and use; more is not a weight any more.
const longestWay = 8;
const sameElements = new Set(['Identity', 'Cast', 'CastLike', 'QuantizeLinear', 'Dropout']);
const otherShape = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);

/** The tensor behind a value, or null where the value is computed from the inputs. */
export function storedWeight(scope: Scope, name: string): StoredWeight | null {
  const way: Node[] = [];
  let at = name;
  while (way.length <= longestWay) {
    const found = scope.find(at);
    if (!found) return null;
    if (found.tensor) return describe(scope, at, found.tensor, way.reverse());
    const node = found.node;
    if (!node) return null;
    const before = isReordering(node)
      ? reorderedFrom(scope, node)
      : isTransparent(node)
        ? (node.inputs[0] ?? '')
        : null;
    if (before === null) return null;
    way.push(node);
    at = before;
  }
  return null;
}

const isReordering = ({ op, domain }: Node): boolean => op === 'Concat' && domain === '';

/** PyTorch's LSTM cells: the gates of one tensor in another order, `Concat(Slice(w), Slice(w), …)`. The tensor's name. */
function reorderedFrom(scope: Scope, concat: Node): string | null {
  const sources = new Set<string>();
  for (const input of concat.inputs) {
    const slice = scope.find(input)?.node;
    if (slice?.op !== 'Slice') return null;
    sources.add(slice.inputs[0] ?? '');
  }
  return sources.size === 1 && concat.inputs.length > 1 ? [...sources][0]! : null;
}

function isTransparent({ op, domain }: Node): boolean {
  if (domain === 'com.microsoft') return op === 'DequantizeLinear' || op === 'QuantizeLinear';
  return (
    domain === '' && (sameElements.has(op) || otherShape.has(op) || op === 'Transpose' || op === 'DequantizeLinear')
  );
}

function describe(scope: Scope, name: string, tensor: Tensor, via: readonly Node[]): StoredWeight {
  let axes: readonly number[] | null = tensor.dims.map((_, i) => i);
  let dequantized: Dequantized | null = null;
  for (const node of via) {
    if (node.op === 'DequantizeLinear' && dequantized === null && isStoredInteger(tensor)) {
      const scales = constant(scope, node.inputs[1]);
      const along = readInt(node, 'axis', 1);
      const perTensor = !scales || scales.dims.length === 0 || scales.dims.every((dim) => dim === 1);
      dequantized = {
        scales,
        zeroPoints: constant(scope, node.inputs[2]),
        axis: perTensor ? null : (axes?.at(along) ?? null),
        block: Math.max(1, readInt(node, 'block_size', 0)),
      };
    } else if (node.op === 'Transpose') {
      const perm: readonly number[] = readIntList(node, 'perm') ?? (axes ?? []).map((_, i, all) => all.length - 1 - i);
      axes = axes && perm.length === axes.length ? perm.map((i) => axes![i] ?? -1) : null;
    } else if (node.op === 'Unsqueeze' && isLeading(scope, node)) axes = axes && [-1, ...axes];
    else if (otherShape.has(node.op)) axes = null;
  }
  return { name, tensor, via, axes, dequantized };
}

/** Adds one axis in front: how a recurrent layer's matrix gets its axis of directions. */
function isLeading(scope: Scope, node: Node): boolean {
  const axes = readIntList(node, 'axes');
  if (axes) return axes.length === 1 && axes[0] === 0;
  const data = constant(scope, node.inputs[1])?.data;
  return data?.kind === 'bytes' && data.bytes.length === 8 && data.bytes.every((byte) => byte === 0);
}

/** The tensor of a constant input, at once or behind an Identity; null where the input is absent or computed. */
export function constant(scope: Scope, name: string | undefined): Tensor | null {
  for (let at = name, steps = 0; at && steps <= longestWay; steps++) {
    const found = scope.find(at);
    if (found?.tensor) return found.tensor;
    if (found?.node?.op !== 'Identity') return null;
    at = found.node.inputs[0];
  }
  return null;
}

export function isStoredFloat({ dtype }: Tensor): boolean {
  return dtype.startsWith('float') || dtype === 'bfloat16';
}

export function isStoredInteger({ dtype }: Tensor): boolean {
  return /^u?int/.test(dtype) || dtype.startsWith('float8') || dtype === 'float4e2m1';
}
