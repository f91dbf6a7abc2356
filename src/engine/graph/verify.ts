// Is a graph sound? The checks every reader and every pass must hold to, in sentences that name the place.
import { byteLength, type Graph, type LocalFunction, type Model, type Node, storedBytes, type Tensor } from './graph';
import { bodyGraph, orderOf } from './order';
import { subgraphs } from './walk';

/** More would not help anyone find the first. */
const mostProblems = 20;
/** Subgraphs deeper than this were refused when read; a pass that nests further has gone wrong. */
const deepest = 64;

/** Problems of the model, each a sentence without its full stop; empty when it is sound. Operators' own rules are the runtime's. */
export function verify(model: Model): string[] {
  return new Verifier(model).problems;
}

/** Names visible at some point, and the places they are visible from. */
interface Scope {
  readonly names: Set<string>;
  readonly outer: Scope | null;
}

function sees(scope: Scope | null, name: string): boolean {
  for (let at = scope; at; at = at.outer) if (at.names.has(name)) return true;
  return false;
}

function label(node: Node): string {
  return node.name || `${node.op} (→ ${node.outputs.find((name) => name !== '') ?? 'nothing'})`;
}

class Verifier {
  readonly problems: string[] = [];
  private readonly model: Model;
  private readonly functions = new Set<string>();

  constructor(model: Model) {
    this.model = model;
    this.checkFunctionNames();
    this.checkGraph(model.graph, null, '', model.opsets, 0, false);
    for (const fn of model.functions) this.checkFunction(fn);
    this.checkCalls();
  }

  private no(problem: string): void {
    if (this.problems.length < mostProblems) this.problems.push(problem);
  }

  private checkFunctionNames(): void {
    for (const fn of this.model.functions) {
      const key = callOf(fn.domain, fn.name, fn.overload);
      if (fn.name === '') this.no('a local function has no name');
      if (this.functions.has(key)) this.no(`there are two local functions called ${key}`);
      this.functions.add(key);
    }
  }

  /** `where` completes a sentence: '' or ' in then_branch of /If'. */
  private checkGraph(
    graph: Graph,
    outer: Scope | null,
    where: string,
    opsets: ReadonlyMap<string, number>,
    depth: number,
    inFunction: boolean,
  ): void {
    const inputs = new Set<string>();
    for (const { name } of graph.inputs) {
      if (name === '') this.no(`an input${where} has no name`);
      else if (inputs.has(name)) this.no(`two inputs${where} are called ${name}`);
      inputs.add(name);
    }
    for (const [name, tensor] of graph.initializers) {
      if (tensor.name !== name) this.no(`initializer ${tensor.name}${where} is filed under ${name}`);
      if (graph.sparse.has(name)) this.no(`there are two initializers called ${name}${where}`);
      this.checkTensor(tensor, `initializer ${name}${where}`);
    }
    const names = new Set([...inputs, ...graph.initializers.keys(), ...graph.sparse.keys()]);
    this.checkNodes(graph, { names, outer }, where, opsets, depth, inFunction);
    for (const { name } of graph.outputs) {
      if (names.has(name)) continue;
      if (name === '') this.no(`an output${where} has no name`);
      else if (sees(outer, name)) this.no(`output ${name}${where} is a value of the graph around it, not its own`);
      else this.no(`output ${name}${where} is made by no node`);
    }
  }

