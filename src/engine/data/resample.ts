// Resizing pictures as Pillow does, to the bit for 8-bit pixels: models are trained with it, and a rounding costs answers.
import type { Numbers } from './sources/source';

export type Filter = 'bilinear' | 'bicubic' | 'nearest';

export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Row by row, channels side by side. */
  readonly data: Numbers;
}

/** Fixed point of Pillow's 8-bit path: 32 bits less 8 for the pixel and 2 for overshoot. */
const precision = 22;

const kernels: Record<'bilinear' | 'bicubic', { support: number; at: (x: number) => number }> = {
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  // Keys' cubic with a = −0.5.
  bicubic: {
    support: 2,
    at: (x) => {
      const t = Math.abs(x);
      if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
      return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
    },
  },
};

interface Taps {
  /** First source position of each output position. */
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `stride` weights for each output position. */
  readonly weights: Float64Array;
  readonly stride: number;
}

/** Which source positions make an output position, and with what weights (they sum to 1). */
function tapsFor(from: number, to: number, filter: 'bilinear' | 'bicubic', antialias: boolean): Taps {
  const kernel = kernels[filter];
  const scale = from / to;
  const spread = antialias ? Math.max(scale, 1) : 1;
  const support = kernel.support * spread;
  const stride = Math.ceil(support) * 2 + 1;
  const taps = { first: new Int32Array(to), count: new Int32Array(to), weights: new Float64Array(to * stride), stride };
  for (let x = 0; x < to; x++) {
    const centre = (x + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(from, Math.trunc(centre + support + 0.5));
    let sum = 0;
    for (let i = first; i < end; i++) {
      const weight = kernel.at((i - centre + 0.5) / spread);
      taps.weights[x * stride + i - first] = weight;
      sum += weight;
    }
    for (let i = 0; i < end - first; i++) if (sum !== 0) taps.weights[x * stride + i]! /= sum;
    taps.first[x] = first;
    taps.count[x] = end - first;
  }
  return taps;
}

/** One axis. `outer` lines of `inner` interleaved values each: rows × channels for the horizontal pass, 1 × (width·channels) for the vertical. */
function pass(data: Numbers, lines: number, from: number, to: number, inner: number, taps: Taps): Numbers {
  const bytes = data instanceof Uint8Array;
  const out: Numbers = bytes ? new Uint8Array(lines * to * inner) : new Float64Array(lines * to * inner);
  const weights = bytes ? taps.weights.map((w) => Math.trunc(w * 2 ** precision + (w < 0 ? -0.5 : 0.5))) : taps.weights;
  const start = bytes ? 2 ** (precision - 1) : 0;
  for (let line = 0; line < lines; line++) {
    for (let x = 0; x < to; x++) {
      const first = line * from + taps.first[x]!;
      const count = taps.count[x]!;
      const target = (line * to + x) * inner;
      for (let c = 0; c < inner; c++) {
        let sum = start;
        for (let i = 0; i < count; i++) sum += data[(first + i) * inner + c]! * weights[x * taps.stride + i]!;
        out[target + c] = bytes ? Math.min(255, Math.max(0, Math.floor(sum / 2 ** precision))) : sum;
      }
    }
  }
  return out;
}

export function resize(picture: Pixels, width: number, height: number, filter: Filter, antialias: boolean): Pixels {
  if (width === picture.width && height === picture.height) return picture;
  const { channels } = picture;
  if (filter === 'nearest') return { width, height, channels, data: nearest(picture, width, height) };
  // Horizontal first, then vertical, each rounded to bytes: Pillow's order.
  let { data } = picture;
  if (width !== picture.width) {
    data = pass(data, picture.height, picture.width, width, channels, tapsFor(picture.width, width, filter, antialias));
  }
  if (height !== picture.height) {
    data = pass(data, 1, picture.height, height, width * channels, tapsFor(picture.height, height, filter, antialias));
  }
  return { width, height, channels, data };
}

function nearest(
  { data, width: fromWidth, height: fromHeight, channels }: Pixels,
  width: number,
  height: number,
): Numbers {
  const out = new (data.constructor as new (length: number) => Numbers)(width * height * channels);
  for (let y = 0; y < height; y++) {
    const row = Math.min(fromHeight - 1, Math.floor(((y + 0.5) * fromHeight) / height));
    for (let x = 0; x < width; x++) {
      const column = Math.min(fromWidth - 1, Math.floor(((x + 0.5) * fromWidth) / width));
      for (let c = 0; c < channels; c++) {
        out[(y * width + x) * channels + c] = data[(row * fromWidth + column) * channels + c]!;
      }
    }
  }
  return out;
}

/** The middle `width` × `height`. Halves round to even, as Python's `round` in torchvision's CenterCrop. */
export function cropCentre(picture: Pixels, width: number, height: number): Pixels {
  const { channels, data } = picture;
  const left = roundHalfEven((picture.width - width) / 2);
  const top = roundHalfEven((picture.height - height) / 2);
  const out = new (data.constructor as new (length: number) => Numbers)(width * height * channels);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * picture.width + left) * channels;
    out.set(data.subarray(start, start + width * channels) as never, y * width * channels);
  }
  return { width, height, channels, data: out };
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}

/** Puts a picture in the middle of a black one. */
export function pad(picture: Pixels, width: number, height: number): Pixels {
  const { channels, data } = picture;
  const left = Math.floor((width - picture.width) / 2);
  const top = Math.floor((height - picture.height) / 2);
  const out = new (data.constructor as new (length: number) => Numbers)(width * height * channels);
  for (let y = 0; y < picture.height; y++) {
    const row = data.subarray(y * picture.width * channels, (y + 1) * picture.width * channels);
    out.set(row as never, ((top + y) * width + left) * channels);
  }
  return { width, height, channels, data: out };
}
