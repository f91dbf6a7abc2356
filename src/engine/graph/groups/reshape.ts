// Where channels go when a tensor is given other dimensions: runs of axes with equal products, merged and split again.
import type { Dim } from '../graph';
import type { Axis, Channels } from './channels';

/** Axes [from, to) of the input are axes [start, end) of the output. */
interface Run {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
}

/** Axes of the output; those that cannot be followed are fixed, on both sides. */
export function reshaped(
  channels: Channels,
  axes: readonly Axis[],
  before: readonly Dim[],
  after: readonly Dim[],
  reason: string,
): Axis[] {
  const result: Axis[] = after.map(() => reason);
  const followed = new Set<number>();
  for (const { from, to, start, end } of runsOf(before, after)) {
    for (let i = from; i < to; i++) followed.add(i);
    if (to - from === 1 && end - start === 1) {
      result[start] = axes[from]!;
      continue;
    }
    const flat = merged(channels, axes.slice(from, to), before.slice(from, to) as number[], reason);
    for (const [i, axis] of split(channels, flat, after.slice(start, end) as number[], reason).entries())
      result[start + i] = axis;
  }
  for (const [i, axis] of axes.entries()) if (!followed.has(i)) channels.fix(axis, reason);
  return result;
}

/** From both ends inwards; what lies between two symbols that do not match is left out. */
function runsOf(before: readonly Dim[], after: readonly Dim[]): Run[] {
  const back = oneWay(before.toReversed(), after.toReversed()).map(({ from, to, start, end }) => ({
    from: before.length - to,
    to: before.length - from,
    start: after.length - end,
    end: after.length - start,
  }));
  const usedBefore = Math.min(before.length, ...back.map(({ from }) => from));
  const usedAfter = Math.min(after.length, ...back.map(({ start }) => start));
  return [...oneWay(before.slice(0, usedBefore), after.slice(0, usedAfter)), ...back];
}

function oneWay(before: readonly Dim[], after: readonly Dim[]): Run[] {
  const runs: Run[] = [];
  for (let from = 0, start = 0; from < before.length && start < after.length; ) {
    let [to, end] = [from + 1, start + 1];
    let [a, b] = [before[from]!, after[start]!];
    while (a !== b && typeof a === 'number' && typeof b === 'number') {
      const next: Dim | undefined = a < b ? before[to++] : after[end++];
      if (typeof next !== 'number') return runs;
      if (a < b) a *= next;
      else b *= next;
    }
    if (a !== b || a === null) return runs;
    runs.push({ from, to, start, end });
    [from, start] = [to, end];
  }
  return runs;
}

/** One axis for several: each place has the channel of the first axis that has any; the others can no longer be cut. */
function merged(channels: Channels, axes: readonly Axis[], sizes: readonly number[], reason: string): Axis {
  const carrier = axes.findIndex((axis, i) => sizes[i]! > 1 && !channels.isFixed(axis));
  if (carrier < 0) {
    for (const axis of axes) channels.fix(axis, reason);
    return axes.map((axis) => channels.reasonOf(axis)).find((one) => one !== '') ?? reason;
  }
  for (const [i, axis] of axes.entries()) if (i !== carrier) channels.fix(axis, reason);
  const inner = sizes.slice(carrier + 1).reduce((a, b) => a * b, 1);
  const count = sizes.reduce((a, b) => a * b, 1);
  const axis = axes[carrier] as Int32Array;
  return Int32Array.from({ length: count }, (_, i) => axis[Math.floor(i / inner) % axis.length]!);
}

/** Several axes for one: one of them carries the channels, what it puts together stays together. */
function split(channels: Channels, flat: Axis, sizes: readonly number[], reason: string): Axis[] {
  const long = sizes.flatMap((size, i) => (size > 1 ? [i] : []));
  if (typeof flat === 'string' || long.length === 0) return sizes.map(() => (typeof flat === 'string' ? flat : reason));
  const placeOn = (axis: number): ((i: number) => number) => {
    const inner = sizes.slice(axis + 1).reduce((a, b) => a * b, 1);
    return (i) => Math.floor(i / inner) % sizes[axis]!;
  };
  const carrier = long.find((axis) => follows(channels, flat, placeOn(axis))) ?? leading(long, sizes);
  const place = placeOn(carrier);
  const own = new Int32Array(sizes[carrier]!).fill(-1);
  for (const [i, channel] of flat.entries()) {
    const at = place(i);
    if (own[at]! < 0) own[at] = channel;
    else channels.join(own[at]!, channel);
  }
  return sizes.map((size, i) => (i === carrier ? own : size > 1 ? reason : ''));
}

/** Each place of the axis stands for one channel already, and more than one channel is left. */
function follows(channels: Channels, flat: Int32Array, place: (i: number) => number): boolean {
  const seen = new Map<number, number>();
  for (const [i, channel] of flat.entries()) {
    const root = channels.find(channel);
    const at = place(i);
    const known = seen.get(at);
    if (known === undefined) seen.set(at, root);
    else if (known !== root) return false;
  }
  return new Set(seen.values()).size > 1;
}

/** Heads before their width; two or three parts in front of that are queries, keys and values, or a gate and its value. */
function leading(long: readonly number[], sizes: readonly number[]): number {
  return long.length > 2 && sizes[long[0]!]! <= 3 ? long[1]! : long[0]!;
}
