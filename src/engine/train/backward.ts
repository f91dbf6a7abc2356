// Reverse-mode differentiation: one walk over the forward nodes, last to first, in which every operator's rule appends to the backward graph.
import { Refused, refuse } from '../../contract/words/refusal';
import { makeNode, withoutUnused } from '../graph/edit';
import { elementCount, type Graph, type Model, type Node, type Value } from '../graph/graph';
import { nodeLabels, usedBy } from '../graph/walk';
import { centred } from './centre';
import { constantsOf } from './constants';
import { isFloat } from './emit';
import { lowered } from './lower';
import { ruleOf } from './rules';
import { declared, type Known, openTape, type WrittenTape } from './tape';

export interface Differentiated {
  readonly model: Model;
  /** Parameter → its gradient's output name. A parameter the loss does not depend on is not in it. */
  readonly gradients: ReadonlyMap<string, string>;
}

export interface DifferentiateAsk {
  /** Name of the scalar that is made small. */
  readonly loss: string;
  /** Names of initializers, or of inputs, that gradients are wanted of. */
  readonly wrt: readonly string[];
  /** Further values of the forward graph to have as outputs. */
  readonly keep?: readonly string[];
  /** Type and static shape of every value of the forward graph. */
  readonly known: ReadonlyMap<string, Known>;
}

// ReduceMean and its kin take their axes as an input from 18 on.
const oldestOpset = 18;

/**
 * The model with its gradients: inputs are the model's own and every `wrt`; outputs are the loss, `keep` and the gradients.
 * Refuses ('unsupported') an operator without a rule, naming the layer.
 */
export async function differentiate(model: Model, ask: DifferentiateAsk): Promise<Differentiated> {
  const opset = model.opsets.get('') ?? 1;
  if (opset < oldestOpset)
    refuse('unsupported', `The model is written for opset ${opset}; gradients are made from opset ${oldestOpset} on.`);
  const { graph } = model;
  const wanted = dependents(graph, ask);
  const tape = openTape({ graph, known: ask.known, constants: await constantsOf(model), wanted, opset });
  const gradients = walkBack(graph, tape, ask, wanted);
  const backward = centred(tape, graph.nodes);
  const forward = graph.nodes.flatMap((node) => lowered(tape, tape.forward(node)));

  const named = new Map<string, string>();
  const outputs = new Map<string, Value>();
  for (const name of [ask.loss, ...(ask.keep ?? [])]) outputs.set(name, declared(name, tape.known(name)));
  const ends: Node[] = [];
  for (const name of ask.wrt) {
    const g = gradients.get(name);
    if (g === undefined) continue;
    const output = tape.name(`gradient/${name}`);
    ends.push(makeNode('Identity', [g], [output], { name: output }));
    named.set(name, output);
    outputs.set(output, declared(output, tape.known(g)));
  }
  const trained = new Set(ask.wrt);
  const own = new Set(graph.inputs.map(({ name }) => name));
  const together: Graph = {
    ...graph,
    nodes: [...forward, ...backward, ...ends],
    initializers: new Map([...[...graph.initializers].filter(([name]) => !trained.has(name)), ...tape.constantsMade]),
    inputs: [
      ...graph.inputs,
      ...ask.wrt.filter((name) => !own.has(name)).map((name) => declared(name, tape.known(name))),
    ],
    outputs: [...outputs.values()],
  };
  return { model: { ...model, graph: withoutUnused(together) }, gradients: named };
}

/** Float values that depend on one of the `wrt`: only through them do gradients flow. */
function dependents(graph: Graph, { wrt, known }: DifferentiateAsk): Set<string> {
  const wanted = new Set(wrt);
  for (const node of graph.nodes) {
    if (![...usedBy(node)].some((name) => wanted.has(name))) continue;
    for (const name of node.outputs) if (name !== '' && mayFlow(node, known.get(name))) wanted.add(name);
  }
  return wanted;
}

/**
 * Through integers and truth values nothing flows, but for QuantizeLinear's codes, which stand for the floats they came from; through
 * what is not known something might.
 */
const mayFlow = ({ domain, op }: Node, value: Known | undefined): boolean =>
  value === undefined || isFloat(value.dtype) || (domain === '' && op === 'QuantizeLinear');

/** The gradient of every `wrt` that has one. */
function walkBack(
  graph: Graph,
  tape: WrittenTape,
  { loss, wrt }: DifferentiateAsk,
  wanted: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const { dtype, dims } = tape.known(loss);
  if (elementCount(dims) !== 1) throw new Error(`the loss ${loss} has shape [${dims}], not one element`);
  const parts = new Map<string, string[]>();
  const labels = nodeLabels(graph);
  if (wanted.has(loss)) parts.set(loss, [tape.floats(dims, [1], dtype)]);
  for (const [index, node] of [...graph.nodes.entries()].reverse()) {
    const gradients = node.outputs.map((name) => (wanted.has(name) ? total(name) : null));
    if (gradients.every((g) => g === null)) continue;
    const rule = ruleOf(node.domain, node.op) ?? refuseLayer(node, labels[index]!);
    tape.under(`backward/${labels[index]}`);
    for (const [i, g] of named(labels[index]!, () => rule(tape, node, gradients)).entries()) {
      const name = node.inputs[i]!;
      if (g === null || !wanted.has(name)) continue;
      const list = parts.get(name);
      if (list) list.push(g);
      else parts.set(name, [g]);
    }
  }
  const found = new Map<string, string>();
  for (const name of wrt) {
    const g = total(name);
    if (g !== null) found.set(name, g);
  }
  return found;

  /** The sum of what every use of a value contributed. */
  function total(name: string): string | null {
    const list = parts.get(name);
    if (!list) return null;
    if (list.length === 1) return list[0]!;
    const whole = tape.emit(list.length === 2 ? 'Add' : 'Sum', list, tape.known(list[0]!));
    parts.set(name, [whole]);
    return whole;
  }
}

/** What a rule refuses says which layer it is. */
function named<T>(label: string, work: () => T): T {
  try {
    return work();
  } catch (reason) {
    if (!(reason instanceof Refused) || reason.refusal.sentence.includes(`"${label}"`)) throw reason;
    throw new Refused({ ...reason.refusal, sentence: `The layer "${label}": ${reason.refusal.sentence}` });
  }
}

function refuseLayer({ domain, op }: Node, label: string): never {
  const operator = domain === '' ? op : `${domain}.${op}`;
  const what = { If: 'a branch', Loop: 'a loop', Scan: 'a loop' }[op];
  refuse(
    'unsupported',
    what && domain === ''
      ? `The layer "${label}" is ${what} (${op}); gradients are not made through it.`
      : `The layer "${label}" is a ${operator}, which has no gradient rule.`,
    'Train layers behind it only, or export the model without it.',
  );
}
