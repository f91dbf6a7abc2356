// Where methods get new bytes from. One workshop computes them with the kernels; the other only says how large they will be.
import { byteLength, elementCount, type Tensor, type TensorData } from '../../graph/graph';
import { encodeFloat16, packCodes } from '../../graph/tensor';
import type { Hessian, Kernels, QuantizeLoss, QuantizeResult } from '../../kernels/kernels';
import type { Gathering } from './gathering';
import { halve } from './half';
import { groupsOf, hasFloatZeros, hollow, type Order, orderBytes, orderKey, requestOf, storedGroups } from './order';
import type { Scratch } from './scratch';

export interface Quantized {
  readonly codes: TensorData;
  readonly scales: TensorData;
  /** Packed as the order's layout asks; null where symmetric. */
  readonly zeroPoints: TensorData | null;
  /** Null where nothing was computed. */
  readonly loss: QuantizeLoss | null;
}

export interface Halved {
  readonly data: TensorData;
  /** `clipped`: finite weights beyond ±65,504, stored as ±65,504. */
  readonly loss: QuantizeLoss | null;
}

export interface Workshop {
  /** `hessian`: what an order with rounding `gptq` needs; not asked for where the answer is there already. */
  quantize(order: Order, hessian?: () => Promise<Hessian>): Promise<Quantized>;
  toFloat16(tensor: Tensor): Promise<Halved>;
  /** Bytes that a method computes itself; `length` is known beforehand. Where nothing is computed, `compute` is not called. */
  make(length: number, compute: () => Promise<Uint8Array>): Promise<TensorData>;
  /** For bytes that a method computes itself; absent where nothing is computed. */
  readonly kernels?: Kernels;
  /** What can be learnt from data; null where nothing is computed, and sizes must not depend on it. */
  readonly gathering: Gathering | null;
}

/** The same orders, no bytes: `tell` hears each, `tellMade` the length of what a method would compute itself. */
export function hollowWorkshop(
  tell: (order: Order | Tensor) => void = () => {},
  tellMade: (length: number) => void = () => {},
): Workshop {
  return {
    async quantize(order) {
      tell(order);
      const { codes, scales, zeroPoints } = orderBytes(order);
      return {
        codes: hollow(codes),
        scales: hollow(scales),
        zeroPoints: zeroPoints === 0 ? null : hollow(zeroPoints),
        loss: null,
      };
    },
    async toFloat16(tensor) {
      tell(tensor);
      return { data: hollow(byteLength('float16', tensor.dims)), loss: null };
    },
    async make(length) {
      tellMade(length);
      return hollow(length);
    },
    gathering: null,
  };
}

/** `gathering` is for methods that learn from data. */
export function kernelWorkshop(
  kernels: Kernels,
  scratch: Pick<Scratch, 'once'>,
  signal: AbortSignal,
  gathering: Gathering | null = null,
): Workshop {
  return {
    kernels,
    gathering,
    async make(length, compute) {
      signal.throwIfAborted();
      const { parts } = await scratch.once(`make ${length}`, async () => {
        const bytes = await compute();
        if (bytes.byteLength !== length)
          throw new Error(`${bytes.byteLength} bytes were made where ${length} were told`);
        return { parts: [bytes], loss: null };
      });
      return parts[0]!;
    },
    async quantize(order, hessian) {
      const { parts, loss } = await scratch.once(`quantize ${nameOf(order.tensor)} ${orderKey(order)}`, async () => {
        const made = await kernels.quantize(requestOf(order, signal, await hessian?.()));
        return {
          parts: laidOut(order, made),
          loss: { signal: made.signal, noise: made.noise, clipped: made.clipped },
        };
      });
      const [codes, scales, zeroPoints] = parts;
      return { codes: codes!, scales: scales!, zeroPoints: zeroPoints ?? null, loss };
    },
    async toFloat16(tensor) {
      const { parts, loss } = await scratch.once(`half ${nameOf(tensor)}`, async () => {
        const { bytes, loss } = await halve(kernels, tensor, signal);
        return { parts: [bytes], loss };
      });
      return { data: parts[0]!, loss };
    },
  };
}

const nameOf = ({ name, dtype, dims }: Tensor): string => `${name} ${dtype} ${dims}`;

