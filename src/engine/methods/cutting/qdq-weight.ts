// A product's constant parts in integers: its weight in int8, its bias in int32 with exactly the scale that the runtime expects of it.
import type { DataType, Graph, Tensor, TensorData } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { packCodes, readBytes, readFloats } from '../../graph/tensor';
import type { QuantizeLoss } from '../../kernels/kernels';
import { rightMatrix } from './matrix';
import { type Order, orderBytes, orderKey } from './order';
import type { Product } from './qdq-plan';
import type { Rewrite } from './rewrite';
import type { Workshop } from './workshop';

/** Bits a weight is stored in. Below 8 its codes are packed, and the runtime unpacks them once, when it loads the model. */
export type IntegerBits = 8 | 4 | 2;

export interface IntegerWeight {
  /** int8, int4 or int2. */
  readonly codes: Tensor;
  /** One for each output channel, or a scalar. */
  readonly scales: Tensor;
  /** All zero. The integer matrix products want them written down, the convolution does not. */
  readonly zeros: Tensor | null;
  /** Axis of the scales in `codes`; null where there is one. */
  readonly axis: number | null;
  /** The codes lie as [N, K]. */
  readonly transposed: boolean;
  readonly loss: QuantizeLoss | null;
}

/**
 * Conv  [M, C/group, …k] as stored, scales along axis 0.
 * Gemm  as stored; the node says how it lies.
 * MatMul  [K, N], scales along axis 1.
 */
export function weightOrder(
  { site, form }: Pick<Product, 'site' | 'form'>,
  perChannel: boolean,
  rounding: 'nearest' | 'mse' = 'nearest',
): Order {
  const shared = {
    tensor: site.tensor,
    bits: 8,
    groupSize: 0,
    symmetric: true,
    zero: 'signed',
    // The integer kernels want zero at code 0 and a positive scale.
    scaleRule: 'restricted',
    rounding,
    scalesOrder: 'rows',
    scaleType: 'float32',
  } as const;
  const count = site.tensor.dims.reduce((a, b) => a * b, 1);
  if (!perChannel) return { ...shared, rows: 1, columns: count, order: 'rows', layout: { kind: 'plain' } };
  if (form === 'conv') {
    const rows = site.tensor.dims[0]!;
    return { ...shared, rows, columns: count / rows, order: 'rows', layout: { kind: 'plain' } };
  }
  const matrix = rightMatrix(site)!;
  const layout = form === 'gemm' ? ({ kind: 'plain' } as const) : ({ kind: 'columns', slabs: 1 } as const);
  return { ...shared, ...matrix, layout };
}

/** What the weight will take, with its scales and zero points. The bias is no part of the layer's bytes. */
export function integerBytes(site: LayerSite, perChannel: boolean, bits: IntegerBits = 8): number {
  const form = site.op === 'Conv' ? 'conv' : 'matmul';
  const { codes, scales } = orderBytes(weightOrder({ site, form }, perChannel));
  return Math.ceil((codes * bits) / 8) + scales + (form === 'conv' ? 0 : scales / 4);
}

/** Makes each weight once, however many nodes multiply by it. */
export class IntegerParts {
  private readonly weights = new Map<Tensor, Map<string, IntegerWeight>>();

  constructor(
    private readonly graph: Graph,
    private readonly rewrite: Rewrite,
    private readonly workshop: Workshop,
    private readonly rounding: 'nearest' | 'mse' = 'nearest',
  ) {}

  /**
   * `inputScale` and the bias decide the least scale of a channel: its bias must fit into 32 bits. Below 8 `bits` the workshop's codes
   * must be of so few.
   */
  async weight(
    product: Product,
    inputScale: number,
    perChannel: boolean,
    bits: IntegerBits = 8,
  ): Promise<IntegerWeight> {
    const { site, form } = product;
    const order = weightOrder(product, perChannel, this.rounding);
    const key = `${form} ${bits} ${orderKey(order)}`;
    let ofTensor = this.weights.get(site.tensor);
    if (!ofTensor) this.weights.set(site.tensor, (ofTensor = new Map()));
    const known = ofTensor.get(key);
    if (known) return known;
    const quantized = await this.workshop.quantize(order);
    const matrix = form === 'conv' ? null : rightMatrix(site)!;
    const isTurned = matrix?.order === 'rows' && form === 'matmul';
    const dims = isTurned ? [matrix.columns, matrix.rows] : site.tensor.dims;
    const codesLength = dims.reduce((a, b) => a * b, 1);
    let parts: { codes: TensorData; scales: TensorData } = quantized;
    if (quantized.loss) {
      const raised = await raiseScales(order, parts, await this.leastScales(product, inputScale));
      if (raised) {
        parts = {
          codes: await this.workshop.make(codesLength, async () => raised.codes),
          scales: await this.workshop.make(raised.scales.byteLength, async () => bytesOf(raised.scales)),
        };
      }
      if (isTurned && !perChannel) {
        const codes = await codesOf(parts.codes, codesLength);
        const turned = transpose(codes, matrix.rows, matrix.columns);
        parts = { ...parts, codes: await this.workshop.make(codesLength, async () => turned) };
      }
    }
    if (bits !== 8) {
      const { codes } = parts;
      const pack = async () => packCodes(await codesOf(codes, codesLength), bits);
      parts = { ...parts, codes: await this.workshop.make(Math.ceil((codesLength * bits) / 8), pack) };
    }
    const store = (suffix: string, dtype: DataType, shape: readonly number[], data: TensorData): Tensor =>
      this.rewrite.store(this.graph, `${site.weight}${suffix}`, dtype, shape, data);
    const perScale = perChannel ? [order.rows] : [];
    const zeros = async () => new Uint8Array(order.rows);
    const made: IntegerWeight = {
      codes: store(`_q${bits}`, `int${bits}`, dims, parts.codes),
      scales: store('_scales', 'float32', perScale, parts.scales),
      zeros:
        form === 'conv' ? null : store('_zero_points', 'int8', perScale, await this.workshop.make(order.rows, zeros)),
      axis: perChannel ? (form === 'conv' || (form === 'gemm' && matrix?.order === 'rows') ? 0 : 1) : null,
      transposed: form === 'gemm' && matrix?.order === 'rows',
      loss: quantized.loss,
    };
    ofTensor.set(key, made);
    return made;
  }

