// Frees the batch: fixed first dimensions become a symbol and constant Reshape targets follow, where every operator allows it.
import { freshName, readInt, replaceNodes, withAttributes, withInitializers, withInputs } from '../edit';
import type { Dim, Graph, Model, Node, Tensor, Value } from '../graph';
import { inferKnown } from '../shapes';
import { freedTarget } from '../shapes/freed-target';
import type { Known } from '../shapes/known';
import { unknown } from '../shapes/known';
import { int64Tensor } from '../tensor';
import { subgraphs } from '../walk';
import { batchRule } from './batch-rules';

export interface FreedBatch {
  readonly model: Model;
  readonly note: string | null;
}

/**
 * The model with a batch of any size, or the same model with a note that says what holds it. A batch that is declared free but
 * pinned by a constant Reshape is freed too. Outputs for the old batch are the same.
 */
export async function freeBatch(model: Model, taken: Set<string>): Promise<FreedBatch> {
  const declared = declaredBatch(model.graph);
  if (declared === null) return { model, note: null };
  const symbol = typeof declared === 'string' ? declared : freshSymbol(model.graph);
  const trial = withBatch(model, symbol);
  // First as if every constant target followed the batch, then once more without that assumption.
  const hopeful = check(trial, await inferKnown(trial, { declared: false, batch: symbol }), symbol);
  if (hopeful.kind === 'held') {
    if (typeof declared === 'string' && !(await isPinned(model))) return { model, note: null };
    const what =
      typeof declared === 'string' ? `The batch is declared free (${symbol}) but fixed` : 'The batch stays 1';
    return { model, note: `${what}: ${hopeful.why}.` };
  }
  const freed = repinned(trial, hopeful.pins, taken);
  const known = await inferKnown(freed, { declared: false });
  if (check(freed, known, symbol).kind === 'held') return { model, note: null };
  const isAsDeclared =
    typeof declared === 'string' && hopeful.pins.length === 0 && !deniesBatch(model.graph, known, symbol);
  if (isAsDeclared) return { model, note: null };
  return { model: declareShapes(model, freed, known, symbol), note: freedNote(declared, hopeful.pins.length) };
}

function freedNote(declared: 1 | string, rewritten: number): string {
  const reshapes = rewritten === 1 ? 'one Reshape' : `${rewritten} Reshapes`;
  if (typeof declared === 'string') {
    return rewritten === 0
      ? `The batch is free as declared (${declared}); shapes inside the file said otherwise.`
      : `The declared batch (${declared}) is really free now: ${reshapes} had fixed it.`;
  }
  return rewritten === 0 ? 'Batch 1 became any batch.' : `Batch 1 became any batch; ${reshapes} had fixed it.`;
}

/** 1 where every input of rank 2 or more begins with 1, the symbol where all begin with the same one, else null. */
function declaredBatch(graph: Graph): 1 | string | null {
  let batch: 1 | string | null = null;
  for (const { type } of graph.inputs) {
    if (type?.kind !== 'tensor' || !type.shape) return null;
    if (type.shape.length === 0) continue;
    const first: Dim = type.shape[0]!;
    if ((first !== 1 && typeof first !== 'string') || type.shape.length === 1) return null;
    if (batch !== null && batch !== first) return null;
    batch = first;
  }
  return batch;
}

function freshSymbol(graph: Graph): string {
  const symbols = new Set<string>();
  for (const { type } of [...graph.inputs, ...graph.outputs, ...graph.values.values()]) {
    if (type?.kind === 'tensor') for (const dim of type.shape ?? []) if (typeof dim === 'string') symbols.add(dim);
  }
  return freshName(symbols, 'batch');
}

function withBatch(model: Model, symbol: string): Model {
  const inputs = model.graph.inputs.map((value): Value => {
    if (value.type?.kind !== 'tensor' || !value.type.shape?.length) return value;
    return { ...value, type: { ...value.type, shape: [symbol, ...value.type.shape.slice(1)] } };
  });
  return { ...model, graph: { ...model.graph, inputs } };
}

/** A Reshape that fixes the batch, and the target that would not. */
interface Pin {
  readonly node: Node;
  readonly target: readonly number[];
}

type Verdict =
  | { readonly kind: 'free'; readonly pins: readonly Pin[] }
  | { readonly kind: 'held'; readonly why: string };

