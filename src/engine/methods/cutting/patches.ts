// What each output of a convolution is computed from: rows of C·k inputs, as its weights lie.
import { readInt, readIntList, readString } from '../../graph/edit';
import type { Node } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';

/** Positions of the output that are looked at in a run, spread evenly: neighbours see nearly the same inputs. */
export const mostPositions = 512;
const golden = 0.6180339887498949;

/** True for convolutions over one or two axes in which every output channel sees every input channel. */
export function hasPatches({ op, node, tensor, via, weightInput, channelAxis }: LayerSite): boolean {
  if (op !== 'Conv' || weightInput !== 1 || channelAxis !== 0 || via.length > 0) return false;
  return (tensor.dims.length === 3 || tensor.dims.length === 4) && readInt(node, 'group', 1) === 1;
}

/** One spatial axis of a convolution. */
interface Axis {
  readonly size: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly outputs: number;
}

function axesOf(node: Node, sizes: readonly number[], kernel: readonly number[]): Axis[] {
  const rank = sizes.length;
  const strides = readIntList(node, 'strides');
  const dilations = readIntList(node, 'dilations');
  const pads = readIntList(node, 'pads');
  const mode = readString(node, 'auto_pad', 'NOTSET');
  return sizes.map((size, i) => {
    const [taps, stride, dilation] = [kernel[i]!, strides?.[i] ?? 1, dilations?.[i] ?? 1];
    const reach = (taps - 1) * dilation + 1;
    if (mode.startsWith('SAME')) {
      const outputs = Math.ceil(size / stride);
      const padding = Math.max(0, (outputs - 1) * stride + reach - size);
      const before = mode === 'SAME_LOWER' ? Math.ceil(padding / 2) : Math.floor(padding / 2);
      return { size, taps, stride, dilation, before, outputs };
    }
    const [before, after] = mode === 'VALID' ? [0, 0] : [pads?.[i] ?? 0, pads?.[i + rank] ?? 0];
    const outputs = Math.floor((size + before + after - reach) / stride) + 1;
    return { size, taps, stride, dilation, before, outputs };
  });
}

/** Rows [positions][C·k] of a value [N, C, …]: of all outputs, or of `most` spread evenly over them. */
export function patchesOf(
  { node, tensor }: Pick<LayerSite, 'node' | 'tensor'>,
  dims: readonly number[],
  values: Float32Array,
  most = mostPositions,
): Float32Array {
  const [batch, channels, ...sizes] = dims as [number, number, ...number[]];
  const axes = axesOf(node, sizes, tensor.dims.slice(2));
  // One spatial axis is two, the first of one place.
  if (axes.length === 1) axes.unshift({ size: 1, taps: 1, stride: 1, dilation: 1, before: 0, outputs: 1 });
  const [high, wide] = axes as [Axis, Axis];
  const each = high.outputs * wide.outputs;
  const total = batch * each;
  const count = Math.min(total, most);
  const out = new Float32Array(count * channels * high.taps * wide.taps);
  const area = high.size * wide.size;
  let to = 0;
  for (let i = 0; i < count; i++) {
    const position = count === total ? i : Math.floor(((i * golden) % 1) * total);
    const from = Math.floor(position / each) * channels * area;
    const top = Math.floor((position % each) / wide.outputs) * high.stride - high.before;
    const left = (position % wide.outputs) * wide.stride - wide.before;
    for (let c = 0; c < channels; c++) {
      for (let a = 0; a < high.taps; a++) {
        const y = top + a * high.dilation;
        for (let b = 0; b < wide.taps; b++, to++) {
          const x = left + b * wide.dilation;
          if (y >= 0 && y < high.size && x >= 0 && x < wide.size)
            out[to] = values[from + c * area + y * wide.size + x]!;
        }
      }
    }
  }
  return out;
}
