// Follows the channels of every stored tensor through the whole graph: what meets somewhere hangs together from then on. DepGraph, arXiv 2301.12900.
import { type Dim, dataTypes, type Graph, type Model, type Node, type Tensor } from '../graph';
import type { Shapes } from '../shapes';
import { smallValues } from '../shapes/constants';
import { constantTensor, consumers, subgraphs, usedBy } from '../walk';
import { type Call, Lost, type Rule } from './call';
import { type Axis, Channels } from './channels';
import { fusedRules } from './fused-rules';
import { layerRules } from './layer-rules';
import { movementRules } from './movement-rules';
import { fixMeasured } from './sizes';

/** A node adds up over an axis of one of its inputs. */
export interface Reading {
  readonly node: Node;
  readonly input: number;
  readonly axis: number;
  readonly channels: Axis;
}

export interface Trace {
  readonly model: Model;
  readonly shapes: Shapes;
  readonly channels: Channels;
  /** Value name → one for each of its dimensions; values whose rank is not known are missing. */
  readonly axes: ReadonlyMap<string, readonly Axis[]>;
  /** Initializers and Constant nodes, by the name of their value. */
  readonly stored: ReadonlyMap<string, Tensor>;
  /** Output channels of nodes with weights. */
  readonly made: ReadonlyMap<Node, Axis>;
  readonly readings: readonly Reading[];
  /** Values that scale the channels of a norm. */
  readonly scales: ReadonlySet<string>;
}

export function traceChannels(model: Model, shapes: Shapes): Trace {
  return new Tracer(model, shapes).trace();
}

class Tracer {
  private readonly graph: Graph;
  private readonly channels = new Channels();
  private readonly axes = new Map<string, readonly Axis[]>();
  private readonly stored: ReadonlyMap<string, Tensor>;
  private readonly made = new Map<Node, Axis>();
  private readonly readings: Reading[] = [];
  private readonly scales = new Set<string>();

  constructor(
    private readonly model: Model,
    private readonly shapes: Shapes,
  ) {
    this.graph = model.graph;
    const constants = model.graph.nodes.flatMap((node) => {
      const tensor = constantTensor(node);
      return tensor ? [[node.outputs[0]!, tensor] as const] : [];
    });
    this.stored = new Map([...model.graph.initializers, ...constants]);
  }

  trace(): Trace {
    const { graph, model, shapes, channels, axes, stored, made, readings, scales } = this;
    const caches = cachesOf(graph);
    for (const [name, tensor] of stored) axes.set(name, this.axesOf(tensor));
    for (const { name } of graph.inputs) {
      const reason = `they enter the model at ${name}`;
      axes.set(
        name,
        this.dims(name).map((dim) => (caches.has(name) && isLong(dim) ? channels.fresh(dim) : dim === 1 ? '' : reason)),
      );
    }
    for (const node of graph.nodes) if (!constantTensor(node)) this.follow(node);
    const kept = new Set(caches.values());
    for (const { name } of graph.outputs)
      if (!kept.has(name))
        for (const axis of axes.get(name) ?? []) channels.fix(axis, `they leave the model at ${name}`);
    const trace = { model, shapes, channels, axes, stored, made, readings, scales };
    fixMeasured(trace);
    return trace;
  }

  private axesOf({ name, dtype, dims }: Tensor): Axis[] {
    if (dataTypes[dtype].bits < 8) return dims.map(() => `${name} is stored in ${dataTypes[dtype].bits} bits`);
    return dims.map((dim) => (dim > 1 ? this.channels.fresh(dim) : ''));
  }

  private dims(name: string): readonly Dim[] {
    return this.shapes.get(name)?.shape ?? [];
  }

  private follow(node: Node): void {
    const reason = `${node.op} ${node.name || node.outputs[0]} ${verbs[node.op] ?? 'needs all of them'}`;
    const rule = node.domain === '' || node.domain === 'com.microsoft' ? ruleOf(node) : null;
    try {
      if (!rule) throw new Lost();
      const results = rule(this.call(node, reason));
      for (const [i, name] of node.outputs.entries()) if (name !== '') this.set(name, results[i], reason);
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      for (const name of usedBy(node)) for (const axis of this.axes.get(name) ?? []) this.channels.fix(axis, reason);
      for (const name of node.outputs) if (name !== '') this.set(name, undefined, reason);
    }
  }

