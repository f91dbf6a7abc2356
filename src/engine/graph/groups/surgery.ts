// The model without some of its channels: tensors, shape constants, attributes and declared shapes follow. And the same model with masks, for proof.
import {
  freshName,
  intAttribute,
  makeNode,
  namesIn,
  readInt,
  withAttributes,
  withInitializers,
  withInputs,
  withoutUnused,
} from '../edit';
import {
  byteLength,
  dataTypes,
  type Graph,
  type Model,
  type Node,
  type Tensor,
  type TensorData,
  type Value,
} from '../graph';
import { smallValues } from '../shapes/constants';
import { floatTensor, int64Tensor, readBytes } from '../tensor';
import { constantTensor } from '../walk';
import { headCounts } from './fused-rules';
import { Kept } from './kept';
import { shapeInputs } from './sizes';
import type { Trace } from './trace';

/** Makes bytes whose length is known before; see the workshop of methods. */
export type Make = (length: number, compute: () => Promise<Uint8Array>) => Promise<TensorData>;

const inMemory: Make = async (_, compute) => ({ kind: 'bytes', bytes: await compute() });

/** Without the units in `gone`. The trace is of this model; every tensor that keeps its size is shared. */
export async function sliced(trace: Trace, gone: ReadonlySet<number>, make: Make = inMemory): Promise<Model> {
  const kept = new Kept(trace, gone);
  const { model, stored } = trace;
  const tensors: Tensor[] = [];
  for (const [name, tensor] of stored) {
    if (!kept.isChanged(name)) continue;
    const places = kept.ofValue(name);
    const dims = kept.dims(tensor, name);
    const data = await make(byteLength(tensor.dtype, dims), async () => cut(await readBytes(tensor), tensor, places));
    tensors.push({ ...tensor, name, dims, data });
  }
  const lifted = new Set(tensors.map(({ name }) => name));
  const surgeon = new Surgeon(trace, kept);
  const nodes = model.graph.nodes.flatMap((node) =>
    constantTensor(node) && lifted.has(node.outputs[0]!) ? [] : surgeon.operate(node),
  );
  const graph: Graph = {
    ...model.graph,
    nodes,
    inputs: model.graph.inputs.map((value) => redeclared(value, kept)),
    outputs: model.graph.outputs.map((value) => redeclared(value, kept)),
    values: new Map([...model.graph.values].map(([name, value]) => [name, redeclared(value, kept)])),
  };
  return { ...model, graph: withoutUnused(withInitializers(graph, [...tensors, ...surgeon.constants])) };
}

/** The same channels are still there, and whatever adds up over them meets zeros: the answers of the sliced model. */
export function masked(trace: Trace, gone: ReadonlySet<number>): Model {
  const kept = new Kept(trace, gone);
  const { graph } = trace.model;
  const taken = namesIn(graph);
  const masks: Tensor[] = [];
  const before = new Map<Node, Node[]>();
  const inputs = new Map<Node, string[]>();
  for (const { node, input, axis, channels } of trace.readings) {
    const places = kept.on(channels);
    if (!places) continue;
    const rank = trace.axes.get(node.inputs[input]!)!.length;
    const values = new Float32Array(channels.length);
    for (const place of places) values[place] = 1;
    const dims = Array.from({ length: rank }, (_, i) => (i === axis ? channels.length : 1));
    const mask = floatTensor(freshName(taken, 'mask'), dims, values);
    const output = freshName(taken, 'masked');
    masks.push(mask);
    before.set(node, [...(before.get(node) ?? []), makeNode('Mul', [node.inputs[input]!, mask.name], [output])]);
    const own = inputs.get(node) ?? [...node.inputs];
    own[input] = output;
    inputs.set(node, own);
  }
  const nodes = graph.nodes.flatMap((node) => {
    const own = inputs.get(node);
    return own ? [...before.get(node)!, withInputs(node, own)] : [node];
  });
  return { ...trace.model, graph: withInitializers({ ...graph, nodes }, masks) };
}

