// Shapes and element types of every value, found without running the model.
import type { DataType, Dim, Graph, Model, Node, Tensor, Value } from './graph';
import { smallConstants } from './shapes/constants';
import { agree, type Known, known, type Rule, unknown } from './shapes/known';
import { ruleFor } from './shapes/rules';
import { subgraphs } from './walk';

export interface Shape {
  readonly dtype: DataType | null;
  readonly shape: readonly Dim[] | null;
}

/** Value name → what is known of it. Values of subgraphs are in it too; names that two subgraphs share keep what agrees. */
export type Shapes = ReadonlyMap<string, Shape>;

export interface InferOptions {
  /** False ignores the types that the file declares for intermediate values and outputs. Default true. */
  readonly declared?: boolean;
  /** Constant Reshape targets for batch 1 are taken to follow this symbol, as normalise will make them. */
  readonly batch?: string;
}

/** Follows every value through the graph and its subgraphs. What an unknown operator makes has no shape; nothing throws. */
export async function inferShapes(model: Model, options: InferOptions = {}): Promise<Shapes> {
  return new Map<string, Shape>(await inferKnown(model, options));
}

/** As `inferShapes`, with the elements of small tensors that shapes are computed from. */
export async function inferKnown(
  model: Model,
  { declared = true, batch }: InferOptions = {},
): Promise<ReadonlyMap<string, Known>> {
  const constants = await smallConstants(model);
  const opset = model.opsets.get('') ?? model.opsets.get('ai.onnx') ?? 1;
  // A loop's body is followed twice, the last time counts; per graph, because two subgraphs may use one name.
  const seen = new Map<Graph, Map<string, Known>>();
  inferGraph(model.graph, new Map(), []);
  return merge([...seen.values()]);

  /** `outer`: what enclosing graphs know. `inputs`: what is known of the graph's inputs beyond their declared types. */
  function inferGraph(graph: Graph, outer: ReadonlyMap<string, Known>, inputs: readonly Known[]): readonly Known[] {
    const here = new Map(outer);
    const own = new Map<string, Known>();
    seen.set(graph, own);
    const set = (name: string, value: Known): void => {
      here.set(name, value);
      own.set(name, value);
    };
    for (const [i, input] of graph.inputs.entries()) set(input.name, refine(inputs[i] ?? unknown, input));
    for (const tensor of graph.initializers.values()) set(tensor.name, ofTensor(tensor));
    for (const [name, { values, dims }] of graph.sparse) set(name, known(values.dtype, dims));
    const outputTypes = new Map(graph.outputs.map((value) => [value.name, value]));
    for (const node of graph.nodes) {
      const results = inferNode(node, here);
      for (const [i, name] of node.outputs.entries()) {
        if (name === '') continue;
        const type = declared ? (graph.values.get(name) ?? outputTypes.get(name)) : undefined;
        set(name, type ? refine(results[i] ?? unknown, type) : (results[i] ?? unknown));
      }
    }
    return graph.outputs.map(({ name }) => here.get(name) ?? unknown);
  }

  function inferNode(node: Node, here: ReadonlyMap<string, Known>): readonly Known[] {
    const rule: Rule | null = ruleFor(node.domain, node.op);
    if (!rule) {
      // The types of captured values are still wanted inside.
      for (const { graph } of subgraphs(node)) inferGraph(graph, here, []);
      return [];
    }
    try {
      const result = rule({
        node,
        opset,
        ...(batch === undefined ? {} : { batch }),
        // −1: the elements of the node's own tensor attribute.
        in: (i) => (i < 0 ? ofAttribute(node) : (here.get(node.inputs[i] ?? '') ?? unknown)),
        has: (i) => (node.inputs[i] ?? '') !== '',
        body: (attribute, inputs) => {
          const found = node.attributes.get(attribute);
          return found?.type === 'graph' ? inferGraph(found.value, here, inputs) : [];
        },
      });
      return Array.isArray(result) ? result : [result as Known];
    } catch {
      // A malformed node: its outputs are unknown, the runtime will say what is wrong with it.
      return [];
    }
  }

  function ofTensor(tensor: Tensor): Known {
    return known(tensor.dtype, tensor.dims, constants.get(tensor));
  }

  function ofAttribute(node: Node): Known {
    const attribute = node.attributes.get('value');
    return attribute?.type === 'tensor' ? ofTensor(attribute.value) : unknown;
  }
}

/** What was inferred, and where that is open what the file declares. */
function refine(value: Known, declared: Value): Known {
  if (declared.type?.kind !== 'tensor') return value;
  const { dtype, shape } = declared.type;
  const type = value.dtype ?? dtype;
  if (!value.shape) return { ...value, dtype: type, shape };
  if (!shape || shape.length !== value.shape.length) return { ...value, dtype: type };
  return { ...value, dtype: type, shape: value.shape.map((dim, i) => moreOf(dim, shape[i] ?? null)) };
}

/** A number says more than a symbol, a symbol more than nothing; the inferred one where both say as much. */
function moreOf(inferred: Dim, declared: Dim): Dim {
  if (typeof inferred === 'number' || declared === null) return inferred;
  return typeof declared === 'number' || inferred === null ? declared : inferred;
}

/** One map for all graphs; of a name that several define, what they agree on. */
function merge(graphs: readonly ReadonlyMap<string, Known>[]): ReadonlyMap<string, Known> {
  const all = new Map<string, Known>();
  for (const graph of graphs) {
    for (const [name, value] of graph) {
      const other = all.get(name);
      all.set(
        name,
        other ? known(other.dtype === value.dtype ? value.dtype : null, agree(other.shape, value.shape)) : value,
      );
    }
  }
  return all;
}
