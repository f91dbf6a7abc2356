// From a sample as it was read to the values a model's input wants: decode → resize → crop → x·scale → (x−mean)/std → layout → reshape.
import type { InputSpec } from '../../contract/words/dataset';
import { refuse } from '../../contract/words/refusal';
import { elementCount } from '../graph/graph';
import type { InputPlan } from './adapt';
import { cropCentre, type Pixels, pad, resize } from './resample';
import { luma } from './sources/image-folder';
import type { Picture, Sample } from './sources/source';

export interface Prepared {
  /** Of one sample, without the batch. */
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

/** One sample through the whole preparation, in double precision; the batch rounds it to the input's type once. */
export function prepare(sample: Exclude<Sample, { kind: 'tokens' }>, plan: InputPlan): Prepared {
  const { spec } = plan;
  if (sample.kind === 'values') {
    const data = normalise(sample.data, 1, spec);
    return { dims: reshaped(sample.dims, plan), data };
  }
  const picture = framed(coloured(sample, spec.colour), spec, plan.name);
  const { width, height, channels } = picture;
  const values = normalise(picture.data, channels, spec);
  const asRows = plan.layout === 'NHWC' || channels === 1;
  const data = asRows ? values : channelsFirst(values, channels);
  const dims = plan.layout === 'NHWC' ? [height, width, channels] : [channels, height, width];
  return { dims: reshaped(dims, plan), data };
}

function coloured(picture: Picture, colour: InputSpec['colour']): Pixels {
  const { width, height, channels, data } = picture;
  if (colour === undefined) return picture;
  const wanted = colour === 'gray' ? 1 : 3;
  const isSwapped = colour === 'bgr' && channels >= 3;
  if (channels === wanted && !isSwapped) return picture;
  const out = new (data.constructor as new (length: number) => typeof data)(width * height * wanted);
  for (let p = 0; p < width * height; p++) {
    const at = p * channels;
    const red = data[at]!;
    const green = channels < 3 ? red : data[at + 1]!;
    const blue = channels < 3 ? red : data[at + 2]!;
    if (wanted === 1) out[p] = channels < 3 ? red : luma(red, green, blue);
    else out.set(isSwapped ? [blue, green, red] : [red, green, blue], p * 3);
  }
  return { width, height, channels: wanted, data: out };
}

function framed(picture: Pixels, spec: InputSpec, name: string): Pixels {
  let now = picture;
  if (spec.resize) {
    const { width, height, fit = 'stretch', filter = 'bilinear', antialias = true } = spec.resize;
    if (fit === 'stretch') now = resize(now, width, height, filter, antialias);
    else {
      const across = width / now.width;
      const down = height / now.height;
      const scale = fit === 'cover' ? Math.max(across, down) : Math.min(across, down);
      const to = (length: number, limit: number) => {
        const rounded = Math.max(1, Math.round(length * scale));
        return fit === 'cover' ? Math.max(limit, rounded) : Math.min(limit, rounded);
      };
      now = resize(now, to(now.width, width), to(now.height, height), filter, antialias);
      now = fit === 'cover' ? cropCentre(now, width, height) : pad(now, width, height);
    }
  }
  if (spec.crop) {
    const { width, height } = spec.crop;
    if (width > now.width || height > now.height) {
      refuse(
        'bad-dataset',
        `A crop of ${width}×${height} does not fit into pictures of ${now.width}×${now.height}.`,
        'Resize first, or crop less.',
        `inputs.${name}.crop`,
      );
    }
    now = cropCentre(now, width, height);
  }
  return now;
}

/** x·scale, then (x − mean)/std with one entry for all channels or one each. */
function normalise(data: ArrayLike<number>, channels: number, spec: InputSpec): Float64Array {
  const { scale = 1, mean = [0], std = [1] } = spec;
  const out = new Float64Array(data.length);
  for (let c = 0; c < channels; c++) {
    const m = mean[mean.length === 1 ? 0 : c]!;
    const s = std[std.length === 1 ? 0 : c]!;
    for (let i = c; i < data.length; i += channels) out[i] = (data[i]! * scale - m) / s;
  }
  return out;
}

/** [H,W,C] → [C,H,W]. */
function channelsFirst(data: Float64Array, channels: number): Float64Array {
  const out = new Float64Array(data.length);
  const pixels = data.length / channels;
  for (let c = 0; c < channels; c++) for (let p = 0; p < pixels; p++) out[c * pixels + p] = data[p * channels + c]!;
  return out;
}

function reshaped(dims: readonly number[], plan: InputPlan): readonly number[] {
  const { reshape } = plan;
  if (!reshape) return dims;
  const count = elementCount(dims);
  const known = reshape.reduce((product, dim) => (dim === -1 ? product : product * dim), 1);
  const filled = reshape.map((dim) => (dim === -1 ? count / known : dim));
  if (elementCount(filled) !== count || !filled.every(Number.isInteger)) {
    refuse(
      'bad-dataset',
      `A sample of ${dims.join('×')} has ${count} values, which do not fill ${reshape.join('×')}.`,
      'Give a shape with as many values.',
      `inputs.${plan.name}.reshape`,
    );
  }
  return filled;
}