function redeclared(value: Value, kept: Kept): Value {
  const { type, name } = value;
  if (type?.kind !== 'tensor' || !type.shape || !kept.isChanged(name)) return value;
  const places = kept.ofValue(name);
  return { ...value, type: { ...type, shape: type.shape.map((dim, i) => places[i]?.length ?? dim) } };
}

/** Elements at the places that stay, axis by axis. */
function cut(bytes: Uint8Array, { dtype, dims }: Tensor, places: readonly (Int32Array | null)[]): Uint8Array {
  const now = [...dims];
  let values = bytes;
  for (const [axis, own] of places.entries()) {
    if (!own) continue;
    const inner = (now.slice(axis + 1).reduce((a, b) => a * b, 1) * dataTypes[dtype].bits) / 8;
    const outer = now.slice(0, axis).reduce((a, b) => a * b, 1);
    const next = new Uint8Array(outer * own.length * inner);
    for (let o = 0; o < outer; o++)
      for (const [i, place] of own.entries()) {
        const from = (o * now[axis]! + place) * inner;
        next.set(values.subarray(from, from + inner), (o * own.length + i) * inner);
      }
    values = next;
    now[axis] = own.length;
  }
  return values;
}

/** Beyond any size. */
const toTheEnd = 2 ** 31 - 1;

class Surgeon {
  readonly constants: Tensor[] = [];
  private readonly taken: Set<string>;

  constructor(
    private readonly trace: Trace,
    private readonly kept: Kept,
  ) {
    this.taken = namesIn(trace.model.graph);
  }

  /** The node as it is among fewer channels, behind what it needs. */
  operate(node: Node): Node[] {
    const shapeInput = node.domain === '' ? shapeInputs[node.op] : undefined;
    if (shapeInput !== undefined && node.inputs[shapeInput]) return this.reshape(node, shapeInput);
    const heads = headCounts[node.op];
    if (heads) return [this.fewerHeads(node, heads)];
    if (node.domain !== '') return [node];
    switch (node.op) {
      case 'Conv':
      case 'ConvTranspose':
        return [this.fewerGroups(node)];
      case 'Split':
        return [this.split(node)];
      case 'Slice':
        return [this.slice(node)];
      case 'Gather':
        return [this.gather(node)];
      default:
        return [node];
    }
  }

  private constant(wanted: string, values: readonly number[]): string {
    const tensor = int64Tensor(freshName(this.taken, wanted), [values.length], values);
    this.constants.push(tensor);
    return tensor.name;
  }

  /** Sizes that are known are written anew; of a computed shape the rest stays computed. */
  private reshape(node: Node, input: number): Node[] {
    const output = node.outputs[0]!;
    if (!this.kept.isChanged(output) && !this.kept.isChanged(node.inputs[0]!)) return [node];
    const shape = this.kept.shapeOf(output);
    const name = node.inputs[input]!;
    const stored = this.trace.stored.get(name);
    const target = stored && smallValues(stored);
    const replace = (value: string) => withInputs(node, node.inputs.with(input, value));
    if (target) {
      // Of Expand, 1 and less than the result's rank leave sizes to the input.
      const lead = shape.length - target.length;
      const sizes = target.map((size, i) => (size > 1 ? ((shape[lead + i] as number) ?? size) : size));
      return sizes.some((size, i) => size !== target[i]) ? [replace(this.constant(`${name}_cut`, sizes))] : [node];
    }
    const sizes = shape.map((dim) => (typeof dim === 'number' ? dim : 0));
    const isKnown: Tensor = {
      name: freshName(this.taken, `${name}_known`),
      dtype: 'bool',
      dims: [sizes.length],
      data: { kind: 'bytes', bytes: Uint8Array.from(shape, (dim) => (typeof dim === 'number' ? 1 : 0)) },
    };
    this.constants.push(isKnown);
    const computed = freshName(this.taken, `${name}_cut`);
    return [
      makeNode('Where', [isKnown.name, this.constant(`${name}_sizes`, sizes), name], [computed]),
      replace(computed),
    ];
  }

