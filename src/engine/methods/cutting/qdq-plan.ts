// Which values of a graph are held in 8 bits, so that integer operators follow one another and nothing is converted twice.
import { readFloat, readInt } from '../../graph/edit';
import { elementCount, type Graph, type Node, type Tensor } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { constantTensor, consumers, producers } from '../../graph/walk';
import type { Shapes, Subject, Target } from '../method';

/** A value in 8 bits. */
export interface Point {
  readonly value: string;
  /** Made by an integer operator: everyone who uses it sees it rounded. Else only integer operators do, beside the float value. */
  readonly owned: boolean;
  /** The value whose scale and zero point it shares, where the operator between them only moves or compares. */
  readonly like: string | null;
}

/** A layer that becomes an integer product. */
export interface Product {
  readonly site: LayerSite;
  /**
   * conv    Conv; its output is always in 8 bits.
   * gemm    MatMul or Gemm of rank 2 with its bias in int32; its output may stay float.
   * matmul  any other product with one constant matrix; what is added stays beside it, in float.
   */
  readonly form: 'conv' | 'gemm' | 'matmul';
  readonly input: string;
  /** The value that stands for what it computes, with everything that it absorbed. */
  readonly output: string;
  readonly bias: { readonly tensor: Tensor; readonly factor: number } | null;
  /** Add of a bias, Relu, Clip: done by the product, or by where its grid ends. */
  readonly absorbed: readonly Node[];
}

/** Add, Concat, pooling and what only moves values, between integer operators. */
export interface Join {
  readonly node: Node;
  readonly output: string;
  readonly absorbed: readonly Node[];
}

export interface QdqPlan {
  readonly graph: Graph;
  /** By value, in the order of the graph. */
  readonly points: ReadonlyMap<string, Point>;
  readonly products: ReadonlyMap<string, Product>;
  readonly joins: readonly Join[];
}

/** The runtime has integer kernels for these; every data input must be in 8 bits already. */
const computing = new Set(['Add', 'Mul', 'Concat', 'AveragePool', 'GlobalAveragePool', 'LeakyRelu', 'Sigmoid']);
/** These keep the scale of what they get: the runtime drops the conversions around them. */
const moving = new Set(['MaxPool', 'Reshape', 'Transpose', 'Flatten', 'Squeeze', 'Unsqueeze']);

export function planQdq(subject: Subject, targets: readonly Target[]): QdqPlan {
  const { graph } = subject.model;
  const look = new Surroundings(graph, subject.shapes);
  const products = new Map<string, Product>();
  const byNode = new Map<Node, Product>();
  for (const { site } of targets) {
    const product = productOf(look, site);
    products.set(site.name, product);
    byNode.set(site.node, product);
  }
  const absorbed = new Set([...byNode.values()].flatMap((product) => product.absorbed));

  // Forwards: what could be in 8 bits. Backwards: what an integer operator wants.
  const possible = new Map<Node, Join>();
  const owned = new Set<string>();
  for (const node of graph.nodes) {
    const product = byNode.get(node);
    if (product) {
      if (product.form === 'conv') owned.add(product.output);
      continue;
    }
    if (absorbed.has(node)) continue;
    const join = joinOf(look, node, owned);
    if (!join) continue;
    possible.set(node, join);
    owned.add(join.output);
    for (const one of join.absorbed) absorbed.add(one);
  }
  const wanted = new Set([...products.values()].map(({ input }) => input));
  const joins: Join[] = [];
  for (const node of graph.nodes.toReversed()) {
    const join = possible.get(node);
    if (!join || !wanted.has(join.output)) continue;
    joins.push(join);
    for (const name of dataInputs(node)) wanted.add(name);
  }
  joins.reverse();

  const points = new Map<string, Point>();
  const joinOfOutput = new Map(joins.map((join) => [join.output, join]));
  const productOfOutput = new Map([...products.values()].map((product) => [product.output, product]));
  const put = (value: string): void => {
    const join = joinOfOutput.get(value);
    const product = productOfOutput.get(value);
    const like = join && moving.has(join.node.op) ? join.node.inputs[0]! : null;
    points.set(value, {
      value,
      owned: join !== undefined || (product !== undefined && product.form !== 'matmul'),
      like,
    });
  };
  for (const { name } of graph.inputs) if (wanted.has(name)) put(name);
  const isKept = (value: string): boolean => wanted.has(value) || productOfOutput.get(value)?.form === 'conv';
  // In the order in which values come to be; an absorbed ReLU's output comes where the ReLU stood.
  for (const node of graph.nodes) for (const value of node.outputs) if (isKept(value)) put(value);
  for (const value of wanted) if (!points.has(value)) put(value);
  // A float product whose ReLU nobody wants in 8 bits keeps it.
  for (const [name, product] of products) {
    if (product.form === 'gemm' && !points.has(product.output)) products.set(name, withoutActivation(product));
  }
  return { graph, points, products, joins };
}

