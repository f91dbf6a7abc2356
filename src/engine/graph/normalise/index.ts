// Brings a model to one dialect before anything else looks at it: opset 21, no local functions, weights that are not inputs,
// a batch of any size. Outputs stay the same. What cannot be brought over stays as it is, and a note says why.
import { mapNodes, namesIn } from '../edit';
import type { Graph, LocalFunction, Model } from '../graph';
import { inferKnown } from '../shapes';
import { everyNode } from '../walk';
import { freeBatch } from './batch';
import { inlineFunctions, NotInlinable } from './functions';
import { withLayerNames } from './names';
import { withReshapedWeights } from './reshaped';
import { dialect, NotConvertible, oldest, upgradeFunction, upgradeGraph } from './upgrade';

export interface Normalised {
  readonly model: Model;
  /** Sentences for the user: what changed, and what did not and why. */
  readonly notes: readonly string[];
}

// Opset 21 came with IR 10. Up to IR 3 every initializer had to be an input.
const dialectIr = 10;
const inputsOptionalIr = 4;

export async function normalise(model: Model): Promise<Normalised> {
  const notes: string[] = [];
  let next = withStandardDomain(model);
  const taken = namesIn(next.graph);
  for (const body of next.functions) for (const node of body.nodes) for (const name of node.outputs) taken.add(name);
  next = withoutInitializerInputs(next, notes);
  next = withLayerNames(next);
  next = withoutFunctions(next, taken, notes);
  next = await atDialect(next, taken, notes);
  next = await withReshapedWeights(next);
  next = withoutUnusedOpsets(next);
  if ((next.opsets.get('') ?? 0) >= 13) {
    const freed = await freeBatch(next, taken);
    if (freed.note) notes.push(freed.note);
    next = freed.model;
  }
  return { model: withLayerNames(next), notes };
}

/** `ai.onnx` is the long name of the standard domain. */
function withStandardDomain(model: Model): Model {
  const isLong = (domain: string): boolean => domain === 'ai.onnx';
  const opsets = new Map([...model.opsets].map(([domain, version]) => [isLong(domain) ? '' : domain, version]));
  const hasLong = everyNode(model).some(({ node }) => isLong(node.domain));
  if (!hasLong && [...model.opsets.keys()].every((domain) => !isLong(domain))) return model;
  return { ...model, opsets, graph: hasLong ? shortDomains(model.graph) : model.graph };
}

function shortDomains(graph: Graph): Graph {
  return mapNodes(graph, (node) => (node.domain === 'ai.onnx' ? { ...node, domain: '' } : node));
}

/** Initializers are constants: an input of the same name would let a caller replace them. */
function withoutInitializerInputs(model: Model, notes: string[]): Model {
  const { graph } = model;
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name) && !graph.sparse.has(name));
  const count = graph.inputs.length - inputs.length;
  if (count === 0) return model;
  notes.push(
    `${count === 1 ? 'One weight was' : `${count} weights were`} also listed as inputs; weights are constants here.`,
  );
  return { ...model, irVersion: Math.max(model.irVersion, inputsOptionalIr), graph: { ...graph, inputs } };
}

function withoutFunctions(model: Model, taken: Set<string>, notes: string[]): Model {
  if (model.functions.length === 0) return model;
  try {
    const { model: flat, count } = inlineFunctions(atOneLevel(model, taken), taken);
    if (count > 0) notes.push(`${count === 1 ? 'One call' : `${count} calls`} of local functions became plain nodes.`);
    return flat;
  } catch (reason) {
    if (!(reason instanceof NotInlinable || reason instanceof NotConvertible)) throw reason;
    notes.push(`Local functions stay as they are: ${reason.message}.`);
    return model;
  }
}

/** Graph and functions at the highest opset among them, so that bodies may be copied into the graph. */
function atOneLevel(model: Model, taken: Set<string>): Model {
  const own = model.opsets.get('');
  const levelOf = (body: LocalFunction): number => body.opsets.get('') ?? body.opsets.get('ai.onnx') ?? own ?? 1;
  const level = Math.max(own ?? 1, ...model.functions.map(levelOf));
  if (own === level && model.functions.every((body) => levelOf(body) === level)) return model;
  const lowest = Math.min(own ?? level, ...model.functions.map(levelOf));
  if (level > dialect || lowest < oldest) throw new NotConvertible('they are written for another opset than the model');
  const upgrade = (from: number) => ({ from, to: level, known: new Map(), taken });
  return {
    ...model,
    opsets: new Map(model.opsets).set('', level),
    functions: model.functions.map((body) => upgradeFunction(body, upgrade(levelOf(body)))),
    graph: own === undefined ? model.graph : upgradeGraph(model.graph, upgrade(own)),
  };
}

async function atDialect(model: Model, taken: Set<string>, notes: string[]): Promise<Model> {
  const from = model.opsets.get('');
  if (from === undefined || from >= dialect) return model;
  if (from < oldest) {
    notes.push(`The model stays at opset ${from}: operators older than opset ${oldest} are not converted.`);
    return model;
  }
  if (model.functions.length > 0) return model;
  try {
    const known = await inferKnown(model);
    const graph = upgradeGraph(model.graph, { from, to: dialect, known, taken });
    notes.push(`Brought from opset ${from} to ${dialect}.`);
    return {
      ...model,
      irVersion: Math.max(model.irVersion, dialectIr),
      opsets: new Map(model.opsets).set('', dialect),
      graph,
    };
  } catch (reason) {
    if (!(reason instanceof NotConvertible)) throw reason;
    notes.push(`The model stays at opset ${from}: ${reason.message}.`);
    return model;
  }
}

/** Exporters list every domain they know; only those in use stay, and the standard one. */
function withoutUnusedOpsets(model: Model): Model {
  const used = new Set(['', ...everyNode(model).map(({ node }) => node.domain)]);
  for (const { nodes, opsets } of model.functions) {
    for (const { domain } of nodes) used.add(domain);
    for (const domain of opsets.keys()) used.add(domain);
  }
  const opsets = new Map([...model.opsets].filter(([domain]) => used.has(domain)));
  return opsets.size === model.opsets.size ? model : { ...model, opsets };
}
