// A model held to one batch: every input gets its sizes, and every value a static shape.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { refuse } from '../../contract/words/refusal';
import { type DataType, type Dim, elementCount, type Graph, type Model, type Value } from '../graph/graph';
import { inferShapes } from '../graph/shapes';
import { numbersOf } from '../graph/tensor';
import type { Feed, Feeds } from '../runtime/session';
import { openTaps } from '../runtime/taps';
import { declared, type Known } from './tape';

export { declared } from './tape';

export interface Fixed {
  readonly model: Model;
  /** Type and static shape of every tensor of the model's own graph that has one. */
  readonly known: ReadonlyMap<string, Known>;
}

/**
 * The model with its inputs of these sizes (by input; those that are static already need none). What inference leaves open is read off
 * one run: on `sample` where given, else on zeros. `folder` takes that run's temporary file.
 */
export async function withFixedInputs(
  model: Model,
  dims: ReadonlyMap<string, readonly number[]>,
  sample?: Feeds,
  folder?: string,
): Promise<Fixed> {
  const { graph } = model;
  const inputs = graph.inputs.map((input) => fixedInput(input, dims.get(input.name)));
  // Declared sizes are of the batch the file was exported with.
  const open: Model = { ...model, graph: { ...graph, inputs, values: new Map(), outputs: graph.outputs.map(untyped) } };
  const known = new Map<string, Known>();
  const missing: string[] = [];
  const inferred = await inferShapes(open);
  for (const name of tensorsOf(graph)) {
    const { dtype = null, shape = null } = inferred.get(name) ?? {};
    if (dtype && isStatic(shape)) known.set(name, { dtype, dims: shape });
    else missing.push(name);
  }
  if (missing.length > 0) {
    const feeds = sample ?? Object.fromEntries(inputs.map((input) => [input.name, zeros(input.name, known)]));
    for (const [name, { dtype, dims: found }] of await tapped(open, missing, feeds, folder))
      known.set(name, { dtype, dims: found });
  }
  const values = new Map([...known].map(([name, value]) => [name, declared(name, value)]));
  const outputs = graph.outputs.map((output) => values.get(output.name) ?? output);
  return { model: { ...model, graph: { ...graph, inputs, outputs, values: intermediate(graph, values) } }, known };
}

const isStatic = (shape: readonly Dim[] | null): shape is readonly number[] =>
  shape?.every((dim) => typeof dim === 'number') ?? false;

const untyped = ({ name }: Value): Value => ({ name, type: null });

function fixedInput(input: Value, dims: readonly number[] | undefined): Value {
  if (input.type?.kind !== 'tensor')
    refuse('unsupported', `The input "${input.name}" is not a tensor; such models are not trained.`);
  const shape = dims ?? input.type.shape;
  if (!isStatic(shape)) throw new Error(`the input ${input.name} has open sizes and none were given`);
  return { ...input, type: { kind: 'tensor', dtype: input.type.dtype, shape } };
}

/** Values of the graph that can be tensors: no sequences, no optionals. */
function tensorsOf(graph: Graph): string[] {
  const names = [...graph.inputs.map(({ name }) => name), ...graph.initializers.keys(), ...graph.sparse.keys()];
  for (const { op, outputs } of graph.nodes) {
    if (/^(Sequence(?!At|Length)|SplitToSequence|Optional(?!GetElement|HasElement))/.test(op)) continue;
    for (const name of outputs) if (name !== '') names.push(name);
  }
  return names;
}

function intermediate(graph: Graph, values: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
  const ends = new Set([...graph.inputs, ...graph.outputs].map(({ name }) => name));
  return new Map(
    [...values].filter(([name]) => !ends.has(name) && !graph.initializers.has(name) && !graph.sparse.has(name)),
  );
}

function zeros(name: string, known: ReadonlyMap<string, Known>): Feed {
  const value = known.get(name);
  if (!value) throw new Error(`the input ${name} has no type`);
  const count = elementCount(value.dims);
  const bytes = new Uint8Array(count * 8);
  return {
    ...value,
    data: value.dtype === 'float16' ? new Uint16Array(count) : numbersOf(value.dtype, count, bytes, name),
  };
}

async function tapped(
  model: Model,
  names: readonly string[],
  feeds: Feeds,
  folder: string | undefined,
): Promise<ReadonlyMap<string, { readonly dtype: DataType; readonly dims: readonly number[] }>> {
  const place = folder ?? (await mkdtemp(join(tmpdir(), 'lathe-shapes-')));
  try {
    const taps = await openTaps(model, names, place);
    try {
      return await taps.run(feeds);
    } finally {
      await taps.close();
    }
  } finally {
    if (folder === undefined) await rm(place, { recursive: true, force: true });
  }
}
