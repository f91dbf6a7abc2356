// Pictures that a training sees a little differently each time: shifted, mirrored, cut. Seeded; in place, on the batch's own array.
import { refuse } from '../../contract/words/refusal';
import type { Feed, Feeds } from '../runtime/session';

export interface Augmentation {
  /** Mirrored left to right, every other time. */
  readonly flip: boolean;
  /** Moved by up to so many pixels each way; the edge is drawn out. */
  readonly shift: number;
  /** The smallest share of the side that a cut leaves, which is drawn out to the whole again; 1 cuts nothing. */
  readonly crop: number;
}

export const noAugmentation: Augmentation = { flip: false, shift: 0, crop: 1 };

export const isAugmenting = ({ flip, shift, crop }: Augmentation): boolean => flip || shift > 0 || crop < 1;

interface Layout {
  readonly rows: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Elements from one channel, row or column to the next. */
  readonly steps: { readonly channel: number; readonly y: number; readonly x: number };
}

const usualChannels = new Set([1, 3, 4]);

/** Batches of pictures, [N][C][H][W] or [N][H][W][C]; null for what cannot be one. */
export function pictureLayout(dims: readonly number[]): Layout | null {
  if (dims.length !== 4) return null;
  const [rows, a, b, c] = dims as [number, number, number, number];
  if (usualChannels.has(a) && b > 1 && c > 1)
    return { rows, channels: a, height: b, width: c, steps: { channel: b * c, y: c, x: 1 } };
  if (usualChannels.has(c) && a > 1 && b > 1)
    return { rows, channels: c, height: a, width: b, steps: { channel: 1, y: b * c, x: c } };
  return null;
}

/** Refuses inputs among which there are no pictures of float32. */
export function pictureFeed(feeds: Feeds): { readonly data: Float32Array; readonly layout: Layout } {
  for (const { dtype, dims, data } of Object.values<Feed>(feeds)) {
    const layout = dtype === 'float32' ? pictureLayout(dims) : null;
    if (layout) return { data: data as Float32Array, layout };
  }
  return refuse(
    'bad-recipe',
    'No input of the model is a batch of pictures, so there is nothing to shift, mirror or cut.',
    'Switch augmentation off.',
  );
}

/** Changes every picture of the batch; draws six numbers for each. */
export function augment(feeds: Feeds, how: Augmentation, random: () => number): void {
  const { data, layout } = pictureFeed(feeds);
  const { rows, channels, height, width } = layout;
  const size = channels * height * width;
  const before = new Float32Array(size);
  for (let row = 0; row < rows; row++) {
    const [mirror, right, down, cut, left, top] = Array.from({ length: 6 }, random) as Six;
    const picture = data.subarray(row * size, (row + 1) * size);
    before.set(picture);
    const side = 1 - (1 - how.crop) * cut;
    // Where in the old picture the new one's first pixel is, and how far apart its pixels are.
    const across = place(width, side, left, moved(how.shift, right));
    const below = place(height, side, top, moved(how.shift, down));
    resample(before, picture, layout, across, below, how.flip && mirror < 0.5);
  }
}

type Six = [number, number, number, number, number, number];

const moved = (most: number, drawn: number): number => Math.floor(drawn * (2 * most + 1)) - most;

interface Line {
  readonly start: number;
  readonly step: number;
}

function place(length: number, side: number, where: number, shift: number): Line {
  const kept = length * side;
  // Pixel centres: ½ lies in the middle of the first pixel.
  return { start: (length - kept) * where + 0.5 * side - 0.5 - shift, step: side };
}

function resample(
  from: Float32Array,
  to: Float32Array,
  { channels, height, width, steps }: Layout,
  across: Line,
  below: Line,
  mirrored: boolean,
): void {
  for (let y = 0; y < height; y++) {
    const row = between(below.start + y * below.step, height);
    for (let x = 0; x < width; x++) {
      const column = between(across.start + (mirrored ? width - 1 - x : x) * across.step, width);
      for (let c = 0; c < channels; c++) {
        const at = (j: number, i: number): number => from[c * steps.channel + j * steps.y + i * steps.x]!;
        const upper = mix(at(row.low, column.low), at(row.low, column.high), column.share);
        const lower = mix(at(row.high, column.low), at(row.high, column.high), column.share);
        to[c * steps.channel + y * steps.y + x * steps.x] = mix(upper, lower, row.share);
      }
    }
  }
}

/** Exactly `a` where the share is 0: a whole shift moves values and does not touch them. */
const mix = (a: number, b: number, share: number): number => (share === 0 ? a : a + (b - a) * share);

/** The two pixels beside a place, and how far towards the second it is; beyond the edge, the edge. */
function between(place: number, length: number): { low: number; high: number; share: number } {
  const inside = Math.min(length - 1, Math.max(0, place));
  const low = Math.floor(inside);
  return { low, high: Math.min(length - 1, low + 1), share: inside - low };
}