  /** round(b / (input scale · weight scale)) in int32, and that scale: any other, and the layer silently stays float. */
  async bias(product: Product, weight: IntegerWeight, inputScale: number): Promise<{ codes: Tensor; scales: Tensor }> {
    const { site, bias } = product;
    if (!bias) throw new Error(`${site.name} has no bias`);
    const channels = bias.tensor.dims.reduce((a, b) => a * b, 1);
    const scalesCount = weight.axis === null ? 1 : channels;
    const scales = async (): Promise<Float32Array> =>
      Float32Array.from(await readFloats(weight.scales), (scale) => scale * inputScale);
    const codes = async (): Promise<Uint8Array> => {
      const [values, steps] = [await readFloats(bias.tensor), await scales()];
      return bytesOf(
        Int32Array.from(values, (value, i) => {
          const code = Math.round((value * bias.factor) / steps[steps.length === 1 ? 0 : i]!);
          return Math.max(-largestBias, Math.min(largestBias, code));
        }),
      );
    };
    const make = this.workshop.make;
    const codesData = await make(4 * channels, codes);
    const scalesData = await make(4 * scalesCount, async () => bytesOf(await scales()));
    const store = (suffix: string, dtype: DataType, shape: readonly number[], data: TensorData): Tensor =>
      this.rewrite.store(this.graph, `${site.weight}${suffix}`, dtype, shape, data);
    return {
      codes: store('_bias_q32', 'int32', [channels], codesData),
      scales: store('_bias_scales', 'float32', weight.axis === null ? [] : [channels], scalesData),
    };
  }

  private async leastScales({ bias }: Product, inputScale: number): Promise<Float64Array | null> {
    if (!bias) return null;
    const values = await readFloats(bias.tensor);
    return Float64Array.from(values, (value) => Math.abs(value * bias.factor) / (inputScale * largestBias));
  }
}

/** Half of what int32 holds: the sum of the products must fit beside it. */
const largestBias = 2 ** 30;
/** A channel of zeros has the scale 0, which nothing can be divided by. */
const scaleOfZeros = 2 ** -40;

/**
 * Channels whose scale is too small for their bias get the least that will do, and their codes are rounded anew: against such a bias they
 * weigh nothing. Null where every scale will do.
 */
async function raiseScales(
  order: Order,
  parts: { codes: TensorData; scales: TensorData },
  least: Float64Array | null,
): Promise<{ codes: Uint8Array; scales: Float32Array } | null> {
  const { rows } = order;
  const before = await readFloats({ name: 'scales', dtype: 'float32', dims: [rows], data: parts.scales });
  const needed = (row: number): number =>
    Math.max(scaleOfZeros, rows === 1 ? (least?.reduce((a, b) => Math.max(a, b), 0) ?? 0) : (least?.[row] ?? 0));
  const scales = Float32Array.from(before, (scale, row) => Math.max(scale, needed(row)));
  if (scales.every((scale, row) => scale === before[row])) return null;
  const codes = await codesOf(parts.codes, rows * order.columns);
  const isByColumns = order.layout.kind === 'columns' || order.order === 'columns';
  for (let i = 0; i < codes.length; i++) {
    const row = isByColumns ? i % rows : Math.floor(i / order.columns);
    if (scales[row] !== before[row]) codes[i] = Math.round(((codes[i]! << 24) >> 24) * (before[row]! / scales[row]!));
  }
  return { codes, scales };
}

/** A copy that may be changed. */
async function codesOf(data: TensorData, length: number): Promise<Uint8Array> {
  return Uint8Array.from(await readBytes({ name: 'codes', dtype: 'int8', dims: [length], data }));
}

function transpose(codes: Uint8Array, rows: number, columns: number): Uint8Array {
  const out = new Uint8Array(codes.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[column * rows + row] = codes[row * columns + column]!;
  return out;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The layer as the order sees it fits; a reason where its weight is stored in a way that no integer product takes. */
export function weightReason(site: LayerSite): string | null {
  if (site.op === 'Conv') {
    if (site.weightInput !== 1 || site.channelAxis !== 0 || site.via.some(({ op }) => !passes.has(op)))
      return 'The integer convolution needs its weight as it is stored.';
    return null;
  }
  return rightMatrix(site) ? null : 'The runtime multiplies integers only with one constant matrix on the right.';
}

const passes = new Set(['Cast', 'CastLike', 'Identity']);