export function dataInputs(node: Node): readonly string[] {
  return node.op === 'Add' || node.op === 'Mul' || node.op === 'Concat' ? node.inputs : node.inputs.slice(0, 1);
}

/** Why a product cannot be computed on integers, as far as its surroundings decide; null where it can. */
export function surroundingReason(subject: Subject, site: LayerSite): string | null {
  const look = new Surroundings(subject.model.graph, subject.shapes);
  const input = site.node.inputs[site.weightInput === 0 ? 1 : 0] ?? '';
  if (look.constant(input)) return 'Both its inputs are constants.';
  if (site.op === 'Conv' && site.node.inputs[2] && !look.constant(site.node.inputs[2]))
    return 'Its bias is computed, and the integer convolution needs a constant one.';
  return null;
}

/** Who makes a value, who uses it, and what is constant: looked up once for a graph. */
class Surroundings {
  private readonly users: ReadonlyMap<string, readonly Node[]>;
  private readonly made: ReadonlyMap<string, Node>;
  private readonly outputs: ReadonlySet<string>;

  constructor(
    private readonly graph: Graph,
    readonly shapes: Shapes,
  ) {
    this.users = consumers(graph);
    this.made = producers(graph);
    this.outputs = new Set(graph.outputs.map(({ name }) => name));
  }

  constant(name: string | undefined): Tensor | null {
    const tensor = this.graph.initializers.get(name ?? '');
    if (tensor) return tensor;
    const node = this.made.get(name ?? '');
    return node ? constantTensor(node) : null;
  }

  rank(name: string): number | null {
    return this.shapes.get(name)?.shape?.length ?? null;
  }

  isFloat(name: string): boolean {
    return this.shapes.get(name)?.dtype === 'float32';
  }

  /** The one node that sees a value, where nobody else does. */
  only(value: string): Node | null {
    const users = this.users.get(value) ?? [];
    return users.length === 1 && !this.outputs.has(value) ? users[0]! : null;
  }

  /** A ReLU or Clip that a grid which begins at its lower bound replaces. */
  activationBehind(value: string): Node | null {
    const node = this.only(value);
    if (node?.domain !== '' || node.inputs[0] !== value) return null;
    if (node.op === 'Relu') return node;
    if (node.op !== 'Clip') return null;
    // Grids hold zero: a Clip that cuts it off is another function.
    const low = this.scalar(node.inputs[1]);
    const high = this.scalar(node.inputs[2]);
    return low !== null && high !== null && low === 0 && high > 0 ? node : null;
  }

  /** A small float constant that is there to be read. */
  private scalar(name: string | undefined): number | null {
    const tensor = this.constant(name);
    if (tensor?.dtype !== 'float32' || elementCount(tensor.dims) !== 1 || tensor.data.kind !== 'bytes') return null;
    const { buffer, byteOffset } = tensor.data.bytes;
    return new DataView(buffer, byteOffset).getFloat32(0, true);
  }
}