/** Codes, scales and zero points as they are stored. */
export function laidOut(order: Order, made: QuantizeResult): [Uint8Array, Uint8Array, Uint8Array | null] {
  const zeroPoints = hasFloatZeros(order)
    ? floatBytes(order, layScales(order, made.floatZeroPoints!))
    : made.zeroPoints && layZeroPoints(order, made.zeroPoints);
  return [layCodes(order, made.codes), floatBytes(order, layScales(order, made.scales)), zeroPoints];
}

/** From the kernel's layout to the stored one; the same array where they agree. */
function layCodes(order: Order, codes: Uint8Array): Uint8Array {
  const { rows, columns, bits, layout, groupSize } = order;
  switch (layout.kind) {
    case 'plain':
    case 'rows':
      return codes;
    case 'columns':
      return order.order === 'columns' ? codes : transposed(codes, layout.slabs, rows / layout.slabs, columns);
    case 'blocks': {
      const from = groupsOf(order) * Math.ceil(((groupSize || columns) * bits) / 8);
      const to = (storedGroups(order) * layout.block * bits) / 8;
      if (from === to) return codes;
      // What lies beyond K meets activations that are zero there.
      const out = new Uint8Array(rows * to);
      for (let row = 0; row < rows; row++)
        out.set(codes.subarray(row * from, row * from + Math.min(from, to)), row * to);
      return out;
    }
    default:
      return layout satisfies never;
  }
}

/** One value per [N][groups] → one per stored scale: repeated over the blocks of a group, or as [groups][N]. */
function spread<T extends Float32Array | Uint8Array>(order: Order, values: T, make: (length: number) => T): T {
  const { rows, layout, groupSize } = order;
  const groups = groupsOf(order);
  const stored = storedGroups(order);
  if (order.scalesOrder === 'rows' && stored === groups) return values;
  const out = make(rows * stored);
  for (let row = 0; row < rows; row++) {
    for (let at = 0; at < stored; at++) {
      const repeated =
        layout.kind === 'blocks' ? (groupSize === 0 ? 0 : Math.floor((at * layout.block) / groupSize)) : at;
      const to = order.scalesOrder === 'rows' ? row * stored + at : at * rows + row;
      out[to] = values[row * groups + repeated]!;
    }
  }
  return out;
}

function floatBytes({ scaleType }: Order, values: Float32Array): Uint8Array {
  return scaleType === 'float32'
    ? new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    : new Uint8Array(encodeFloat16(values).buffer);
}

function layScales(order: Order, scales: Float32Array): Float32Array {
  return spread(order, scales, (length) => new Float32Array(length));
}

function layZeroPoints(order: Order, points: Uint8Array): Uint8Array {
  const { bits, rows } = order;
  const laid = spread(order, points, (length) => new Uint8Array(length));
  if (bits === 8) return laid;
  if (order.layout.kind !== 'blocks' && order.layout.kind !== 'rows') return packCodes(laid, bits);
  const groups = storedGroups(order);
  const rowBytes = Math.ceil((groups * bits) / 8);
  const out = new Uint8Array(rows * rowBytes);
  for (let row = 0; row < rows; row++) {
    out.set(packCodes(laid.subarray(row * groups, (row + 1) * groups), bits), row * rowBytes);
  }
  return out;
}

/** Bytes [slabs][rows][columns] → [slabs][columns][rows], in tiles that stay in the cache. */
function transposed(codes: Uint8Array, slabs: number, rows: number, columns: number): Uint8Array {
  const out = new Uint8Array(codes.length);
  const tile = 64;
  for (let start = 0; start < slabs * rows * columns; start += rows * columns) {
    for (let row = 0; row < rows; row += tile) {
      for (let column = 0; column < columns; column += tile) {
        const lastRow = Math.min(rows, row + tile);
        const lastColumn = Math.min(columns, column + tile);
        for (let r = row; r < lastRow; r++)
          for (let c = column; c < lastColumn; c++) out[start + c * rows + r] = codes[start + r * columns + c]!;
      }
    }
  }
  return out;
}

/** Elements an order or a tensor asks the kernels to go through. */
export function elementsOf(order: Order | Tensor): number {
  return 'rows' in order ? order.rows * order.columns : elementCount(order.dims);
}
