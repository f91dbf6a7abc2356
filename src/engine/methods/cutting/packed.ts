// Weights the runtime multiplies and looks up packed: MatMulNBits for MatMul and Gemm, GatherBlockQuantized for embeddings.
import { intAttribute, makeNode } from '../../graph/edit';
import type { Node } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { int64Tensor } from '../../graph/tensor';
import type { Rounding } from '../../kernels/kernels';
import type { Matrix } from './matrix';
import { powerOfTwo } from './matrix';
import type { Bits, Order } from './order';
import { storedGroups } from './order';
import { around, chain } from './product';
import type { Rewrite } from './rewrite';
import type { Form, Shelved } from './shelf';

/** The runtime refuses larger blocks, and smaller ones (`matmul_nbits.cc`: "only block sizes 16, 32, 64, 128 and 256"). */
const largestBlock = 256;
const smallestBlock = 16;
/** 2 bits have a fast kernel for these blocks only: 0.3 ms against 31 ms at 4096 × 4096. */
const twoBitBlocks = { least: 32, most: 128 };

export interface Grid {
  readonly bits: Bits;
  /** Weights that share a scale; 0: all of a channel. */
  readonly groupSize: number;
  readonly symmetric: boolean;
  readonly rounding?: Rounding;
}

/** The block MatMulNBits stores a group in; a longer group takes several blocks with one scale, repeated. */
export function matMulBlock({ bits, groupSize }: Grid, columns: number): number {
  const least = bits === 2 ? twoBitBlocks.least : smallestBlock;
  const most = bits === 2 ? twoBitBlocks.most : largestBlock;
  if (groupSize === 0) return Math.min(powerOfTwo(columns, least), most);
  return Math.min(groupSize, most);
}

/** True where 2 bits in this block fall back to unpacking every weight on every run. */
export function isSlowBlock({ bits, groupSize }: Grid): boolean {
  return bits === 2 && groupSize !== 0 && groupSize < twoBitBlocks.least;
}

export function matMulOrder(site: LayerSite, matrix: Matrix, grid: Grid, scaleType: Order['scaleType']): Order {
  return {
    tensor: site.tensor,
    ...matrix,
    ...grid,
    zero: 'unsigned',
    scaleRule: 'signed-max',
    layout: { kind: 'blocks', block: matMulBlock(grid, matrix.columns) },
    scalesOrder: 'rows',
    scaleType,
  };
}

/** A table on its own: rows are not padded, so each must fill whole bytes. */
export function gatherOrder(site: LayerSite, grid: Grid, scaleType: Order['scaleType']): Order {
  const [rows, columns] = site.tensor.dims as [number, number];
  return {
    tensor: site.tensor,
    rows,
    columns,
    order: 'rows',
    ...grid,
    zero: 'unsigned',
    scaleRule: 'signed-max',
    layout: { kind: 'rows' },
    scalesOrder: 'rows',
    scaleType,
  };
}

/** codes uint8 [V][H · bits / 8], scales [V][ceil(H / group)], zero points uint8 [V][ceil(ceil(H / group) · bits / 8)] */
export function rowsForm(order: Order): Form {
  const { rows, columns, bits } = order;
  const groups = storedGroups(order);
  return {
    codes: { dtype: 'uint8', dims: [rows, (columns * bits) / 8] },
    scales: [rows, groups],
    zeroPoints: [rows, Math.ceil((groups * bits) / 8)],
  };
}

/**
 * codes        uint8 [N][ceil(K / block)][block · bits / 8]
 * scales       [N][ceil(K / block)]
 * zero points  uint8 [N][ceil(ceil(K / block) · bits / 8)]
 */
export function blocksForm(order: Order): Form {
  const { rows, bits, layout } = order;
  const block = layout.kind === 'blocks' ? layout.block : order.columns;
  const groups = storedGroups(order);
  return {
    codes: { dtype: 'uint8', dims: [rows, groups, (block * bits) / 8] },
    scales: [rows, groups],
    zeroPoints: [rows, Math.ceil((groups * bits) / 8)],
  };
}

