// Channel groups: what hangs together becomes units that go as one; interchangeable units are a group.
import type { Model } from '../graph';
import type { LayerSite } from '../layers';
import type { Shapes } from '../shapes';
import type { Axis } from './channels';
import { type Trace, traceChannels } from './trace';

/** Units that sit on the same axes of the same tensors: any of them may go, one is as good as another. */
export interface ChannelGroup {
  /** One number for each unit, as the trace's channels tell it. */
  readonly units: readonly number[];
  /** Layers whose output channels these are, in the order of the graph. */
  readonly makers: readonly string[];
  /** Output channels of a maker that one unit stands for: 1, or the width of a head. */
  readonly width: number;
  /** Why none of them may go; null where some may. */
  readonly reason: string | null;
}

export interface ChannelGroups {
  readonly trace: Trace;
  readonly list: readonly ChannelGroup[];
  /** Groups of the output channels of a layer. */
  readonly byLayer: ReadonlyMap<string, readonly ChannelGroup[]>;
  /** Why no output channel of a layer may go. */
  readonly reasons: ReadonlyMap<string, string>;
}

const known = new WeakMap<Model, ChannelGroups>();

/** The groups of a model; found once for each. */
export function channelGroups(model: Model, shapes: Shapes, sites: readonly LayerSite[]): ChannelGroups {
  let groups = known.get(model);
  if (!groups) known.set(model, (groups = findGroups(model, shapes, sites)));
  return groups;
}

function findGroups(model: Model, shapes: Shapes, sites: readonly LayerSite[]): ChannelGroups {
  const trace = traceChannels(model, shapes);
  const makers = new Map<number, Set<string>>();
  const widths = new Map<number, number>();
  const reasons = new Map<string, string>();
  for (const site of sites) {
    const axis = site.graph === model.graph ? trace.made.get(site.node) : undefined;
    const reason = axis === undefined ? unmade(site, model) : wholeReason(trace, axis);
    if (reason !== null) reasons.set(site.name, reason);
    if (axis === undefined || typeof axis === 'string') continue;
    for (const [unit, count] of countUnits(trace, axis)) {
      makers.set(unit, (makers.get(unit) ?? new Set()).add(site.name));
      widths.set(unit, Math.max(widths.get(unit) ?? 1, count));
    }
  }
  const list = [...Map.groupBy(unitsOf(trace), ([, signature]) => signature).values()].flatMap(
    (units): ChannelGroup[] => {
      const first = units[0]![0];
      const by = makers.get(first);
      if (!by) return [];
      const reason =
        trace.channels.reason(first) ??
        (units.length < 2 ? 'all of them hang together and could only go as one' : null);
      return [{ units: units.map(([unit]) => unit), makers: [...by], width: widths.get(first)!, reason }];
    },
  );
  const byLayer = new Map<string, ChannelGroup[]>();
  for (const group of list) for (const name of group.makers) byLayer.set(name, [...(byLayer.get(name) ?? []), group]);
  for (const [name, groups] of byLayer)
    if (!reasons.has(name) && groups.every(({ reason }) => reason !== null)) reasons.set(name, groups[0]!.reason!);
  return { trace, list, byLayer, reasons };
}

function unmade({ op, graph, bits }: LayerSite, model: Model): string {
  if (graph !== model.graph) return 'they are inside a branch or loop';
  return bits < 16 ? 'they have codes already: prune before quantizing' : `${op} is not taken apart`;
}

/** Null where at least one channel may go. */
function wholeReason({ channels }: Trace, axis: Axis): string | null {
  return channels.isFixed(axis) ? channels.reasonOf(axis) || 'it has a single one' : null;
}

/** Each unit with the axes of stored tensors it sits on, how often on each. */
function unitsOf(trace: Trace): [unit: number, signature: string][] {
  const signatures = new Map<number, string[]>();
  let index = 0;
  for (const name of trace.stored.keys()) {
    for (const axis of trace.axes.get(name) ?? []) {
      index++;
      if (typeof axis === 'string') continue;
      for (const [unit, count] of countUnits(trace, axis)) {
        const parts = signatures.get(unit);
        const part = `${index}×${count}`;
        if (parts) parts.push(part);
        else signatures.set(unit, [part]);
      }
    }
  }
  return [...signatures].map(([unit, parts]) => [unit, parts.join(' ')]);
}

/** How many places of an axis each unit has. */
function countUnits({ channels }: Trace, axis: Int32Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (const channel of axis) {
    const unit = channels.find(channel);
    counts.set(unit, (counts.get(unit) ?? 0) + 1);
  }
  return counts;
}
