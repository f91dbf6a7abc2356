// What a method orders from the kernels: a matrix, its grid, and the layout the runtime wants. Sizes follow from the order alone.
import { dataTypes, storedBytes, type Tensor, type TensorData } from '../../graph/graph';
import type { Hessian, QuantizeRequest, Rounding } from '../../kernels/kernels';

export type Bits = 2 | 4 | 8;

/**
 * blocks   [N][ceil(K / block)][block · bits / 8]: MatMulNBits. A group may span several blocks; its scale is repeated for each.
 * rows     [N][K · bits / 8], zero points by rows too: GatherBlockQuantized. A row fills whole bytes.
 * plain    codes in the order of the source, packed low bits first.
 * columns  codes as [K][N] whatever the order of the source; 8 bits only. With `slabs`, N×K matrices one after another are
 *          each turned: [slabs][K][N / slabs].
 */
export type Layout =
  | { readonly kind: 'blocks'; readonly block: number }
  | { readonly kind: 'rows' }
  | { readonly kind: 'plain' }
  | { readonly kind: 'columns'; readonly slabs: number };

export interface Order {
  readonly tensor: Tensor;
  /** N, the output channels. */
  readonly rows: number;
  /** K, the weights of one output channel; groups run along these. */
  readonly columns: number;
  /** Stored N×K or K×N. */
  readonly order: 'rows' | 'columns';
  readonly bits: Bits;
  /** Weights that share a scale; 0: all of a channel. */
  readonly groupSize: number;
  readonly symmetric: boolean;
  readonly zero: 'unsigned' | 'signed';
  readonly scaleRule: 'signed-max' | 'restricted';
  /** Nearest where absent. `hqq` stores its zero points in the type of the scales. */
  readonly rounding?: Rounding;
  readonly layout: Layout;
  /** [N][groups], or [groups][N] for a DequantizeLinear along the first axis. */
  readonly scalesOrder: 'rows' | 'columns';
  readonly scaleType: 'float32' | 'float16';
}

/** Scales of one channel, before they are repeated. */
export function groupsOf({ columns, groupSize }: Order): number {
  return groupSize === 0 ? 1 : Math.ceil(columns / groupSize);
}

/** Scales of one channel as stored. */
export function storedGroups(order: Order): number {
  return order.layout.kind === 'blocks' ? Math.ceil(order.columns / order.layout.block) : groupsOf(order);
}

export interface OrderBytes {
  readonly codes: number;
  readonly scales: number;
  readonly zeroPoints: number;
}

export function orderBytes(order: Order): OrderBytes {
  const { rows, columns, bits, layout } = order;
  const groups = storedGroups(order);
  const blocks = layout.kind === 'blocks';
  return {
    codes: blocks ? rows * groups * ((layout.block * bits) / 8) : Math.ceil((rows * columns * bits) / 8),
    scales: (rows * groups * dataTypes[order.scaleType].bits) / 8,
    // Float zero points lie as the scales do; the packed operators begin each row of zero points at a byte; ONNX packs the whole tensor.
    zeroPoints: hasFloatZeros(order)
      ? (rows * groups * dataTypes[order.scaleType].bits) / 8
      : order.symmetric
        ? 0
        : blocks || layout.kind === 'rows'
          ? rows * Math.ceil((groups * bits) / 8)
          : Math.ceil((rows * groups * bits) / 8),
  };
}

/** Zero points between the levels, one a group. */
export function hasFloatZeros({ rounding }: Order): boolean {
  return rounding === 'hqq';
}

export function requestOf(order: Order, signal?: AbortSignal, hessian?: Hessian): QuantizeRequest {
  const { tensor, rows, columns, bits, groupSize, symmetric, zero, scaleRule, rounding = 'nearest' } = order;
  return {
    tensor,
    rows,
    columns,
    order: order.order,
    bits,
    groupSize,
    symmetric,
    zero,
    pack: order.layout.kind === 'blocks' ? 'blocks' : 'plain',
    scaleRule,
    rounding,
    ...(hessian ? { hessian, clips: true } : {}),
    ...(signal ? { signal } : {}),
  };
}

/** Two orders with one key give the same bytes: the weight is stored once. */
export function orderKey(order: Order): string {
  const { tensor: _, ...rest } = order;
  return JSON.stringify(rest);
}

/** Below this a tensor stays in memory: it costs less there than its place in a file is worth. */
export const smallestInFile = 4096;

/** Data that has a size and no bytes: what a forecast puts into a graph. Small ones are zeros, for whoever looks at shapes. */
export function hollow(length: number): TensorData {
  if (length < smallestInFile) return { kind: 'bytes', bytes: new Uint8Array(length) };
  return { kind: 'file', file: '', offset: 0, length };
}

export function totalBytes(order: Order): number {
  const { codes, scales, zeroPoints } = orderBytes(order);
  return codes + scales + zeroPoints;
}

/** What the weight takes as it is. */
export function bytesNow(order: Order): number {
  return storedBytes(order.tensor);
}