export interface MatMulParts {
  readonly site: LayerSite;
  readonly order: Order;
  readonly shelved: Shelved;
  readonly activations: 'int8' | 'float32';
  readonly type: 'float32' | 'float16';
}

/** Replaces a MatMul or Gemm: [Transpose →] MatMulNBits [→ Mul alpha] [→ Add beta·C]. */
export function putMatMulNBits(rewrite: Rewrite, parts: MatMulParts): void {
  const { site, order, shelved, type } = parts;
  const output = site.node.outputs[0]!;
  const { nodes, input, steps } = around(rewrite, site, type);
  const [first, ...more] = steps;
  const bias = first?.op === 'Add' && more.length === 0 ? foldableBias(rewrite, parts, first.operand) : '';
  const behind = bias === '' ? steps : [];
  const product = behind.length === 0 ? output : rewrite.name(`${output}_product`);
  nodes.push(
    makeNode(
      'MatMulNBits',
      [input, shelved.codes.name, shelved.scales.name, shelved.zeroPoints?.name ?? '', '', bias],
      [product],
      {
        name: site.nodeName,
        domain: 'com.microsoft',
        attributes: {
          K: intAttribute(order.columns),
          N: intAttribute(order.rows),
          bits: intAttribute(order.bits),
          block_size: intAttribute(order.layout.kind === 'blocks' ? order.layout.block : order.columns),
          // 4: activations are rounded to int8 inside the kernel. Left out, 2 and 8 bits run 20 to 25 times slower than float.
          ...(parts.activations === 'int8' ? { accuracy_level: intAttribute(4) } : {}),
        },
      },
    ),
  );
  rewrite.replace(site, [...nodes, ...chain(rewrite, product, behind, output)]);
}

/** Gemm's C as MatMulNBits' bias, where it is a constant row; else the empty string. */
function foldableBias(rewrite: Rewrite, { site, order, type }: MatMulParts, addend: string): string {
  const tensor = site.graph.initializers.get(addend);
  if (!tensor || tensor.dtype !== type || tensor.dims.at(-1) !== order.rows) return '';
  if (tensor.dims.length === 1) return addend;
  if (tensor.dims.length !== 2 || tensor.dims[0] !== 1) return '';
  return rewrite.store(site.graph, `${addend}_row`, tensor.dtype, [order.rows], tensor.data).name;
}

/** A table's block is any power of two from 16; one scale a row is a block that the row does not fill. */
function gatherBlock({ layout, groupSize, columns }: Order): number {
  if (layout.kind === 'blocks') return layout.block;
  return groupSize === 0 ? powerOfTwo(columns, smallestBlock) : groupSize;
}

/** Replaces a Gather on the rows of a table. `codes` may be those of a MatMulNBits over the same table, reshaped. */
export function putGatherBlockQuantized(rewrite: Rewrite, site: LayerSite, order: Order, shelved: Shelved): void {
  const { node } = site;
  const nodes: Node[] = [];
  let data = shelved.codes.name;
  if (shelved.codes.dims.length === 3) {
    data = rewrite.name(`${shelved.codes.name}_rows`);
    const [rows, groups, blob] = shelved.codes.dims as [number, number, number];
    const shape = int64Tensor(rewrite.name(`${shelved.codes.name}_shape`), [2], [rows, groups * blob]);
    rewrite.place(site.graph, shape);
    nodes.push(makeNode('Reshape', [shelved.codes.name, shape.name], [data]));
  }
  nodes.push(
    makeNode(
      'GatherBlockQuantized',
      [data, node.inputs[1]!, shelved.scales.name, shelved.zeroPoints?.name ?? ''],
      [node.outputs[0]!],
      {
        name: site.nodeName,
        domain: 'com.microsoft',
        attributes: {
          bits: intAttribute(order.bits),
          block_size: intAttribute(gatherBlock(order)),
          quantize_axis: intAttribute(1),
          gather_axis: intAttribute(0),
        },
      },
    ),
  );
  rewrite.replace(site, nodes);
}
