// Which channels go: group by group the least important first, in steps of sizes that suit the device, until the target is met.

import { elementCount } from '../../graph/graph';
import type { ChannelGroup } from '../../graph/groups/groups';
import { Kept } from '../../graph/groups/kept';
import type { Trace } from '../../graph/groups/trace';
import { batchSymbols, macsOf } from '../../graph/macs';
import type { Subject } from '../method';

export type CostKind = 'parameters' | 'macs';

/** No group loses more than this share of its units: a layer of one channel lets nothing through. */
const mostOfGroup = 0.9;

export interface ChannelChoice {
  readonly gone: ReadonlySet<number>;
  /** Share of the target that went. */
  readonly removed: number;
}

export interface ChoiceAsk {
  readonly subject: Subject;
  readonly trace: Trace;
  readonly groups: readonly ChannelGroup[];
  readonly cost: CostKind;
  /** Share to remove. */
  readonly ratio: number;
  /** Channels of a layer stay a multiple of this. */
  readonly multiple: number;
  /** Importance of each unit, comparable between groups; null: any unit is as good as another. */
  readonly scores: ReadonlyMap<number, number> | null;
  /** Every group loses the same share, or the least important units of all groups go. */
  readonly scope: 'uniform' | 'global';
}

/** Some units of one group, to go together; `key` puts the events of all groups in order. */
interface Event {
  readonly group: ChannelGroup;
  readonly units: readonly number[];
  readonly key: number;
}

/** Units of a group that go at a time, so that its layers keep a multiple of channels. */
export function stepOf({ width }: ChannelGroup, multiple: number): number {
  return multiple / greatestDivisor(multiple, width);
}

/** The sizes a group may be cut to, in units, largest first; empty where none is left. */
export function sizesOf(group: ChannelGroup, multiple: number): number[] {
  const step = stepOf(group, multiple);
  const count = group.units.length;
  const least = Math.max(step, Math.ceil(count * (1 - mostOfGroup)));
  const sizes: number[] = [];
  for (let size = Math.floor((count - 1) / step) * step; size >= least; size -= step) sizes.push(size);
  return sizes;
}

/**
 * The fewest events that reach the ratio; all of them where it is out of reach. Where the last ones go further than they must, groups take
 * back their last event while the ratio still holds, the most important first.
 */
export function chooseChannels(ask: ChoiceAsk): ChannelChoice {
  const events = ask.groups.flatMap((group) => eventsOf(group, ask)).sort((a, b) => a.key - b.key);
  const whole = costOf(ask, new Set());
  const after = (taken: readonly Event[]): ChannelChoice => {
    const gone = new Set(taken.flatMap(({ units }) => units));
    return { gone, removed: whole > 0 ? 1 - costOf(ask, gone) / whole : 0 };
  };
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (after(events.slice(0, middle)).removed >= ask.ratio) high = middle;
    else low = middle + 1;
  }
  let taken = events.slice(0, low);
  let choice = after(taken);
  const tried = new Set<ChannelGroup>();
  for (const event of taken.toReversed()) {
    if (tried.has(event.group) || choice.removed < ask.ratio) continue;
    tried.add(event.group);
    const fewer = taken.filter((one) => one !== event);
    const next = after(fewer);
    if (next.removed >= ask.ratio) [taken, choice] = [fewer, next];
  }
  return choice;
}

function eventsOf(group: ChannelGroup, { multiple, scores, scope }: ChoiceAsk): Event[] {
  const score = (unit: number): number => scores?.get(unit) ?? 0;
  // The sort is stable: equals go in the order of the graph.
  const units = scores ? group.units.toSorted((a, b) => score(a) - score(b)) : group.units;
  const events: Event[] = [];
  let from = 0;
  let most = 0;
  for (const size of sizesOf(group, multiple)) {
    const next = units.slice(from, units.length - size);
    // What is more important never goes before what is less, nor a later step of a group before an earlier one.
    most = Math.max(most, next.reduce((sum, unit) => sum + score(unit), 0) / next.length);
    events.push({ group, units: next, key: scope === 'global' ? most : 1 - size / units.length });
    from = units.length - size;
  }
  return events;
}

/** Weights that methods can act on, or multiply-accumulates for batch 1, once these units have gone. */
function costOf({ subject: { model, sites }, trace, cost }: ChoiceAsk, gone: ReadonlySet<number>): number {
  const kept = new Kept(trace, gone);
  const batch = batchSymbols(model);
  const shapes = cost === 'macs' ? kept.shapes() : null;
  let sum = 0;
  for (const site of sites) {
    const isOuter = site.graph === model.graph;
    if (!shapes) {
      if (site.parameters === 0) continue;
      sum += isOuter ? elementCount(kept.dims(site.tensor, site.weight)) : site.parameters;
    } else {
      const weight = isOuter ? kept.shapeOf(site.node.inputs[site.weightInput]!) : [];
      sum += (weight.length > 0 ? macsOf(site.node, shapes, weight, batch) : site.macs) ?? 0;
    }
  }
  return sum;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
