// Channel scales under which one grid a tensor costs least at the model's outputs. Equal ranges (equalization.ts) are where it starts.
//   noise of layer l at the outputs:  Δ²/12 · Σ over weights  gain_m · s_out,m² · E[x_c²] / s_in,c²,   Δ = largest weight / levels
//   the mean of x and what varies of it apart: an error of the weights times the mean is the same at every place, and adds up there.
import type { LayerSite } from '../../graph/layers';
import { alongAxis, type Gains } from '../../measure/gains';
import { along, at, type Moments } from '../../measure/moments-values';
import { besides, type Cluster, channelsOf, everyRun, viewOf } from './equalization';

interface Part {
  readonly power: Float64Array;
  readonly gain: Float64Array;
}

/** One layer of a cluster, by pairs of an output and a channel of the joint before it. */
interface NoisyLayer {
  readonly before: number;
  readonly behind: number;
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  /** Largest weight of each pair. */
  readonly sizes: Float64Array;
  /** E[x]² or Var[x], and how an error in each output is felt. */
  readonly parts: readonly [Part, Part];
  /** Taps, and places of the output. */
  readonly weight: number;
  /** Reused from turn to turn. */
  readonly rises: Float64Array;
  readonly rowEnergy: Float64Array;
  readonly columnEnergy: Float64Array;
}

export interface Felt {
  /** Places of the layer's output. */
  readonly places: number;
  readonly input: Moments;
  readonly inputAxis: number;
  readonly gains: Gains;
  readonly outputAxis: number;
}

const sweeps = 200;
/** Pairs that are gone through in all sweeps together, at most; a cluster that allows few sweeps keeps equal ranges. */
const mostPairs = 2 ** 30;
const fewestSweeps = 30;
const pace = 0.05;
/** A channel leaves its equal range by this factor at most. */
const furthest = 64;

/** `feltOf`: null where nothing is known of a layer; then the scales are given back as they are. */
export async function leastNoise(
  cluster: Cluster,
  start: readonly Float64Array[],
  feltOf: (site: LayerSite) => Felt | null,
  weightsOf: (site: LayerSite) => Promise<Float32Array>,
): Promise<Float64Array[]> {
  const kept = start.map((scales) => scales.slice());
  const layers: NoisyLayer[] = [];
  for (const site of cluster.layers) {
    const felt = feltOf(site);
    if (!felt) return kept;
    layers.push(noisyLayer(cluster, site, felt, await weightsOf(site)));
  }
  const pairs = layers.reduce((all, { sizes }) => all + sizes.length, 0);
  const turns = Math.min(sweeps, Math.floor(mostPairs / pairs));
  if (turns < fewestSweeps) return kept;
  return descend(layers, kept, turns);
}

function noisyLayer(cluster: Cluster, site: LayerSite, felt: Felt, weights: Float32Array): NoisyLayer {
  const { before, behind } = besides(cluster, site);
  const joint = cluster.joints[before];
  const view = viewOf(site);
  const channelOf = joint ? channelsOf(joint, site) : (input: number) => input;
  const inputs = view.columns * view.groups;
  const channels = joint?.channels ?? inputs;
  const moments = along(felt.input, felt.inputAxis);
  const gains = alongAxis(felt.gains, felt.outputAxis);
  // Several inputs of one channel (a flattened picture) count with their mean: a pair then stands for all of them.
  const each = channels / inputs;
  const power = [new Float64Array(channels), new Float64Array(channels)] as const;
  for (let input = 0; input < inputs; input++) {
    power[0][channelOf(input)]! += at(moments.variance, input) * each;
    power[1][channelOf(input)]! += at(moments.mean, input) ** 2 * each;
  }
  const perGroup = view.rows / view.groups;
  const width = channels / view.groups;
  const sizes = new Float64Array(view.rows * width);
  everyRun(view, (row, input, from) => {
    const pair = row * width + channelOf(input) - Math.floor(row / perGroup) * width;
    for (let t = 0; t < view.taps; t++) sizes[pair] = Math.max(sizes[pair]!, Math.abs(weights[from + t]!));
  });
  const perRow = (values: Float64Array) => Float64Array.from({ length: view.rows }, (_, row) => at(values, row));
  return {
    before,
    behind,
    rows: Int32Array.from(sizes, (_, pair) => Math.floor(pair / width)),
    columns: Int32Array.from(sizes, (_, pair) => {
      const row = Math.floor(pair / width);
      return Math.floor(row / perGroup) * width + (pair % width);
    }),
    sizes,
    parts: [
      { power: power[0], gain: perRow(gains.varying) },
      { power: power[1], gain: perRow(gains.constant) },
    ],
    weight: (felt.places * view.taps) / each,
    rises: new Float64Array(sizes.length),
    rowEnergy: new Float64Array(view.rows),
    columnEnergy: new Float64Array(channels),
  };
}