  /** Adds what the nodes make to the scope's names, in their order. */
  private checkNodes(
    graph: Graph,
    scope: Scope,
    where: string,
    opsets: ReadonlyMap<string, number>,
    depth: number,
    inFunction: boolean,
  ): void {
    const later = new Set(graph.nodes.flatMap((node) => node.outputs));
    const labels = new Set<string>();
    let misplaced: string | null = null;
    for (const node of graph.nodes) {
      if (node.op === '') this.no(`node ${label(node)}${where} does not say which operator it is`);
      if (node.name !== '' && labels.has(node.name)) this.no(`two nodes${where} are called ${node.name}`);
      labels.add(node.name);
      if (!opsets.has(node.domain) && !this.functions.has(callOf(node.domain, node.op, node.overload))) {
        this.no(
          `node ${label(node)}${where} is of the operator set ${node.domain || 'ai.onnx'}, which is not imported`,
        );
      }
      for (const name of node.inputs) {
        if (name === '' || sees(scope, name)) continue;
        if (later.has(name)) misplaced ??= `node ${label(node)}${where} reads ${name} before it is made`;
        else this.no(`node ${label(node)}${where} reads ${name}, which nothing makes`);
      }
      this.checkAttributes(node, where, inFunction);
      for (const { attribute, graph: inner } of subgraphs(node)) {
        const place = ` in ${attribute} of ${label(node)}${where}`;
        if (depth >= deepest) this.no(`subgraphs nest more than ${deepest} deep${place}`);
        else this.checkGraph(inner, scope, place, opsets, depth + 1, inFunction);
      }
      for (const name of node.outputs) {
        if (name === '') continue;
        if (scope.names.has(name))
          this.no(`value ${name}${where} is made twice; the second time by node ${label(node)}`);
        else if (sees(scope, name)) this.no(`node ${label(node)}${where} makes ${name}, a name of the graph around it`);
        scope.names.add(name);
      }
    }
    if (misplaced) this.no(circleIn(graph, where) ?? misplaced);
  }

  private checkAttributes(node: Node, where: string, inFunction: boolean): void {
    for (const [name, attribute] of node.attributes) {
      const place = `attribute ${name} of node ${label(node)}${where}`;
      if (attribute.type === 'reference' && !inFunction) this.no(`${place} refers to a caller that does not exist`);
      if (attribute.type === 'tensor') this.checkTensor(attribute.value, place);
    }
  }

  private checkTensor(tensor: Tensor, place: string): void {
    if (tensor.data.kind === 'strings') return;
    const expected = byteLength(tensor.dtype, tensor.dims);
    const stored = storedBytes(tensor);
    const type = `${tensor.dtype}[${tensor.dims.join(', ')}]`;
    if (stored !== expected) this.no(`${place}, ${type}, takes ${expected} bytes and has ${stored}`);
  }

  private checkFunction(fn: LocalFunction): void {
    const where = ` in function ${callOf(fn.domain, fn.name, fn.overload)}`;
    const named = (name: string) => ({ name, type: null });
    const body = { ...bodyGraph(fn.nodes), inputs: fn.inputs.map(named), outputs: fn.outputs.map(named) };
    this.checkGraph(body, null, where, fn.opsets, 0, true);
  }

  /** A function that calls itself, straight or in a round, could never be inlined: the calls are ordered as if they were nodes. */
  private checkCalls(): void {
    const calls = this.model.functions.map((fn): Node => {
      const key = callOf(fn.domain, fn.name, fn.overload);
      return { name: key, op: '', domain: '', inputs: callsOf(fn.nodes), outputs: [key], attributes: new Map() };
    });
    const order = orderOf(bodyGraph(calls));
    if (order.kind === 'circle') this.no(`the local function ${order.nodes[0]!.name} calls itself`);
  }
}

function callOf(domain: string, name: string, overload: string | undefined): string {
  return `${domain || 'ai.onnx'}:${name}${overload ? `:${overload}` : ''}`;
}

function callsOf(nodes: readonly Node[]): string[] {
  return nodes.flatMap((node) => [
    callOf(node.domain, node.op, node.overload),
    ...subgraphs(node).flatMap(({ graph }) => callsOf(graph.nodes)),
  ]);
}

function circleIn(graph: Graph, where: string): string | null {
  const order = orderOf(graph);
  if (order.kind !== 'circle') return null;
  const names = order.nodes.slice(0, 4).map(label);
  if (order.nodes.length === 1) return `node ${names[0]}${where} reads what it makes`;
  return `nodes${where} wait for each other in a circle: ${names.join(', ')}${order.nodes.length > 4 ? ', …' : ''}`;
}
