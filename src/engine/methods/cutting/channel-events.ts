// Which channels go: group by group the least important first, in steps of sizes that suit the device, until the target is met.

import { type Dim, elementCount } from '../../graph/graph';
import type { ChannelGroup } from '../../graph/groups/groups';
import type { Trace } from '../../graph/groups/trace';
import type { LayerSite } from '../../graph/layers';
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
  readonly group: number;
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
  const own = ask.groups.map((group, index) => eventsOf(group, index, ask));
  // The sort is stable and keys rise within a group: the first events of all are the first of each group.
  const order = own.flat().sort((a, b) => a.key - b.key);
  const cost = new Cost(ask, own);
  const whole = cost.of(own.map(() => 0));
  const removed = (taken: readonly number[]): number => (whole > 0 ? 1 - cost.of(taken) / whole : 0);
  const first = (count: number): number[] => {
    const taken = own.map(() => 0);
    for (const { group } of order.slice(0, count)) taken[group]!++;
    return taken;
  };
  let [low, high] = [0, whole > 0 ? order.length : 0];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (removed(first(middle)) >= ask.ratio) high = middle;
    else low = middle + 1;
  }
  let taken = first(low);
  const lasting = new Set(
    order
      .slice(0, low)
      .toReversed()
      .map(({ group }) => group),
  );
  for (const group of removed(taken) >= ask.ratio ? lasting : []) {
    const fewer = taken.with(group, taken[group]! - 1);
    if (removed(fewer) >= ask.ratio) taken = fewer;
  }
  const gone = own.flatMap((events, group) => events.slice(0, taken[group]).flatMap(({ units }) => units));
  return { gone: new Set(gone), removed: removed(taken) };
}

function eventsOf(group: ChannelGroup, index: number, { multiple, scores, scope }: ChoiceAsk): Event[] {
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
    events.push({ group: index, units: next, key: scope === 'global' ? most : 1 - size / units.length });
    from = units.length - size;
  }
  return events;
}

/** How many places an axis loses to the first events of one group: none, those of one event, of two … */
interface Loss {
  readonly group: number;
  readonly places: Int32Array;
}

/** What the model costs once each group has lost so many events. Places are counted once, so that asking again is cheap. */
class Cost {
  private readonly eventOf = new Map<number, readonly [group: number, event: number]>();
  private readonly losses = new Map<Int32Array, readonly Loss[]>();
  private readonly batch: ReadonlySet<string>;

  constructor(
    private readonly ask: ChoiceAsk,
    private readonly events: readonly (readonly Event[])[],
  ) {
    this.batch = batchSymbols(ask.subject.model);
    for (const own of events)
      for (const [i, { group, units }] of own.entries()) for (const unit of units) this.eventOf.set(unit, [group, i]);
  }

  /** Weights that methods can act on, or multiply-accumulates for batch 1. */
  of(taken: readonly number[]): number {
    const { subject, cost } = this.ask;
    let sum = 0;
    for (const site of subject.sites) sum += cost === 'macs' ? this.macs(site, taken) : this.parameters(site, taken);
    return sum;
  }

  private parameters({ graph, parameters, weight }: LayerSite, taken: readonly number[]): number {
    if (parameters === 0 || graph !== this.ask.subject.model.graph) return parameters;
    return elementCount(this.shape(weight, taken) as number[]);
  }

  /** Where the length of a sequence is open it is one: its layers then count as often as their weights. */
  private macs(site: LayerSite, taken: readonly number[]): number {
    const { model, shapes } = this.ask.subject;
    const { node, graph, weightInput, macs, parameters } = site;
    if (graph !== model.graph) return macs ?? parameters;
    const weight = this.shape(node.inputs[weightInput]!, taken);
    if (macs === null) return elementCount(weight as number[]);
    const names = [...node.inputs, ...node.outputs].filter((name) => shapes.has(name));
    const now = names.map((name) => [name, { dtype: null, shape: this.shape(name, taken) }] as const);
    return macsOf(node, new Map(now), weight, this.batch) ?? macs;
  }

  private shape(name: string, taken: readonly number[]): Dim[] {
    const axes = this.ask.trace.axes.get(name);
    const shape = this.ask.trace.stored.get(name)?.dims ?? this.ask.subject.shapes.get(name)?.shape ?? [];
    return shape.map((dim, i) => {
      const axis = axes?.[i];
      if (typeof axis !== 'object') return dim;
      return this.lossesOf(axis).reduce((left, { group, places }) => left - places[taken[group]!]!, axis.length);
    });
  }

  private lossesOf(axis: Int32Array): readonly Loss[] {
    const known = this.losses.get(axis);
    if (known) return known;
    const byGroup = new Map<number, Int32Array>();
    for (const channel of axis) {
      const at = this.eventOf.get(this.ask.trace.channels.find(channel));
      if (!at) continue;
      const [group, event] = at;
      const places = byGroup.get(group) ?? new Int32Array(this.events[group]!.length + 1);
      byGroup.set(group, places);
      places[event + 1]!++;
    }
    for (const places of byGroup.values()) for (let i = 1; i < places.length; i++) places[i]! += places[i - 1]!;
    const losses = [...byGroup].map(([group, places]) => ({ group, places }));
    this.losses.set(axis, losses);
    return losses;
  }
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