/** Adam over the logarithms of the scales, the best place kept. */
function descend(layers: readonly NoisyLayer[], start: Float64Array[], turns: number): Float64Array[] {
  const origin = start.map((scales) => scales.map(Math.log));
  const logs = origin.map((one) => one.slice());
  const first = logs.map((one) => new Float64Array(one.length));
  const second = logs.map((one) => new Float64Array(one.length));
  let best = start;
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < turns; turn++) {
    const scales = logs.map((one) => one.map(Math.exp));
    const slopes = logs.map((one) => new Float64Array(one.length));
    const noise = layers.reduce((sum, layer) => sum + noiseOf(layer, scales, slopes), 0);
    if (!(noise > 0)) return best;
    if (noise < least) {
      least = noise;
      best = scales;
    }
    const step = pace * (1 - turn / turns);
    for (const [j, own] of logs.entries()) {
      for (let i = 0; i < own.length; i++) {
        const slope = slopes[j]![i]! / noise;
        first[j]![i] = 0.9 * first[j]![i]! + 0.1 * slope;
        second[j]![i] = 0.99 * second[j]![i]! + 0.01 * slope * slope;
        const mean = first[j]![i]! / (1 - 0.9 ** (turn + 1));
        const size = Math.sqrt(second[j]![i]! / (1 - 0.99 ** (turn + 1)));
        const next = own[i]! - (size > 0 ? (step * mean) / size : 0);
        const reach = Math.log(furthest);
        own[i] = Math.min(origin[j]![i]! + reach, Math.max(origin[j]![i]! - reach, next));
      }
    }
  }
  return best;
}

/** The layer's noise; what it changes with the logarithm of each scale is added to `slopes`, the largest weight softened to a norm of 32. */
function noiseOf(layer: NoisyLayer, scales: readonly Float64Array[], slopes: readonly Float64Array[]): number {
  const { rows, columns, sizes, parts, weight } = layer;
  const [ins, outs] = [scales[layer.before], scales[layer.behind]];
  const [inSlope, outSlope] = [slopes[layer.before], slopes[layer.behind]];
  const count = sizes.length;
  const rises = layer.rises;
  let most = 0;
  for (let pair = 0; pair < count; pair++) {
    const size = (sizes[pair]! * (ins ? ins[columns[pair]!]! : 1)) / (outs ? outs[rows[pair]!]! : 1);
    rises[pair] = size;
    if (size > most) most = size;
  }
  if (most === 0) return 0;
  let norm = 0;
  for (let pair = 0; pair < count; pair++) {
    const risen = power32(rises[pair]! / most);
    rises[pair] = risen;
    norm += risen;
  }
  const soft = most * norm ** (1 / 32);

  let energy = 0;
  const rowEnergy = layer.rowEnergy.fill(0);
  const columnEnergy = layer.columnEnergy.fill(0);
  const [varying, constant] = parts;
  for (let pair = 0; pair < count; pair++) {
    const row = rows[pair]!;
    const column = columns[pair]!;
    const ratio = (outs ? outs[row]! : 1) / (ins ? ins[column]! : 1);
    const felt = varying.gain[row]! * varying.power[column]! + constant.gain[row]! * constant.power[column]!;
    const one = felt * ratio * ratio;
    energy += one;
    rowEnergy[row]! += one;
    columnEnergy[column]! += one;
  }
  const factor = weight / 12;
  const whole = 2 * soft * soft * energy * factor;
  const slope = 2 * soft * soft * factor;
  for (let pair = 0; pair < count; pair++) {
    const share = (whole * rises[pair]!) / norm;
    if (share === 0) continue;
    if (inSlope) inSlope[columns[pair]!]! += share;
    if (outSlope) outSlope[rows[pair]!]! -= share;
  }
  if (outSlope) for (let row = 0; row < rowEnergy.length; row++) outSlope[row]! += slope * rowEnergy[row]!;
  if (inSlope)
    for (let column = 0; column < columnEnergy.length; column++) inSlope[column]! -= slope * columnEnergy[column]!;
  return most * most * energy * factor;
}

function power32(value: number): number {
  const four = value * value * value * value;
  const sixteen = four * four * four * four;
  return sixteen * sixteen;
}
