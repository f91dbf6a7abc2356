// How many weights each layer keeps when all layers are pruned by one threshold: of magnitudes, or of LAMP's scores (Lee et al. 2021).
import { elementCount, type Tensor } from '../../graph/graph';
import { readFloats } from '../../graph/tensor';
import type { Kernels } from '../../kernels';

/** Weights of each tensor that are among the `keep` of greatest magnitude of all; exact. */
export async function keptByMagnitude(
  kernels: Kernels,
  tensors: readonly Tensor[],
  keep: number,
  signal: AbortSignal | undefined,
): Promise<Map<Tensor, number>> {
  const { value, above } = await kernels.threshold(tensors, keep, { signal });
  const kept = new Map<Tensor, number>();
  let equal = keep - above;
  for (const tensor of tensors) {
    const over = (await kernels.mask(tensor, { above: value, signal })).kept;
    const atLeast = equal > 0 ? (await kernels.mask(tensor, { above: value, equal, signal })).kept : over;
    equal -= atLeast - over;
    kept.set(tensor, atLeast);
  }
  return kept;
}

/** Magnitudes are gathered by the upper 16 bits of |w|: eight bits of the mantissa. */
const places = 2 ** 16;
const lowBits = 15;

/** Of a tensor: the score of each place, and how many weights are at it or above. */
interface Scores {
  readonly score: Float64Array;
  readonly atLeast: Float64Array;
}

/**
 * Weights of each tensor that are among the `keep` of greatest w² / Σ_{v ≥ w} v², the sum over its own tensor. Scores are those of 65,536
 * places of magnitude; what is at the threshold goes to the tensors in their order. The largest weight of a tensor has score 1 and stays.
 */
export async function keptByLamp(tensors: readonly Tensor[], keep: number): Promise<Map<Tensor, number>> {
  const all = new Map<Tensor, Scores>();
  for (const tensor of tensors) all.set(tensor, scoresOf(await readFloats(tensor)));
  const keptAt = (least: number): number[] => [...all.values()].map((scores) => countAtLeast(scores, least));
  const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
  // `low` keeps enough, `high` too few; scores are in (0, 1].
  let [low, high] = [0, 2];
  for (let step = 0; step < 200 && high > low * (1 + 1e-15); step++) {
    const middle = low === 0 ? (high < 1e-300 ? 0 : high / 1024) : Math.sqrt(low * high);
    if (middle === low || middle === high) break;
    if (sum(keptAt(middle)) >= keep) low = middle;
    else high = middle;
  }
  const [enough, few] = [keptAt(low), keptAt(high)];
  let left = keep - sum(few);
  return new Map(
    [...all.keys()].map((tensor, i) => {
      const more = Math.min(left, enough[i]! - few[i]!);
      left -= more;
      return [tensor, few[i]! + more];
    }),
  );
}

function scoresOf(weights: Float32Array): Scores {
  const counts = new Float64Array(places);
  const squares = new Float64Array(places);
  const bits = new Int32Array(weights.buffer, weights.byteOffset, weights.length);
  for (let i = 0; i < weights.length; i++) {
    const place = (bits[i]! & 0x7fffffff) >> lowBits;
    counts[place]!++;
    squares[place]! += weights[i]! ** 2;
  }
  const score = new Float64Array(places);
  const atLeast = new Float64Array(places);
  let [square, count] = [0, 0];
  for (let place = places - 1; place >= 0; place--) {
    square += squares[place]!;
    count += counts[place]!;
    const mean = counts[place]! > 0 ? squares[place]! / counts[place]! : 0;
    // An empty place must not break the order: it scores as the one above it.
    score[place] = counts[place]! > 0 ? (square > 0 ? mean / square : 0) : (score[place + 1] ?? 2);
    atLeast[place] = count;
  }
  return { score, atLeast };
}

/** Scores fall with the magnitude: the lowest place whose score is `least` or more. */
function countAtLeast({ score, atLeast }: Scores, least: number): number {
  let [from, to] = [0, places];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (score[middle]! >= least) to = middle;
    else from = middle + 1;
  }
  return from === places ? 0 : atLeast[from]!;
}

export const weightsOf = (tensors: readonly Tensor[]): number =>
  tensors.reduce((sum, { dims }) => sum + elementCount(dims), 0);
