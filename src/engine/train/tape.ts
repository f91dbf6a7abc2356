// The backward graph while it is being written: rules ask what is known of the forward values and append nodes.
import { refuse } from '../../contract/words/refusal';
import { freshName, intAttribute, intsAttribute, makeNode, namesIn, stringAttribute } from '../graph/edit';
import {
  type Attribute,
  type DataType,
  elementCount,
  type Graph,
  type Node,
  type Tensor,
  type Value,
} from '../graph/graph';
import { ruleFor } from '../graph/shapes/rules';
import { bytesTensor, encodeBfloat16, encodeFloat16, int64Tensor } from '../graph/tensor';

/** Type and static shape of a value. */
export interface Known {
  readonly dtype: DataType;
  readonly dims: readonly number[];
}

/** A value as a graph declares it. */
export const declared = (name: string, { dtype, dims }: Known): Value => ({
  name,
  type: { kind: 'tensor', dtype, shape: dims },
});

/** A number is an int, a list of numbers is ints; floats and the rest come as an attribute (`floatAttribute(0.5)`). */
export type AttributeInit = number | string | readonly number[] | Attribute;
export type AttributeInits = Readonly<Record<string, AttributeInit>>;

/** The backward graph while it is being written. Every node named here is of the standard domain unless it says otherwise. */
export interface Tape {
  /** Type and static shape of a forward value, or of one emitted. */
  known(name: string): Known;
  /** Appends one node; answers the name of its first output. */
  emit(op: string, inputs: readonly string[], result: Known, attributes?: AttributeInits, domain?: string): string;
  /** As `emit`, for nodes with several outputs. */
  emitMany(
    op: string,
    inputs: readonly string[],
    results: readonly Known[],
    attributes?: AttributeInits,
    domain?: string,
  ): string[];
  /** A constant of floats, in `dtype` (default float32). */
  floats(dims: readonly number[], values: readonly number[] | Float32Array, dtype?: DataType): string;
  /** A constant scalar of any numeric type. */
  scalar(value: number, dtype: DataType): string;
  /** A constant of int64; a vector unless `dims` says otherwise. */
  ints(values: readonly number[], dims?: readonly number[]): string;
  /** Elements of a forward value that does not depend on the data: integers, or few floats; null where they are not known. */
  constant(name: string | undefined): readonly number[] | null;
  /** An output the forward node has but nobody asked for (LayerNormalization's mean, MaxPool's Indices): its name, added to the node. */
  output(node: Node, index: number, result?: Known): string;
  /** Whether a gradient of this forward value is needed at all. */
  wants(name: string | undefined): boolean;
  /** `g` summed over the axes that broadcasting expanded, in the shape of `to`. */
  unbroadcast(g: string, to: Known): string;
}

/**
 * One gradient for each input of the node, null where none is wanted or there is none.
 * `gradients`: of each output, in the output's shape and type; null where nothing flows.
 */
export type Rule = (tape: Tape, node: Node, gradients: readonly (string | null)[]) => readonly (string | null)[];

/** What a tape is opened over. */
export interface Forward {
  readonly graph: Graph;
  readonly known: ReadonlyMap<string, Known>;
  readonly constants: ReadonlyMap<string, readonly number[]>;
  /** Values a gradient is needed of. */
  readonly wanted: ReadonlySet<string>;
  readonly opset: number;
}

/** A tape with what was written on it. */
export interface WrittenTape extends Tape {
  readonly nodes: readonly Node[];
  readonly constantsMade: ReadonlyMap<string, Tensor>;
  /** What is known of every value, forward and emitted. */
  readonly everything: ReadonlyMap<string, Known>;
  /** A forward node with the outputs that rules asked for. */
  forward(node: Node): Node;
  /** Makes a value known that neither the forward graph nor the tape makes: a new input. */
  learn(name: string, value: Known): void;
  /** What the names of everything emitted from now on start with: the layer it belongs to. */
  under(place: string): void;
  /** A name nobody has, starting with `wanted`. */
  name(wanted: string): string;
}

