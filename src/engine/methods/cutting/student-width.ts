// A thinner copy: of a layer whose output only one next layer reads, the channels with the largest weights stay, and what reads them is cut alike.
import type { Refusal } from '../../../contract/words/refusal';
import { replaceNodes, withInitializers } from '../../graph/edit';
import { elementCount, type Graph, type Node, type Tensor } from '../../graph/graph';
import { readFloats } from '../../graph/tensor';
import { consumers } from '../../graph/walk';
import type { Subject } from '../method';
import { type Choice, type Layer, layerOf, type Slice, Way } from './channel-way';
import type { Workshop } from './workshop';

export interface ThinnerPlan {
  readonly slices: readonly Slice[];
  readonly nodes: ReadonlyMap<Node, Node>;
  readonly layers: number;
}

export function thinnerPlan(subject: Subject, share: number): ThinnerPlan | { readonly refusal: Refusal } {
  const { graph } = subject.model;
  const users = consumers(graph);
  const leaving = new Set(graph.outputs.map(({ name }) => name));
  const slices: Slice[] = [];
  const nodes = new Map<Node, Node>();
  let layers = 0;
  for (const site of subject.sites) {
    const start = site.graph === graph ? layerOf(graph, site.node) : null;
    const choice = start && choiceOf(start, share);
    if (!choice) continue;
    const way = new Way(subject, choice, users, leaving);
    if (!way.follow(site.node, start)) continue;
    slices.push(...way.slices);
    for (const [node, changed] of way.nodes) nodes.set(node, changed);
    layers++;
  }
  if (layers === 0)
    return {
      refusal: {
        code: 'unsupported',
        sentence:
          'No layer can be narrowed by itself: the output of each is read by several others, leaves the model, or passes through what mixes its channels.',
        mend: 'Take the shallower student, or prune channels first and let the child be the student.',
      },
    };
  return { slices, nodes, layers };
}

/** The narrowed graph; sizes are known before anything is read. */
export async function narrowed(
  { model: { graph } }: Subject,
  { slices, nodes, layers }: ThinnerPlan,
  workshop: Workshop,
): Promise<{ graph: Graph; note: string }> {
  const chosen = new Map<Choice, Promise<readonly number[]>>();
  const stays = (choice: Choice): Promise<readonly number[]> => {
    const known = chosen.get(choice) ?? largest(choice);
    chosen.set(choice, known);
    return known;
  };
  const tensors: Tensor[] = [];
  for (const [tensor, own] of Map.groupBy(slices, ({ tensor }) => tensor)) {
    const dims = tensor.dims.map((dim, axis) => {
      const slice = own.find((one) => one.axis === axis);
      return slice ? (dim / slice.choice.channels) * slice.choice.kept : dim;
    });
    const data = await workshop.make(elementCount(dims) * 4, async () => {
      let values = await readFloats(tensor);
      const now = [...tensor.dims];
      for (const slice of own) {
        const places = placesOf(slice, await stays(slice.choice));
        values = gathered(values, now, slice.axis, places);
        now[slice.axis] = places.length;
      }
      return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    });
    tensors.push({ ...tensor, dims, data });
  }
  const changed = replaceNodes(graph, new Map([...nodes].map(([node, next]) => [node, [next]])));
  return {
    graph: withInitializers(changed, tensors),
    note: `The student begins with the channels of its teacher that have the largest weights, in ${layers} layer${layers > 1 ? 's' : ''}.`,
  };
}

function choiceOf({ weight, outAxis }: Layer, share: number): Choice | null {
  const channels = weight.dims[outAxis]!;
  const kept = Math.max(1, Math.round(share * channels));
  return kept < channels ? { weight, axis: outAxis, channels, kept } : null;
}

/** The channels with the largest sums of magnitudes, in their order. */
async function largest({ weight, axis, channels, kept }: Choice): Promise<readonly number[]> {
  const values = await readFloats(weight);
  const inner = elementCount(weight.dims.slice(axis + 1));
  const sums = new Float64Array(channels);
  for (let i = 0; i < values.length; i++) sums[Math.floor(i / inner) % channels]! += Math.abs(values[i]!);
  return [...sums.keys()]
    .sort((a, b) => sums[b]! - sums[a]! || a - b)
    .slice(0, kept)
    .sort((a, b) => a - b);
}

function placesOf({ outer, inner, choice: { channels } }: Slice, stays: readonly number[]): number[] {
  return Array.from({ length: outer }, (_, o) =>
    stays.flatMap((c) => Array.from({ length: inner }, (_, i) => (o * channels + c) * inner + i)),
  ).flat();
}

/** The values at these places of one axis. */
function gathered(
  values: Float32Array,
  dims: readonly number[],
  axis: number,
  places: readonly number[],
): Float32Array {
  const inner = elementCount(dims.slice(axis + 1));
  const outer = elementCount(dims.slice(0, axis));
  const out = new Float32Array(outer * places.length * inner);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (const place of places) {
      const from = (o * dims[axis]! + place) * inner;
      out.set(values.subarray(from, from + inner), at);
      at += inner;
    }
  }
  return out;
}
