// How important a channel is: by its weights in every layer it touches, by the gain of its norm, by how loud it is on samples.
import type { ChannelGroup } from '../../graph/groups/groups';
import type { Trace } from '../../graph/groups/trace';
import { readFloats } from '../../graph/tensor';
import { openTaps } from '../../runtime/taps';
import type { Subject } from '../method';
import type { Gathering } from './gathering';

export type Criterion = 'l1' | 'l2' | 'batchnorm' | 'activation' | 'taylor' | 'taylor-second';

/** Sums over the units that may go. */
export type Sums = Map<number, number>;

/** Divided by the mean of their group: layers of large weights are no more important than others. */
export function normalised(groups: readonly ChannelGroup[], sums: Sums, root: boolean): ReadonlyMap<number, number> {
  const scores = new Map<number, number>();
  for (const { units } of groups) {
    const own = units.map((unit) => (root ? Math.sqrt(sums.get(unit) ?? 0) : (sums.get(unit) ?? 0)));
    const mean = own.reduce((a, b) => a + b, 0) / own.length;
    for (const [i, unit] of units.entries()) scores.set(unit, mean > 0 ? own[i]! / mean : 0);
  }
  return scores;
}

/** Σ|w| or Σw² over every weight of every layer that a unit touches, inputs and outputs. DepGraph, arXiv 2301.12900. */
export async function weightScores(
  { model, sites }: Subject,
  trace: Trace,
  groups: readonly ChannelGroup[],
  kind: 'l1' | 'l2',
): Promise<ReadonlyMap<number, number>> {
  const sums = sumsOf(groups);
  const seen = new Set<string>();
  for (const { weight, graph, tensor } of sites) {
    if (graph !== model.graph || seen.has(weight)) continue;
    seen.add(weight);
    if (!touches(trace, weight, sums)) continue;
    const values = await readFloats(tensor);
    addAlong(trace, weight, tensor.dims, sums, (i) => (kind === 'l1' ? Math.abs(values[i]!) : values[i]! ** 2));
  }
  return normalised(groups, sums, kind === 'l2');
}

/** Σ|γ| of the norms a unit passes. Network slimming, arXiv 1708.06519. */
export async function gainScores(trace: Trace, groups: readonly ChannelGroup[]): Promise<ReadonlyMap<number, number>> {
  const sums = sumsOf(groups);
  for (const name of trace.scales) {
    const tensor = trace.stored.get(name);
    if (!tensor) continue;
    const values = await readFloats(tensor);
    addAlong(trace, name, tensor.dims, sums, (i) => Math.abs(values[i]!));
  }
  return normalised(groups, sums, false);
}

/** Units of a group that pass a norm with a gain. */
export function hasGain(trace: Trace, { units }: ChannelGroup): boolean {
  const unit = units[0]!;
  return [...trace.scales].some((name) => {
    const axis = trace.stored.has(name) ? trace.axes.get(name)?.[0] : undefined;
    return typeof axis === 'object' && axis.some((channel) => trace.channels.find(channel) === unit);
  });
}

/** Mean magnitude of what arrives at the layers that read a unit, over calibration samples. */
export async function activationScores(
  { model, shapes }: Subject,
  trace: Trace,
  groups: readonly ChannelGroup[],
  samples: number,
  gathering: Gathering,
): Promise<ReadonlyMap<number, number>> {
  const { calibration, folder, signal } = gathering;
  if (!calibration) throw new Error('samples are asked for where no step announced the need');
  const sums = sumsOf(groups);
  const readings = trace.readings.filter(
    ({ node, input, channels }) =>
      typeof channels !== 'string' &&
      channels.some((channel) => sums.has(trace.channels.find(channel))) &&
      !trace.stored.has(node.inputs[input]!) &&
      shapes.get(node.inputs[input]!)?.dtype === 'float32',
  );
  const values = new Map(readings.map((one) => [one.node.inputs[one.input]!, one]));
  const taps = await openTaps(model, [...values.keys()], folder);
  const total = Math.min(samples, calibration.samples);
  let done = 0;
  try {
    for await (const feeds of calibration.batches(total)) {
      signal.throwIfAborted();
      for (const [name, { data, dims }] of await taps.run(feeds)) {
        const { axis, channels } = values.get(name)!;
        const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
        const share = 1 / (data.length / dims[axis]!);
        add(trace, channels as Int32Array, inner, data.length, sums, (i) => Math.abs(Number(data[i]!)) * share);
      }
      gathering.tell('Prune channels', Math.min(++done, total), total);
    }
  } finally {
    await taps.close();
  }
  return normalised(groups, sums, false);
}

export function sumsOf(groups: readonly ChannelGroup[]): Sums {
  return new Map(groups.flatMap(({ units }) => units.map((unit) => [unit, 0] as const)));
}

export function touches(trace: Trace, name: string, sums: Sums): boolean {
  return (trace.axes.get(name) ?? []).some(
    (axis) => typeof axis !== 'string' && axis.some((channel) => sums.has(trace.channels.find(channel))),
  );
}

/** Adds a value of every element to the units of each axis of a stored tensor; `whole`: of the sum over one place. */
export function addAlong(
  trace: Trace,
  name: string,
  dims: readonly number[],
  sums: Sums,
  value: (i: number) => number,
  whole: (sum: number) => number = (sum) => sum,
): void {
  const count = dims.reduce((a, b) => a * b, 1);
  for (const [i, axis] of (trace.axes.get(name) ?? []).entries()) {
    if (typeof axis === 'string') continue;
    const inner = dims.slice(i + 1).reduce((a, b) => a * b, 1);
    add(trace, axis, inner, count, sums, value, whole);
  }
}

function add(
  { channels }: Trace,
  axis: Int32Array,
  inner: number,
  count: number,
  sums: Sums,
  value: (i: number) => number,
  whole: (sum: number) => number = (sum) => sum,
): void {
  const units = Array.from(axis, (channel) => channels.find(channel));
  if (!units.some((unit) => sums.has(unit))) return;
  const places = new Float64Array(axis.length);
  for (let start = 0, place = 0; start < count; start += inner, place = place + 1 === axis.length ? 0 : place + 1) {
    let sum = 0;
    for (let i = start; i < start + inner; i++) sum += value(i);
    places[place]! += sum;
  }
  for (const [place, unit] of units.entries()) {
    const known = sums.get(unit);
    if (known !== undefined) sums.set(unit, known + whole(places[place]!));
  }
}
