// MatMulNBits written out: its codes as a tensor of their own type, dequantized in the graph, and an ordinary product.
import { freshName, intAttribute, intsAttribute, makeNode, namesIn, readInt } from '../../graph/edit';
import { type DataType, elementCount, type Graph, type Node, type Tensor } from '../../graph/graph';
import {
  bytesTensor,
  floatTensor,
  int64Tensor,
  packCodes,
  readBytes,
  readFloats,
  unpackCodes,
} from '../../graph/tensor';
import { nodeLabels } from '../../graph/walk';
import type { Known } from '../tape';

export interface Unpacked {
  readonly graph: Graph;
  readonly known: ReadonlyMap<string, Known>;
}

/** True for a product that can be written out: the graph holds its weights, in the order of the columns, and its zero points are codes. */
export function isPackedProduct({ initializers }: Graph, { op, domain, inputs }: Node): boolean {
  if (op !== 'MatMulNBits' || domain !== 'com.microsoft') return false;
  const [, codes, scales, zeros, order] = inputs;
  const typeOfStored = (name: string | undefined): DataType | undefined => initializers.get(name ?? '')?.dtype;
  if (!typeOfStored(codes) || typeOfStored(scales) !== 'float32' || order) return false;
  return !zeros || typeOfStored(zeros) === 'uint8';
}

/** Other products stay as they are. */
export async function withUnpackedProducts(graph: Graph, known: ReadonlyMap<string, Known>): Promise<Unpacked> {
  if (!graph.nodes.some((node) => isPackedProduct(graph, node))) return { graph, known };
  const taken = namesIn(graph);
  const labels = nodeLabels(graph);
  const writer: Writer = { graph, taken, known: new Map(known), made: [] };
  const nodes: Node[] = [];
  for (const [i, node] of graph.nodes.entries())
    nodes.push(...(isPackedProduct(graph, node) ? await product(writer, node, labels[i]!) : [node]));
  const initializers = new Map(graph.initializers);
  for (const tensor of writer.made) initializers.set(tensor.name, tensor);
  return { graph: { ...graph, nodes, initializers }, known: writer.known };
}

interface Writer {
  readonly graph: Graph;
  readonly taken: Set<string>;
  readonly known: Map<string, Known>;
  readonly made: Tensor[];
}

/** What a row of N is stored as: K columns in blocks, the last one filled up. */
interface Layout {
  readonly rows: number;
  readonly columns: number;
  readonly bits: 2 | 4 | 8;
  readonly block: number;
  readonly blocks: number;
}

/** x [.., K] · (codes [N, K] − zero points)·scales, transposed (+ bias). */
async function product(writer: Writer, node: Node, label: string): Promise<Node[]> {
  const [x, codesName, scalesName, zerosName, , bias] = node.inputs as [
    string,
    string,
    string,
    ...(string | undefined)[],
  ];
  const { initializers } = writer.graph;
  const codes = initializers.get(codesName)!;
  const scales = initializers.get(scalesName)!;
  const zeros = initializers.get(zerosName ?? '');
  const [rows, columns, block] = ['N', 'K', 'block_size'].map((name) => readInt(node, name, 0)) as [
    number,
    number,
    number,
  ];
  const layout: Layout = {
    ...{ rows, columns, block },
    bits: readInt(node, 'bits', 4) as Layout['bits'],
    blocks: Math.ceil(columns / block),
  };
  const name = (what: string): string => freshName(writer.taken, `${label}/${what}`);
  const add = (tensor: Tensor): string => {
    writer.made.push(tensor);
    writer.known.set(tensor.name, { dtype: tensor.dtype, dims: tensor.dims });
    return tensor.name;
  };
  const nodes: Node[] = [];
  const emit = (op: string, inputs: readonly string[], dims: readonly number[], attributes = {}): string => {
    const output = name(op);
    writer.known.set(output, { dtype: 'float32', dims });
    nodes.push(makeNode(op, inputs, [output], { name: output, attributes }));
    return output;
  };
  const width = layout.blocks * block;
  const dequantized = emit(
    'DequantizeLinear',
    [
      add(await codesOf(codes, layout, name('codes'))),
      add(floatTensor(name('scales'), [rows, layout.blocks], await readFloats(scales))),
      add(await zerosOf(zeros, layout, name('zero_points'))),
    ],
    [rows, width],
    { axis: intAttribute(1), block_size: intAttribute(block) },
  );
  const range = (): string[] => [0, columns, 1].map((value) => add(int64Tensor(name('cut'), [1], [value])));
  const cut = width === columns ? dequantized : emit('Slice', [dequantized, ...range()], [rows, columns]);
  const weight = emit('Transpose', [cut], [columns, rows], { perm: intsAttribute([1, 0]) });
  const { dims } = writer.known.get(node.outputs[0]!)!;
  const [end, inputs] = bias
    ? (['Add', [emit('MatMul', [x, weight], dims), bias]] as const)
    : (['MatMul', [x, weight]] as const);
  return [...nodes, makeNode(end, inputs, [node.outputs[0]!], { name: name(end) })];
}

/** The type whose elements lie as the codes do; 2 bits take a byte each, for want of a type at opset 21. */
const typeOf = ({ bits }: Layout): DataType => (bits === 4 ? 'uint4' : 'uint8');

async function codesOf(codes: Tensor, layout: Layout, name: string): Promise<Tensor> {
  const dims = [layout.rows, layout.blocks * layout.block];
  if (layout.bits !== 2) return { name, dtype: typeOf(layout), dims, data: codes.data };
  return bytesTensor(name, 'uint8', dims, unpackCodes(await readBytes(codes), 2, elementCount(dims)));
}

/** Zero points [N, blocks], which are stored with each row filled up to whole bytes; without them, the middle of the codes. */
async function zerosOf(zeros: Tensor | undefined, layout: Layout, name: string): Promise<Tensor> {
  const { rows, blocks, bits } = layout;
  const dims = [rows, blocks];
  const codes = new Uint8Array(rows * blocks).fill(2 ** (bits - 1));
  if (zeros) {
    const bytes = await readBytes(zeros);
    const perRow = Math.ceil((blocks * bits) / 8);
    for (let row = 0; row < rows; row++) {
      const part = bytes.subarray(row * perRow, (row + 1) * perRow);
      codes.set(bits === 8 ? part : unpackCodes(part, bits, blocks), row * blocks);
    }
  }
  return bytesTensor(name, typeOf(layout), dims, bits === 4 ? packCodes(codes, 4) : codes);
}
