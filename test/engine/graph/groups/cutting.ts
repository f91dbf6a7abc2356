// What the tests of channel groups share: a cut of every group that may be cut, and whether two models answer alike.
import { expect } from 'vitest';
import { encode } from '../../../../src/engine/formats/onnx';
import type { Model } from '../../../../src/engine/graph/graph';
import { type ChannelGroups, channelGroups } from '../../../../src/engine/graph/groups/groups';
import { masked, sliced } from '../../../../src/engine/graph/groups/surgery';
import { listLayers } from '../../../../src/engine/graph/layers';
import { inferShapes } from '../../../../src/engine/graph/shapes';
import { verify } from '../../../../src/engine/graph/verify';
import { type Feeds, openSession } from '../../../../src/engine/runtime/session';
import { randomNumbers } from '../../models';

export async function groupsOf(model: Model): Promise<ChannelGroups> {
  const shapes = await inferShapes(model);
  return channelGroups(model, shapes, listLayers(model, shapes));
}

/** About half of the units of every group that may be cut, drawn by a seed; at least one goes and one stays. */
export function someUnits({ list }: ChannelGroups, seed: number): Set<number> {
  const random = randomNumbers(seed);
  return new Set(
    list
      .filter(({ reason }) => reason === null)
      .flatMap(({ units }) => units.filter((_, i) => i === 0 || (i < units.length - 1 && random() < 0.5))),
  );
}

/** The outputs of a model, by name. */
export async function answers(model: Model, feeds: Feeds): Promise<Map<string, Float32Array>> {
  const session = await openSession(await encode(model), { threads: 1 });
  try {
    const outputs = await session.run(feeds);
    return new Map(Object.entries(outputs).map(([name, { data }]) => [name, Float32Array.from(data as Float32Array)]));
  } finally {
    await session.close();
  }
}

/** Largest difference of two outputs, as a share of the largest value of either but at least of 1. */
export function apart(one: Float32Array, other: Float32Array): number {
  expect(one.length).toBe(other.length);
  let [most, size] = [0, 1];
  for (const [i, value] of one.entries()) {
    most = Math.max(most, Math.abs(value - other[i]!));
    size = Math.max(size, Math.abs(value), Math.abs(other[i]!));
  }
  return most / size;
}

export interface Compared {
  readonly groups: ChannelGroups;
  readonly small: Model;
  readonly apart: number;
  /** How far the cut moved the answers: a cut that moves nothing proves nothing. */
  readonly moved: number;
}

/** Cuts half of everything; the sliced and the masked model must answer alike. Outputs in `own` have sizes of their own. */
export async function compare(
  model: Model,
  feeds: Feeds,
  seed = 3,
  own: readonly string[] = [],
  fed: (small: Model) => Feeds = () => feeds,
): Promise<Compared> {
  const groups = await groupsOf(model);
  const gone = someUnits(groups, seed);
  const small = await sliced(groups.trace, gone);
  expect(verify(small)).toEqual([]);
  const [whole, mask, cut] = [
    await answers(model, feeds),
    await answers(masked(groups.trace, gone), feeds),
    await answers(small, fed(small)),
  ];
  let [most, moved] = [0, 0];
  for (const [name, values] of cut) {
    if (own.includes(name)) continue;
    most = Math.max(most, apart(values, mask.get(name)!));
    moved = Math.max(moved, apart(values, whole.get(name)!));
  }
  return { groups, small, apart: most, moved };
}