  /** Where rule and inferred shape disagree on the size of an axis, the rule was wrong about the node: nothing is cut there. */
  private set(name: string, axes: readonly Axis[] | undefined, reason: string): void {
    const shape = this.shapes.get(name)?.shape;
    if (!shape) {
      for (const axis of axes ?? []) this.channels.fix(axis, reason);
      return;
    }
    const fits = axes?.length === shape.length;
    if (!fits) for (const axis of axes ?? []) this.channels.fix(axis, reason);
    this.axes.set(
      name,
      shape.map((dim, i) => {
        const axis = fits ? axes[i]! : reason;
        if (typeof axis === 'string' || axis.length === dim) return axis;
        this.channels.fix(axis, reason);
        return reason;
      }),
    );
  }

  private call(node: Node, reason: string): Call {
    const nameOf = (input: number): string => node.inputs[input] || lost();
    return {
      node,
      channels: this.channels,
      reason,
      axes: (input) => this.axes.get(nameOf(input)) ?? lost(),
      shape: (input) => this.shapes.get(nameOf(input))?.shape ?? lost(),
      has: (input) => (node.inputs[input] ?? '') !== '',
      out: (output = 0) => this.shapes.get(node.outputs[output] ?? '')?.shape ?? lost(),
      values: (input) => {
        const tensor = this.stored.get(node.inputs[input] ?? '');
        return (tensor && smallValues(tensor)) ?? null;
      },
      makes: (axis) => this.made.set(node, axis),
      reads: (input, axis) =>
        this.readings.push({ node, input, axis, channels: this.axes.get(nameOf(input))?.[axis] ?? lost() }),
      scales: (input) => this.scales.add(nameOf(input)),
    };
  }
}

function ruleOf(node: Node): Rule | null {
  if (subgraphs(node).length > 0) return null;
  return fusedRules[node.op] ?? (layerRules[node.op] || movementRules[node.op]) ?? null;
}

/** A cache comes in, grows by what a step adds, and goes out again: whoever keeps it keeps whatever size it has. Input → output. */
function cachesOf(graph: Graph): ReadonlyMap<string, string> {
  const users = consumers(graph);
  const leaving = new Set(graph.outputs.map(({ name }) => name));
  const caches = new Map<string, string>();
  for (const { name } of graph.inputs)
    for (const { op, inputs, outputs } of users.get(name) ?? []) {
      if (op === 'Concat' && inputs[0] === name && leaving.has(outputs[0]!)) caches.set(name, outputs[0]!);
      const slot = fusedCaches[op]?.findIndex((input) => inputs[input] === name) ?? -1;
      if (slot >= 0 && leaving.has(outputs[slot + 1] ?? '')) caches.set(name, outputs[slot + 1]!);
    }
  return caches;
}

/** Inputs of fused attention that are cached keys and values; outputs 1 and 2 are what they become. */
const fusedCaches: Readonly<Record<string, readonly number[]>> = {
  GroupQueryAttention: [3, 4],
  MultiHeadAttention: [6, 7],
  Attention: [4, 5],
};

/** What an operator does that leaves nothing out. */
const verbs: Readonly<Record<string, string>> = {
  Softmax: 'goes over all of them',
  LogSoftmax: 'goes over all of them',
  LayerNormalization: 'normalises over all of them',
  RMSNormalization: 'normalises over all of them',
  SimplifiedLayerNormalization: 'normalises over all of them',
  SkipLayerNormalization: 'normalises over all of them',
  SkipSimplifiedLayerNormalization: 'normalises over all of them',
  GroupNormalization: 'normalises several of them together',
  LRN: 'normalises several of them together',
  ReduceMean: 'averages over all of them',
  ReduceSum: 'adds all of them up',
  Reshape: 'puts them together with others',
  Gather: 'picks from them by number',
  DequantizeLinear: 'has codes for them: prune before quantizing',
  QuantizeLinear: 'makes codes of them: prune before quantizing',
  MatMulNBits: 'has packed codes for them: prune before quantizing',
  MatMulInteger: 'has codes for them: prune before quantizing',
  ConvInteger: 'has codes for them: prune before quantizing',
  QLinearConv: 'has codes for them: prune before quantizing',
  QLinearMatMul: 'has codes for them: prune before quantizing',
  DynamicQuantizeLinear: 'makes codes of them: prune before quantizing',
  LSTM: 'feeds them back into itself',
  GRU: 'feeds them back into itself',
  RNN: 'feeds them back into itself',
};

const isLong = (dim: Dim): dim is number => typeof dim === 'number' && dim > 1;

function lost(): never {
  throw new Lost();
}