  private fewerHeads(node: Node, counts: Readonly<Record<string, number>>): Node {
    const changes = Object.entries(counts).flatMap(([attribute, input]) => {
      const axis = this.trace.axes.get(node.inputs[input] ?? '')?.[2];
      const places = this.kept.on(axis);
      if (!places) return [];
      const heads = readInt(node, attribute, 0);
      return [[attribute, intAttribute((heads * places.length) / (axis as Int32Array).length)] as const];
    });
    return changes.length > 0 ? withAttributes(node, Object.fromEntries(changes)) : node;
  }

  private fewerGroups(node: Node): Node {
    const groups = readInt(node, 'group', 1);
    const axis = this.trace.axes.get(node.inputs[0]!)?.[1];
    const places = this.kept.on(axis);
    if (groups === 1 || !places) return node;
    return withAttributes(node, { group: intAttribute((groups * places.length) / (axis as Int32Array).length) });
  }

  private split(node: Node): Node {
    const axes = this.trace.axes.get(node.inputs[0]!);
    const axis = axes && (readInt(node, 'axis', 0) + axes.length) % axes.length;
    if (axis === undefined || !this.kept.on(axes![axis])) return node;
    const sizes = node.outputs.map((name) => this.kept.shapeOf(name)[axis] as number);
    const explicit = withAttributes(node, { num_outputs: null, split: null });
    return withInputs(explicit, [node.inputs[0]!, this.constant(`${node.inputs[0]}_split`, sizes)]);
  }

  /** Starts and ends count what stays before them. */
  private slice(node: Node): Node {
    const axes = this.trace.axes.get(node.inputs[0]!);
    const named = this.values(node.inputs[3]) ?? axes?.map((_, i) => i);
    const [starts, ends] = [this.values(node.inputs[1]), this.values(node.inputs[2])];
    if (!axes || !named || !starts || !ends) return node;
    const counted = (bounds: readonly number[]) =>
      bounds.map((bound, i) => {
        const axis = axes[(named[i]! + axes.length) % axes.length]!;
        const places = this.kept.on(axis);
        if (!places) return Math.min(bound, toTheEnd);
        const at = bound < 0 ? Math.max(0, bound + axis.length) : bound;
        return places.filter((place) => place < at).length;
      });
    const [from, to] = [counted(starts), counted(ends)];
    const before = [...starts, ...ends];
    const isSame = [...from, ...to].every((one, i) => one === before[i]);
    if (isSame) return node;
    // All of them in one type, whatever they were in.
    const lists = [from, to, named, ...(node.inputs[4] ? [this.values(node.inputs[4])!] : [])];
    return withInputs(node, [node.inputs[0]!, ...lists.map((list) => this.constant(`${node.outputs[0]}_slice`, list))]);
  }

  /** Places picked by stored numbers: those that stay, under their new numbers. */
  private gather(node: Node): Node {
    const axes = this.trace.axes.get(node.inputs[0]!);
    const at = this.values(node.inputs[1]);
    const axis = axes?.[(readInt(node, 'axis', 0) + axes.length) % axes.length];
    const places = this.kept.on(axis);
    if (!at || !axis || !places) return node;
    const numbers = new Map([...places].map((place, i) => [place, i]));
    const left = at.flatMap((place) => numbers.get((place + axis.length) % axis.length) ?? []);
    return withInputs(node, node.inputs.with(1, this.constant(`${node.inputs[1]}_cut`, left)));
  }

  private values(name: string | undefined): readonly number[] | undefined {
    const tensor = this.trace.stored.get(name ?? '');
    return tensor && smallValues(tensor);
  }
}
