// Fake quantization of activations, as a plan of integer products has them: the runtime's own QuantizeLinear and DequantizeLinear around what
// stays float, and biases on the grid of the sums they are added to.
import { freshName, makeNode, namesIn, withInitializers, withInputs } from '../../graph/edit';
import type { Model, Node, Tensor } from '../../graph/graph';
import { bytesTensor, floatTensor, int64Tensor } from '../../graph/tensor';
import { type FakeScale, learnedFactor } from './fake-weights';
import { roundingShift } from './learned-grid';
import type { ActivationGrid } from './qdq-grid';
import type { Product, QdqPlan } from './qdq-plan';

export interface FakeActivations {
  readonly model: Model;
  /** By value; those that share another's grid are not among them. */
  readonly scales: ReadonlyMap<string, FakeScale>;
}

export interface FakeAsk {
  /** The graph of the plan, its weights rounded already. */
  readonly model: Model;
  readonly plan: QdqPlan;
  /** Of every value that has its own. */
  readonly grids: ReadonlyMap<string, ActivationGrid>;
  /** The scale of a product's weight: one for each output channel, or one. */
  readonly weightScale: (product: Product) => string;
  readonly isPerChannel: (product: Product) => boolean;
  readonly learns: boolean;
}

export function withFakeActivations(ask: FakeAsk): FakeActivations {
  const writer = new Writer(ask);
  return { model: writer.write(), scales: writer.scales };
}

class Writer {
  readonly scales = new Map<string, FakeScale>();
  private readonly taken: Set<string>;
  private readonly tensors: Tensor[] = [];
  private readonly nodes: Node[] = [];
  private readonly zeros = new Map<string, string>();
  /** Values that integer products read beside the float ones. */
  private readonly beside = new Map<string, string>();

  constructor(private readonly ask: FakeAsk) {
    this.taken = namesIn(ask.model.graph);
  }

  write(): Model {
    const { model, plan } = this.ask;
    for (const { value, like } of plan.points.values()) if (like === null) this.grid(value);
    // Nodes are known by what they make: rounding the weights made them anew.
    const products = new Map<string, Product>();
    const added = new Map<string, Product>();
    const dropped = new Set<string>();
    const absorb = (node: Node, product?: Product): void => {
      if (node.op === 'Add' && product) added.set(node.outputs[0]!, product);
      else dropped.add(node.outputs[0]!);
    };
    for (const product of plan.products.values()) {
      products.set(product.site.node.outputs[0]!, product);
      for (const node of product.absorbed) absorb(node, product);
    }
    for (const { absorbed } of plan.joins) for (const node of absorbed) absorb(node);
    for (const node of model.graph.nodes) {
      const output = node.outputs[0]!;
      if (dropped.has(output)) {
        // Where the grid ends does what the activation did.
        this.rounding(node.inputs[0]!, output, output);
        continue;
      }
      const product = products.get(output);
      const adds = added.get(output);
      let inputs = node.inputs;
      if (product) inputs = this.productInputs(product, node);
      if (adds) inputs = this.addedInputs(adds, node);
      const point = plan.points.get(output);
      if (point?.owned && point.like === null) {
        const made = this.name(`${output}_float`);
        this.nodes.push({ ...withInputs(node, inputs), outputs: [made, ...node.outputs.slice(1)] });
        this.rounding(made, output, output);
      } else this.nodes.push(inputs === node.inputs ? node : withInputs(node, inputs));
    }
    return { ...model, graph: withInitializers({ ...model.graph, nodes: this.nodes }, this.tensors) };
  }

  private productInputs(product: Product, node: Node): readonly string[] {
    const { input, bias, form } = product;
    let inputs = node.inputs;
    if (!this.ask.plan.points.get(input)!.owned) {
      let rounded = this.beside.get(input);
      if (rounded === undefined) {
        rounded = this.name(`${input}_rounded`);
        this.rounding(input, rounded, input);
        this.beside.set(input, rounded);
      }
      inputs = inputs.with(0, rounded);
    }
    if (bias && form !== 'matmul' && node.inputs[2]) inputs = inputs.with(2, this.bias(product, node.inputs[2]));
    return inputs;
  }

  private addedInputs(product: Product, node: Node): readonly string[] {
    const from = product.site.node.outputs[0]!;
    const at = node.inputs.findIndex((name) => name !== from);
    return node.inputs.with(at, this.bias(product, node.inputs[at]!));
  }

  /** round(b / (input scale · weight scale)) · (input scale · weight scale): what an int32 holds of it. */
  private bias(product: Product, name: string): string {
    const { tensor, factor } = product.bias!;
    const emit = (op: string, ...inputs: string[]): string => {
      const output = this.name(`${name}_${op.toLowerCase()}`);
      this.nodes.push(makeNode(op, inputs, [output]));
      return output;
    };
    const number = (value: number): string => this.floats(`${name}_number`, [], [value]);
    const dims = this.ask.isPerChannel(product) ? tensor.dims : [];
    const shape = int64Tensor(this.name(`${name}_sizes`), [dims.length], dims);
    this.tensors.push(shape);
    const weightScale = emit('Reshape', this.ask.weightScale(product), shape.name);
    const step = emit('Mul', weightScale, this.scaleOf(product.input).name);
    const whole = factor === 1 ? name : emit('Mul', name, number(factor));
    const shifted = emit('Add', emit('Div', whole, step), number(roundingShift));
    const rounded = emit('Mul', emit('Sub', shifted, number(roundingShift)), step);
    return factor === 1 ? rounded : emit('Mul', rounded, number(1 / factor));
  }

  private scaleOf(value: string): FakeScale {
    const { like } = this.ask.plan.points.get(value)!;
    return like === null ? this.scales.get(value)! : this.scaleOf(like);
  }

  private zeroOf(value: string): string {
    const { like } = this.ask.plan.points.get(value)!;
    return like === null ? this.zeros.get(value)! : this.zeroOf(like);
  }

  private rounding(from: string, to: string, value: string): void {
    const grid = [this.scaleOf(value).name, this.zeroOf(value)];
    const codes = this.name(`${value}_quantized`);
    this.nodes.push(
      makeNode('QuantizeLinear', [from, ...grid], [codes]),
      makeNode('DequantizeLinear', [codes, ...grid], [to]),
    );
  }

  private grid(value: string): void {
    const { scale, zeroPoint } = this.ask.grids.get(value)!;
    const zero = bytesTensor(this.name(`${value}_zero_point`), 'uint8', [], Uint8Array.of(zeroPoint));
    this.tensors.push(zero);
    this.zeros.set(value, zero.name);
    const start = this.floats(`${value}_scale`, [], [scale]);
    if (!this.ask.learns) {
      this.scales.set(value, { name: start, count: 1, factor: null });
      return;
    }
    const { nodes, ...learned } = learnedFactor(
      start,
      [],
      (suffix, dims, values) => this.floats(`${value}_${suffix}`, dims, values),
      (suffix) => this.name(`${value}_${suffix}`),
    );
    this.nodes.push(...nodes);
    this.scales.set(value, learned);
  }

  private floats(wanted: string, dims: readonly number[], values: Float32Array | readonly number[]): string {
    const tensor = floatTensor(this.name(wanted), dims, values);
    this.tensors.push(tensor);
    return tensor.name;
  }

  private name(wanted: string): string {
    return freshName(this.taken, wanted);
  }
}
