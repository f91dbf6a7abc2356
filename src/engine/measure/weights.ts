// Statistics of a layer's weights: of floats as they are, of quantized layers as the numbers their codes stand for.
import type { Statistics } from '../../contract/words/model';
import { elementCount } from '../graph/graph';
import type { LayerSite } from '../graph/layers';
import { readBytes, readFloats, unpackCodes } from '../graph/tensor';
import type { Dequantization, Kernels } from '../kernels/kernels';

/** What is needed to know of a layer. */
export type WeightSite = Pick<
  LayerSite,
  'op' | 'tensor' | 'shape' | 'bits' | 'channelAxis' | 'scales' | 'zeroPoints' | 'quantAxis' | 'quantBlock' | 'layout'
>;

const unknown: Statistics = {
  ...{ min: null, max: null, mean: null, std: null, absMax: null, kurtosis: null },
  ...{ zeros: 0, nonFinite: 0, outliers: null, histogram: null },
};

/**
 * Statistics in float64, streamed. All null where the codes' meaning is not known here: a table of values (MatMulBnb4) or scales of a shape
 * that no operator defines.
 */
export async function weightStatistics(kernels: Kernels, site: WeightSite, signal?: AbortSignal): Promise<Statistics> {
  const { tensor, shape, channelAxis } = site;
  if (!site.scales && !site.zeroPoints && site.layout !== 'blocks') {
    return kernels.statistics(tensor, { channelAxis, signal });
  }
  const dequantization = await dequantizationOf(site);
  if (!dequantization) return unknown;
  if (dequantization.layout.kind !== 'padded') {
    return kernels.statistics(tensor, { dims: shape, channelAxis, dequantization, signal });
  }
  // Stored by output channels [N, K], while the layer's shape is [K, N].
  const [columns, rows] = shape as [number, number];
  const measured = await kernels.statistics(tensor, { dims: [rows, columns], channelAxis: 0, dequantization, signal });
  return measured.channels ? { ...measured, channels: { ...measured.channels, axis: 1 } } : measured;
}

/** How the layer's codes become weights; null where that is not known. */
export async function dequantizationOf(site: WeightSite): Promise<Dequantization | null> {
  const { op, tensor, bits, scales } = site;
  if (op === 'MatMulBnb4') return null;
  // Without a scale of its own (MatMulInteger) a weight is counted in steps.
  const found = scales ? await readFloats(scales) : new Float32Array([1]);
  const layout = layoutOf(site, found.length);
  if (!layout) return null;
  const zeroPoints = await zeroPointsOf(site, found.length);
  if (zeroPoints && zeroPoints.length !== found.length) return null;
  // Operators that read packed bytes centre their grid; all others count from zero.
  const centred = tensor.dtype === 'uint8' && (site.layout === 'blocks' || op === 'GatherBlockQuantized');
  return {
    bits: bits === 2 || bits === 4 ? bits : 8,
    signed: /^int/.test(tensor.dtype),
    scales: found,
    zeroPoints,
    defaultZero: centred ? 2 ** (bits - 1) : 0,
    layout,
  };
}

function layoutOf(
  { shape, quantAxis, quantBlock, layout }: WeightSite,
  scales: number,
): Dequantization['layout'] | null {
  if (layout === 'blocks') {
    const [columns, rows] = shape as [number, number];
    const block = quantBlock || columns;
    return scales === rows * Math.ceil(columns / block) ? { kind: 'padded', columns, block } : null;
  }
  if (scales === 1) return { kind: 'tensor' };
  const along = quantAxis === null || quantAxis === undefined ? undefined : shape[quantAxis];
  if (along === undefined) return null;
  const outer = elementCount(shape.slice(0, quantAxis!));
  const inner = elementCount(shape.slice(quantAxis! + 1));
  const block = quantBlock || along;
  if (scales === along && block === 1) return { kind: 'axis', axis: along, inner };
  return scales === outer * Math.ceil(along / block) * inner ? { kind: 'blocked', axis: along, inner, block } : null;
}

/** One zero point a scale, or null where none is stored. */
async function zeroPointsOf({ zeroPoints, tensor, bits, shape, layout, quantBlock }: WeightSite, scales: number) {
  if (!zeroPoints) return null;
  const stored = elementCount(zeroPoints.dims);
  if (stored === 1 && scales > 1) return new Float32Array(scales).fill((await readFloats(zeroPoints))[0]!);
  const packed = zeroPoints.dtype === 'uint8' && tensor.dtype === 'uint8' && bits < 8;
  if (!packed) return readFloats(zeroPoints);
  // Each row begins with a byte of its own: | z1 z0 | z3 z2 | – z4 |
  const perRow =
    layout === 'blocks' ? Math.ceil(shape[0]! / (quantBlock || shape[0]!)) : Math.ceil(shape.at(-1)! / quantBlock!);
  const rows = scales / perRow;
  const bytes = await readBytes(zeroPoints);
  const rowBytes = Math.ceil((perRow * bits) / 8);
  const out = new Float32Array(scales);
  if (bytes.length !== rows * rowBytes) return new Float32Array(0);
  for (let row = 0; row < rows; row++) {
    const codes = unpackCodes(bytes.subarray(row * rowBytes, (row + 1) * rowBytes), bits as 2 | 4, perRow);
    out.set(codes, row * perRow);
  }
  return out;
}
