// Cross-layer equalization (Nagel et al., Data-Free Quantization, 2019, §4.1): channel scales under which neighbours have equal ranges.
import { readInt } from '../../graph/edit';
import { elementCount, type Tensor } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { readFloats } from '../../graph/tensor';
import type { Joint } from './joints';
import { rightMatrix } from './matrix';

/**
 * How a stored weight is walked: output m, input c of its group, tap t lie at m·rowStride + c·columnStride + t.
 * The input's index among all is group(m)·columns + c.
 */
export interface WeightView {
  readonly rows: number;
  readonly columns: number;
  readonly taps: number;
  readonly groups: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

export function viewOf(site: LayerSite): WeightView {
  const { dims } = site.tensor;
  if (site.op === 'Conv') {
    const [rows, columns] = dims as [number, number];
    const taps = elementCount(dims.slice(2));
    const groups = readInt(site.node, 'group', 1);
    return { rows, columns, taps, groups, rowStride: columns * taps, columnStride: taps };
  }
  const matrix = rightMatrix(site);
  if (!matrix) throw new Error(`${site.name} was taken for a matrix`);
  const { rows, columns, order } = matrix;
  const strides = order === 'rows' ? { rowStride: columns, columnStride: 1 } : { rowStride: 1, columnStride: rows };
  return { rows, columns, taps: 1, groups: 1, ...strides };
}

/** Calls `each` for every run of taps, with the output and the index of the input among all. */
export function everyRun(view: WeightView, each: (row: number, input: number, at: number) => void): void {
  const { rows, columns, groups, rowStride, columnStride } = view;
  const perGroup = rows / groups;
  for (let row = 0; row < rows; row++) {
    const first = Math.floor(row / perGroup) * columns;
    for (let c = 0; c < columns; c++) each(row, first + c, row * rowStride + c * columnStride);
  }
}

/** Layers that are balanced together: through its joints each depends on all others. */
export interface Cluster {
  readonly layers: readonly LayerSite[];
  readonly joints: readonly Joint[];
}

/** Weights whose magnitudes are held at once while a cluster is balanced. */
const largestCluster = 2 ** 27;

/** Joints that share layers, together; a joint that would make a cluster too large is left out, and its layers fall apart. */
export function clustersOf(joints: readonly Joint[], most = largestCluster): Cluster[] {
  const home = new Map<LayerSite, { layers: Set<LayerSite>; joints: Joint[]; weights: number }>();
  for (const joint of joints) {
    const sites = [...joint.makers, ...joint.readers.map(({ site }) => site)];
    const parts = new Set(sites.map((site) => home.get(site)).filter((part) => part !== undefined));
    const layers = new Set([...[...parts].flatMap((part) => [...part.layers]), ...sites]);
    const weights = [...layers].reduce((sum, { tensor }) => sum + elementCount(tensor.dims), 0);
    if (weights > most && parts.size > 0) continue;
    const whole = { layers, joints: [...[...parts].flatMap((part) => part.joints), joint], weights };
    for (const site of layers) home.set(site, whole);
  }
  return [...new Set(home.values())].map(({ layers, joints: own }) => ({ layers: [...layers], joints: own }));
}

/** The joint in front of a layer, and the one behind it. */
export function besides({ joints }: Cluster, site: LayerSite): { before: number; behind: number } {
  return {
    before: joints.findIndex(({ readers }) => readers.some((reader) => reader.site === site)),
    behind: joints.findIndex(({ makers }) => makers.includes(site)),
  };
}

/** Largest magnitudes of a layer: of each output over each channel of the joint before it (or its inputs, where there is none). */
export interface Magnitudes {
  readonly rows: number;
  /** Channels of the joint before that one output sees. */
  readonly columns: number;
  readonly groups: number;
  readonly values: Float32Array;
  /** Joints on either side, −1 where there is none. */
  readonly before: number;
  readonly behind: number;
}

async function magnitudesOf(cluster: Cluster, site: LayerSite): Promise<Magnitudes> {
  const { before, behind } = besides(cluster, site);
  const weights = await readFloats(site.tensor);
  const view = viewOf(site);
  const { rows, taps, groups } = view;
  const joint = cluster.joints[before];
  const channelOf = joint ? channelsOf(joint, site) : (input: number) => input;
  const columns = (joint ? joint.channels : view.columns * groups) / groups;
  const perGroup = rows / groups;
  const values = new Float32Array(rows * columns);
  everyRun(view, (row, input, at) => {
    const to = row * columns + (channelOf(input) - Math.floor(row / perGroup) * columns);
    let most = values[to]!;
    for (let t = 0; t < taps; t++) {
      const size = Math.abs(weights[at + t]!);
      // What is not finite is nothing a scale could mend.
      if (size > most && size < Infinity) most = size;
    }
    values[to] = most;
  });
  return { rows, columns, groups, values, before, behind };
}

/** Input of a reader → channel of the joint. */
export function channelsOf({ channels, readers }: Joint, site: LayerSite): (input: number) => number {
  const inner = readers.find((reader) => reader.site === site)?.inner ?? 1;
  return (input) => Math.floor(input / inner) % channels;
}

const quietChange = 2e-7;
const quietRounds = 20;
const mostSweeps = 20_000;
/** As the authors' code: beyond this a channel is as good as dead. */
const largestScale = 1e8;

/**
 * scales[j][i]: outputs i of the makers of joint j are divided by it, inputs i of its readers multiplied. Each sweep sets
 * every joint's scales to s_i = √(r1_i / r2_i), r1 the largest weight of the outputs, r2 of the inputs, under the scales of
 * the neighbours; at rest both sides of every joint have the range √(r1_i · r2_i).
 */
export function balance(layers: readonly Magnitudes[], channels: readonly number[]): Float64Array[] {
  const scales = channels.map((count) => new Float64Array(count).fill(1));
  const sides = channels.map((count, j) => ({
    makers: layers.filter(({ behind }) => behind === j),
    readers: layers.filter(({ before }) => before === j),
    made: new Float64Array(count),
    read: new Float64Array(count),
  }));
  const settle = (j: number): number => {
    const own = scales[j]!;
    const { makers, readers, made, read } = sides[j]!;
    made.fill(0);
    read.fill(0);
    for (const layer of makers) widenRows(layer, scales[layer.before], made);
    for (const layer of readers) widenColumns(layer, scales[layer.behind], read);
    let change = 0;
    for (let i = 0; i < own.length; i++) {
      const ratio = Math.sqrt(made[i]! / read[i]!);
      // A channel that nobody feeds or nobody reads keeps its scale.
      const next = ratio > 0 && ratio < Infinity ? Math.min(largestScale, Math.max(1 / largestScale, ratio)) : 1;
      change += Math.abs(next / own[i]! - 1);
      own[i] = next;
    }
    return change / own.length;
  };
  let quiet = 0;
  const enough = scales.length > 1 ? quietRounds : 1;
  for (let sweep = 0; sweep < mostSweeps && quiet < enough; sweep++) {
    let change = 0;
    // Forward, then backward: what one end knows reaches the other in one sweep.
    for (let at = 0; at < scales.length; at++)
      change = Math.max(change, settle(sweep % 2 === 0 ? at : scales.length - 1 - at));
    quiet = change < quietChange ? quiet + 1 : 0;
  }
  return scales;
}

/** into[m] = max over c of |w[m][c]| · before[c] */
function widenRows(
  { rows, columns, groups, values }: Magnitudes,
  before: Float64Array | undefined,
  into: Float64Array,
) {
  const perGroup = rows / groups;
  for (let row = 0; row < rows; row++) {
    const first = Math.floor(row / perGroup) * columns;
    let most = into[row]!;
    for (let c = 0; c < columns; c++) {
      const size = values[row * columns + c]! * (before ? before[first + c]! : 1);
      if (size > most) most = size;
    }
    into[row] = most;
  }
}

/** into[c] = max over m of |w[m][c]| / behind[m] */
function widenColumns(
  { rows, columns, groups, values }: Magnitudes,
  behind: Float64Array | undefined,
  into: Float64Array,
) {
  const perGroup = rows / groups;
  for (let row = 0; row < rows; row++) {
    const first = Math.floor(row / perGroup) * columns;
    const share = behind ? 1 / behind[row]! : 1;
    for (let c = 0; c < columns; c++) {
      const size = values[row * columns + c]! * share;
      if (size > into[first + c]!) into[first + c] = size;
    }
  }
}

/** Reads the cluster's weights one after another and finds the scales of its joints. */
export async function balanceCluster(cluster: Cluster): Promise<Float64Array[]> {
  const magnitudes: Magnitudes[] = [];
  for (const site of cluster.layers) magnitudes.push(await magnitudesOf(cluster, site));
  return balance(
    magnitudes,
    cluster.joints.map(({ channels }) => channels),
  );
}

/** Rows divided by the scales behind the layer, inputs multiplied by those before it. */
export async function rescaled(
  site: LayerSite,
  before: { readonly joint: Joint; readonly scales: Float64Array } | null,
  behind: Float64Array | null,
): Promise<Float32Array> {
  const weights = await readFloats(site.tensor);
  const view = viewOf(site);
  const channelOf = before ? channelsOf(before.joint, site) : () => 0;
  everyRun(view, (row, input, at) => {
    const factor = (before ? before.scales[channelOf(input)]! : 1) / (behind ? behind[row]! : 1);
    for (let t = 0; t < view.taps; t++) weights[at + t] = weights[at + t]! * factor;
  });
  return weights;
}

/** One number per channel, divided by the channel's scale. */
export async function rescaledBias(bias: Tensor, scales: Float64Array): Promise<Float32Array> {
  const values = await readFloats(bias);
  for (let i = 0; i < values.length; i++) values[i] = values[i]! / scales[i]!;
  return values;
}
