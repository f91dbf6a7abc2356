// Model-local functions become plain nodes: bodies are copied to their calls, names made unique, attributes filled in.
import { freshName, makeNode, mapSubgraphs } from '../edit';
import type { Attribute, Graph, LocalFunction, Model, Node, Value } from '../graph';

/** Says why functions stay; caught by `normalise`. */
export class NotInlinable extends Error {}

// Nested calls deeper than this are a cycle or hostile.
const deepest = 64;
// What copying may make of a small file: functions that call each other twice each double with every level.
const mostNodes = 500_000;

const keyOf = (domain: string, op: string, overload = ''): string => `${domain}\n${op}\n${overload}`;

/** The model with every call replaced by the function's nodes; `count` calls were found. Throws `NotInlinable`. */
export function inlineFunctions(model: Model, taken: Set<string>): { model: Model; count: number } {
  const functions = new Map(model.functions.map((f) => [keyOf(f.domain, f.name, f.overload), f]));
  let count = 0;
  let made = 0;
  const graph = inGraph(model.graph, 0);
  const opsets = new Map(model.opsets);
  for (const { opsets: own } of model.functions) {
    for (const [domain, version] of own) if (!opsets.has(domain)) opsets.set(domain, version);
  }
  return { model: { ...model, graph, opsets, functions: [] }, count };

  function inGraph(inside: Graph, depth: number): Graph {
    const nodes = inside.nodes.flatMap((node) => inNode(node, depth));
    return nodes.length === inside.nodes.length && nodes.every((node, i) => node === inside.nodes[i])
      ? inside
      : { ...inside, nodes };
  }

  function inNode(node: Node, depth: number): readonly Node[] {
    const called = functions.get(keyOf(node.domain, node.op, node.overload));
    if (!called) return [mapSubgraphs(node, (inner) => inGraph(inner, depth))];
    if (depth >= deepest) throw new NotInlinable(`local functions call each other more than ${deepest} deep`);
    count++;
    const body = copyBody(called, node, taken);
    made += body.length;
    if (made > mostNodes) throw new NotInlinable(`local functions would grow to more than ${mostNodes} nodes`);
    return body.flatMap((inner) => inNode(inner, depth + 1));
  }
}

/** The function's nodes with the call's values and attributes in place. */
function copyBody(body: LocalFunction, call: Node, taken: Set<string>): Node[] {
  const label = call.name || freshName(taken, `${call.op}_call`);
  const names = new Map<string, string>();
  for (const [i, name] of body.inputs.entries()) names.set(name, call.inputs[i] ?? '');
  const through: Node[] = [];
  for (const [i, name] of body.outputs.entries()) {
    const outside = call.outputs[i] ?? '';
    if (!names.has(name)) names.set(name, outside || freshName(taken, `${label}/${name}`));
    // An input handed straight out, or one value under two outputs.
    else if (outside)
      through.push(
        makeNode('Identity', [names.get(name)!], [outside], { name: freshName(taken, `${label}/Identity`) }),
      );
  }
  const copies = body.nodes.map((node) => copyNode(node, { body, call, label, names, taken }));
  return [...copies, ...through];
}

interface Copying {
  readonly body: LocalFunction;
  readonly call: Node;
  readonly label: string;
  readonly names: Map<string, string>;
  readonly taken: Set<string>;
}

function copyNode(node: Node, to: Copying): Node {
  const rename = (name: string): string => {
    if (name === '') return '';
    let renamed = to.names.get(name);
    if (renamed === undefined) to.names.set(name, (renamed = freshName(to.taken, `${to.label}/${name}`)));
    return renamed;
  };
  const attributes = new Map<string, Attribute>();
  for (const [name, attribute] of node.attributes) {
    const filled = attribute.type === 'reference' ? referred(attribute.value, to) : attribute;
    // A reference to an attribute that the call leaves out: the node's own default holds.
    if (filled) attributes.set(name, copySubgraphs(filled, to));
  }
  return {
    ...node,
    name: freshName(to.taken, `${to.label}/${node.name || node.op}`),
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
    attributes,
  };
}

function referred(name: string, { call, body }: Copying): Attribute | undefined {
  return call.attributes.get(name) ?? body.defaults.get(name);
}

function copySubgraphs(attribute: Attribute, to: Copying): Attribute {
  if (attribute.type === 'graph') return { ...attribute, value: copyGraph(attribute.value, to) };
  if (attribute.type === 'graphs') return { ...attribute, value: attribute.value.map((graph) => copyGraph(graph, to)) };
  return attribute;
}

/** A subgraph sees the function's values under their new names; its own get new names too, so that nothing is shadowed. */
function copyGraph(graph: Graph, to: Copying): Graph {
  const inner: Copying = { ...to, names: new Map(to.names) };
  const own = (name: string): string => {
    const renamed = freshName(to.taken, `${to.label}/${name}`);
    inner.names.set(name, renamed);
    return renamed;
  };
  const inputs = graph.inputs.map((value): Value => ({ ...value, name: own(value.name) }));
  const initializers = new Map([...graph.initializers].map(([name, tensor]) => [own(name), tensor]));
  const sparse = new Map([...graph.sparse].map(([name, tensor]) => [own(name), tensor]));
  const nodes = graph.nodes.map((node) => copyNode(node, inner));
  const renamed = (name: string): string => inner.names.get(name) ?? name;
  return {
    ...graph,
    inputs,
    nodes,
    initializers: new Map([...initializers].map(([name, tensor]) => [name, { ...tensor, name }])),
    sparse: new Map([...sparse].map(([name, tensor]) => [name, { ...tensor, values: { ...tensor.values, name } }])),
    outputs: graph.outputs.map((value) => ({ ...value, name: renamed(value.name) })),
    values: new Map([...graph.values].map(([name, value]) => [renamed(name), { ...value, name: renamed(name) }])),
  };
}