export function openTape({ graph, known: given, constants, wanted, opset }: Forward): WrittenTape {
  const taken = namesIn(graph);
  const known = new Map(given);
  const nodes: Node[] = [];
  const made = new Map<string, Tensor>();
  const byContent = new Map<string, string>();
  const changed = new Map<Node, readonly string[]>();
  const count = new Map<string, number>();
  let place = 'backward';

  const tape: WrittenTape = {
    nodes,
    constantsMade: made,
    everything: known,
    known(name) {
      const found = known.get(name);
      if (!found) refuse('unsupported', `The shape of "${name}" is not known, so no gradient can be made through it.`);
      return found;
    },
    emit: (op, inputs, result, attributes, domain) => tape.emitMany(op, inputs, [result], attributes, domain)[0]!,
    emitMany(op, inputs, results, attributes = {}, domain = '') {
      const outputs = results.map((result) => {
        const name = tape.name(`${place}/${op}`);
        known.set(name, result);
        return name;
      });
      const plain = Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, attributeOf(value)]));
      nodes.push(makeNode(op, inputs, outputs, { name: outputs[0]!, domain, attributes: plain }));
      return outputs;
    },
    floats: (dims, values, dtype = 'float32') => constant(dtype, dims, values),
    scalar: (value, dtype) => constant(dtype, [], [value]),
    ints: (values, dims = [values.length]) => constant('int64', dims, values),
    constant: (name) => (name ? (constants.get(name) ?? null) : null),
    output(node, index, result) {
      const outputs = changed.get(node) ?? node.outputs;
      if (outputs[index]) return outputs[index];
      const name = tape.name(`${node.name || node.op}/output_${index}`);
      known.set(name, result ?? inferredOutput(node, index));
      changed.set(
        node,
        Array.from({ length: Math.max(outputs.length, index + 1) }, (_, i) =>
          i === index ? name : (outputs[i] ?? ''),
        ),
      );
      return name;
    },
    wants: (name) => name !== undefined && wanted.has(name),
    unbroadcast(g, to) {
      const { dtype, dims } = tape.known(g);
      const lead = dims.length - to.dims.length;
      const axes = dims.flatMap((dim, i) => (i < lead || (to.dims[i - lead] === 1 && dim !== 1) ? [i] : []));
      if (axes.length === 0) return g;
      const keep = axes.every((axis) => axis < lead) ? 0 : 1;
      const summed = dims.flatMap((dim, i) => (!axes.includes(i) ? [dim] : keep ? [1] : []));
      const sum = tape.emit('ReduceSum', [g, tape.ints(axes)], { dtype, dims: summed }, { keepdims: keep });
      if (summed.length === to.dims.length) return sum;
      return tape.emit('Reshape', [sum, tape.ints(to.dims)], { dtype, dims: to.dims });
    },
    forward(node) {
      const outputs = changed.get(node);
      return outputs ? { ...node, outputs } : node;
    },
    learn(name, value) {
      known.set(name, value);
    },
    under(next) {
      place = next;
    },
    name(wantedName) {
      // Counting here keeps thousands of equal wishes from being tried one by one.
      const at = count.get(wantedName) ?? 0;
      count.set(wantedName, at + 1);
      return freshName(taken, at === 0 ? wantedName : `${wantedName}_${at}`);
    },
  };
  return tape;

  /** Small constants are made once. */
  function constant(dtype: DataType, dims: readonly number[], values: ArrayLike<number>): string {
    if (values.length !== elementCount(dims)) throw new RangeError(`${values.length} elements for [${dims}]`);
    const key = values.length <= 64 ? `${dtype}[${dims}]${Array.from(values, exactly).join()}` : null;
    const found = key === null ? undefined : byContent.get(key);
    if (found !== undefined) return found;
    const name = tape.name(`${place}/constant`);
    made.set(name, numbersTensor(name, dtype, dims, values));
    known.set(name, { dtype, dims });
    if (key !== null) byContent.set(key, name);
    return name;
  }

  function inferredOutput(node: Node, index: number): Known {
    const unknown = { dtype: null, shape: null };
    const answer = ruleFor(
      node.domain,
      node.op,
    )?.({
      node,
      opset,
      in: (i) => {
        const name = node.inputs[i];
        const input = name ? known.get(name) : undefined;
        return input ? { dtype: input.dtype, shape: input.dims } : unknown;
      },
      has: (i) => Boolean(node.inputs[i]),
      body: () => [],
    });
    const result = (Array.isArray(answer) ? answer[index] : answer) as
      | { dtype: DataType | null; shape: readonly unknown[] | null }
      | undefined;
    if (!result?.dtype || !result.shape?.every((dim) => typeof dim === 'number'))
      throw new Error(`output ${index} of ${node.op} has no inferred shape`);
    return { dtype: result.dtype, dims: result.shape as number[] };
  }
}

/** −0 and 0 print alike and are not the same constant. */
const exactly = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

function attributeOf(value: AttributeInit): Attribute {
  if (typeof value === 'number') return intAttribute(value);
  if (typeof value === 'string') return stringAttribute(value);
  return 'type' in value ? value : intsAttribute(value);
}

/** A tensor of numbers in any type that constants of a backward graph come in. */
export function numbersTensor(
  name: string,
  dtype: DataType,
  dims: readonly number[],
  values: ArrayLike<number>,
): Tensor {
  if (dtype === 'int64') return int64Tensor(name, dims, Array.from(values));
  const array = arrayOf(dtype, values);
  return bytesTensor(name, dtype, dims, new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
}

function arrayOf(dtype: DataType, values: ArrayLike<number>): ArrayBufferView<ArrayBuffer> {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(values);
    case 'float64':
      return Float64Array.from(values);
    case 'float16':
      return encodeFloat16(Float32Array.from(values)) as Uint16Array<ArrayBuffer>;
    case 'bfloat16':
      return encodeBfloat16(Float32Array.from(values)) as Uint16Array<ArrayBuffer>;
    case 'int32':
      return Int32Array.from(values);
    case 'int16':
      return Int16Array.from(values);
    case 'uint16':
      return Uint16Array.from(values);
    case 'int8':
      return Int8Array.from(values);
    case 'uint8':
    case 'bool':
      return Uint8Array.from(values);
    default:
      throw new Error(`no constants of ${dtype} in a backward graph`);
  }
}