function productOf(look: Surroundings, site: LayerSite): Product {
  const { node } = site;
  const input = node.inputs[0]!;
  const output = node.outputs[0]!;
  if (node.op === 'Conv') {
    const own = look.constant(node.inputs[2]);
    const added = own ? null : biasBehind(look, output, site.tensor.dims[0]!, site.tensor.dims.length - 2);
    const behind = added ? added.node.outputs[0]! : output;
    const activation = look.activationBehind(behind);
    const bias = own ?? added?.tensor ?? null;
    return {
      site,
      form: 'conv',
      input,
      output: activation ? activation.outputs[0]! : behind,
      bias: bias && { tensor: bias, factor: 1 },
      absorbed: [added?.node, activation].filter((one) => one != null),
    };
  }
  const matmul: Product = { site, form: 'matmul', input, output, bias: null, absorbed: [] };
  if (look.rank(input) !== 2) return matmul;
  const isGemm = node.op === 'Gemm';
  if (isGemm && (readInt(node, 'transA', 0) !== 0 || readFloat(node, 'alpha', 1) !== 1)) return matmul;
  const channels = site.tensor.dims[site.channelAxis!]!;
  const own = isGemm ? look.constant(node.inputs[2]) : null;
  if (isGemm && node.inputs[2] && !(own && isRow(own, channels, 0))) return matmul;
  const added = own ? null : biasBehind(look, output, channels, 0);
  const tensor = own ?? added?.tensor ?? null;
  // Without a bias there is nothing that Gemm does better.
  if (!tensor) return matmul;
  const behind = added ? added.node.outputs[0]! : output;
  const activation = look.activationBehind(behind);
  return {
    site,
    form: 'gemm',
    input,
    output: activation ? activation.outputs[0]! : behind,
    bias: { tensor, factor: isGemm ? readFloat(node, 'beta', 1) : 1 },
    absorbed: [added?.node, activation].filter((one) => one != null),
  };
}

function withoutActivation(product: Product): Product {
  const activation = product.absorbed.find(({ op }) => op === 'Relu' || op === 'Clip');
  if (!activation) return product;
  return {
    ...product,
    output: activation.inputs[0]!,
    absorbed: product.absorbed.filter((node) => node !== activation),
  };
}

/** An Add of one number for each channel behind a product. `spatial`: axes behind that of the channels. */
function biasBehind(
  look: Surroundings,
  value: string,
  channels: number,
  spatial: number,
): { node: Node; tensor: Tensor } | null {
  const node = look.only(value);
  if (node?.op !== 'Add' || node.domain !== '') return null;
  const tensor = look.constant(node.inputs.find((name) => name !== value));
  return tensor && isRow(tensor, channels, spatial) ? { node, tensor } : null;
}

/** [C, 1 …], perhaps with ones in front: broadcast along the channels alone. */
function isRow({ dims, dtype }: Tensor, channels: number, spatial: number): boolean {
  const axis = dims.length - 1 - spatial;
  return dtype === 'float32' && axis >= 0 && dims[axis] === channels && elementCount(dims) === channels;
}

function joinOf(look: Surroundings, node: Node, owned: ReadonlySet<string>): Join | null {
  if (node.domain !== '' || (!computing.has(node.op) && !moving.has(node.op))) return null;
  if (node.outputs.filter((name) => name !== '').length !== 1) return null;
  const inputs = dataInputs(node);
  if (inputs.length === 0 || !inputs.every((name) => owned.has(name))) return null;
  const output = node.outputs[0]!;
  if (!look.isFloat(inputs[0]!)) return null;
  // Counting the padding or rounding up are not what the integer kernels do alike.
  if (node.op === 'AveragePool' && readInt(node, 'ceil_mode', 0) !== 0) return null;
  const activation = computing.has(node.op) ? look.activationBehind(output) : null;
  return { node, output: activation ? activation.outputs[0]! : output, absorbed: activation ? [activation] : [] };
}