/** Follows the batch from the inputs: everything computed from samples must carry it once, and keep samples apart. */
function check({ graph }: Model, known: ReadonlyMap<string, Known>, symbol: string): Verdict {
  const knownOf = (name: string): Known => known.get(name) ?? unknown;
  const pins: Pin[] = [];
  const sampled = new Set(
    graph.inputs.filter(({ type }) => type?.kind === 'tensor' && type.shape?.length).map(({ name }) => name),
  );
  for (const node of graph.nodes) {
    const depends = node.inputs.map((name) => sampled.has(name));
    const captures = subgraphs(node).length > 0;
    if (captures) return { kind: 'held', why: `${labelOf(node)} has a subgraph` };
    if (!depends.includes(true)) continue;
    // Sizes are the same for all samples; inference follows the symbol through what is computed from them.
    if (node.domain === '' && (node.op === 'Shape' || node.op === 'Size')) continue;
    const inputs = node.inputs.map((name) => (name === '' ? unknown : knownOf(name)));
    const output = knownOf(node.outputs[0] ?? '');
    const at = inputs.map(({ shape }) => axisIn(shape, symbol));
    const out = axisIn(output.shape, symbol);
    const rule = batchRule(node);
    if (!rule) return { kind: 'held', why: `${labelOf(node)} may mix the samples of a batch` };
    const isFree = rule({ node, inputs, output, at, out, isConstant: (i) => !depends[i] });
    if (!isFree || depends.some((is, i) => is && at[i] === null)) {
      return { kind: 'held', why: `${labelOf(node)} does not keep the samples of a batch apart` };
    }
    const target = node.op === 'Reshape' && at[0] === 0 ? freedTarget(inputs[0]!.shape!, inputs[1]?.values) : null;
    if (target && readInt(node, 'allowzero', 0) === 1 && target.slice(1).includes(0)) {
      return { kind: 'held', why: `${labelOf(node)} makes an empty axis` };
    }
    if (target) pins.push({ node, target });
    for (const name of node.outputs) if (name !== '') sampled.add(name);
  }
  for (const { name } of graph.outputs) {
    if (sampled.has(name) && axisIn(knownOf(name).shape, symbol) !== 0) {
      return { kind: 'held', why: `output ${name} does not begin with the batch` };
    }
  }
  return { kind: 'free', pins };
}

/** The axis of the batch where it occurs exactly once and every other size is known or another symbol. */
function axisIn(shape: readonly Dim[] | null, symbol: string): number | null {
  if (!shape) return null;
  const axis = shape.indexOf(symbol);
  return axis >= 0 && shape.indexOf(symbol, axis + 1) < 0 ? axis : null;
}

/** The Reshapes with their new targets. Under `allowzero` a 0 would mean an empty axis: the attribute goes. */
function repinned(model: Model, pins: readonly Pin[], taken: Set<string>): Model {
  const tensors: Tensor[] = [];
  const replacements = new Map<Node, readonly Node[]>();
  for (const { node, target } of pins) {
    const name = freshName(taken, `${node.inputs[1]}_batch`);
    tensors.push(int64Tensor(name, [target.length], target));
    replacements.set(node, [withInputs(withAttributes(node, { allowzero: null }), [node.inputs[0]!, name])]);
  }
  return { ...model, graph: withInitializers(replaceNodes(model.graph, replacements), tensors) };
}

/** True where the outputs that should begin with the declared symbol begin with a number. */
async function isPinned(model: Model): Promise<boolean> {
  const known = await inferKnown(model, { declared: false });
  return model.graph.outputs.some(({ name }) => {
    const first = known.get(name)?.shape?.[0];
    return typeof first === 'number';
  });
}

/** True where the file declares a number for an output or value that begins with the batch. */
function deniesBatch(graph: Graph, known: ReadonlyMap<string, Known>, symbol: string): boolean {
  return [...graph.outputs, ...graph.values.values()].some(({ name, type }) => {
    const axis = axisIn(known.get(name)?.shape ?? null, symbol);
    return axis !== null && type?.kind === 'tensor' && typeof type.shape?.[axis] === 'number';
  });
}

/** Declares what is true now; stale sizes of intermediate values go, the runtime finds them itself. */
function declareShapes(original: Model, trial: Model, known: ReadonlyMap<string, Known>, symbol: string): Model {
  const follows = (name: string): boolean => known.get(name)?.shape?.includes(symbol) ?? true;
  const outputs = original.graph.outputs.map((value): Value => {
    const shape = known.get(value.name)?.shape;
    if (value.type?.kind !== 'tensor' || !shape) return value;
    const old = value.type.shape;
    return {
      ...value,
      type: { ...value.type, shape: shape.map((dim, i) => (dim === symbol ? symbol : (old?.[i] ?? dim))) },
    };
  });
  const values = new Map([...trial.graph.values].filter(([name]) => !follows(name)));
  return { ...trial, graph: { ...trial.graph, outputs, values } };
}

function labelOf(node: Node): string {
  return node.name ? `${node.op} ${node.name}` : `${node.op} (${node.outputs[0] ?? ''})`;
}
