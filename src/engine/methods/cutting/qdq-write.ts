// Writes a plan into the graph: QuantizeLinear and DequantizeLinear around every integer operator, as the runtime recognises and fuses them.
import { type Attributes, intAttribute, makeNode, withInputs } from '../../graph/edit';
import { dataTypes, type Node, type Tensor } from '../../graph/graph';
import type { Range } from '../../measure/activations';
import type { LayerCut, Subject } from '../method';
import { around, chain } from './product';
import { type ActivationGrid, type ActivationKind, activationGrid } from './qdq-grid';
import type { Join, Product, QdqPlan } from './qdq-plan';
import { type IntegerBits, IntegerParts } from './qdq-weight';
import { Rewrite } from './rewrite';
import { fourBitOpset, twoBitOpset } from './stored';
import type { Workshop } from './workshop';

/** Scale and zero point of a value, stored. */
interface Stored extends ActivationGrid {
  readonly scaleName: string;
  readonly zeroName: string;
}

/** Yields each product's loss and notes as it is written. `ranges` by value; absent in a forecast, where only sizes count. */
export class QdqWriter {
  /** For what is not part of the plan. */
  readonly rewrite: Rewrite;
  private readonly parts: IntegerParts;
  private readonly grids = new Map<string, Stored>();
  /** Values that integer operators read beside the float ones: the name of the rounded value. */
  private readonly beside = new Map<string, string>();

  constructor(
    subject: Subject,
    private readonly plan: QdqPlan,
    private readonly kind: ActivationKind,
    private readonly ranges: ReadonlyMap<string, Range> | null,
    private readonly workshop: Workshop,
    rounding: 'nearest' | 'mse' = 'nearest',
    /** Grids that a training has learnt, by value; the others follow from ranges. */
    private readonly learned: ReadonlyMap<string, ActivationGrid> = new Map(),
  ) {
    this.rewrite = new Rewrite(subject.model);
    this.parts = new IntegerParts(plan.graph, this.rewrite, workshop, rounding);
  }

  /** Everything that is not a product: call once, before the first of them. */
  async joins(): Promise<void> {
    for (const value of this.plan.points.keys()) await this.grid(value);
    for (const join of this.plan.joins) this.join(join);
  }

  async product(product: Product, perChannel: boolean, bits: IntegerBits = 8): Promise<LayerCut> {
    const { site, form } = product;
    const { graph } = this.plan;
    const input = await this.grid(product.input);
    const rounded = this.roundedInput(product);
    const weight = await this.parts.weight(product, input.scale, perChannel, bits);
    const weightName = this.rewrite.name(`${site.weight}_dequantized`);
    const nodes: Node[] = [];
    const codes = this.widened(weight.codes, nodes);
    nodes.push(
      makeNode('DequantizeLinear', [codes, weight.scales.name, weight.zeros?.name ?? ''], [weightName], {
        attributes: weight.axis === null ? {} : { axis: intAttribute(weight.axis) },
      }),
    );
    const inputs = [rounded, weightName];
    if (product.bias && form !== 'matmul') {
      const bias = await this.parts.bias(product, weight, input.scale);
      const biasName = this.rewrite.name(`${site.weight}_bias_dequantized`);
      nodes.push(
        makeNode('DequantizeLinear', [bias.codes.name, bias.scales.name], [biasName], {
          attributes: weight.axis === null ? {} : { axis: intAttribute(0) },
        }),
      );
      inputs.push(biasName);
    }
    const { output } = product;
    const isRounded = this.plan.points.get(output)?.owned === true;
    const made = isRounded ? this.rewrite.name(`${output}_float`) : output;
    if (form === 'conv') nodes.push({ ...withInputs(site.node, inputs), name: site.nodeName, outputs: [made] });
    else if (form === 'gemm') {
      const attributes: Attributes = weight.transposed ? { transB: intAttribute(1) } : {};
      nodes.push(makeNode('Gemm', inputs, [made], { name: site.nodeName, attributes }));
    } else {
      const { steps } = around(this.rewrite, site, 'float32');
      const matrix = steps.length > 0 ? this.rewrite.name(`${made}_product`) : made;
      nodes.push(makeNode('MatMul', inputs, [matrix], { name: site.nodeName }));
      nodes.push(...chain(this.rewrite, matrix, steps, made));
    }
    if (isRounded) nodes.push(...this.rounding(made, output));
    this.rewrite.replace(site, nodes);
    for (const node of product.absorbed) this.rewrite.replace({ graph, node, nodeName: node.name }, []);
    return { layer: site.name, error: weight.loss, notes: [] };
  }

  finish(): ReturnType<Rewrite['finish']> {
    return this.rewrite.finish();
  }

  /**
   * Packed codes as int8, which alone the runtime multiplies: it computes this Cast once, when it loads the model. DequantizeLinear of int4
   * itself is not fused, and of int2 the model does not load.
   */
  private widened({ name, dtype }: Tensor, nodes: Node[]): string {
    if (dtype === 'int8') return name;
    this.rewrite.needsOpset(dtype === 'int2' ? twoBitOpset : fourBitOpset);
    const wide = this.rewrite.name(`${name}_int8`);
    nodes.push(makeNode('Cast', [name], [wide], { attributes: { to: intAttribute(dataTypes.int8.onnx) } }));
    return wide;
  }

  private join({ node, output, absorbed }: Join): void {
    const { graph } = this.plan;
    const made = this.rewrite.name(`${output}_float`);
    this.rewrite.replace({ graph, node, nodeName: node.name }, [
      { ...node, outputs: [made] },
      ...this.rounding(made, output),
    ]);
    for (const one of absorbed) this.rewrite.replace({ graph, node: one, nodeName: one.name }, []);
  }

  /** The name under which a product reads its input rounded; converted in front of the first that does. */
  private roundedInput({ site, input }: Product): string {
    if (this.plan.points.get(input)!.owned) return input;
    const known = this.beside.get(input);
    if (known !== undefined) return known;
    const name = this.rewrite.name(`${input}_dequantized`);
    this.rewrite.before(site, ...this.rounding(input, name, input));
    this.beside.set(input, name);
    return name;
  }

  /** from → QuantizeLinear → DequantizeLinear → to, on the grid of `value`. */
  private rounding(from: string, to: string, value = to): Node[] {
    const { scaleName, zeroName } = this.grids.get(value)!;
    const codes = this.rewrite.name(`${value}_quantized`);
    return [
      makeNode('QuantizeLinear', [from, scaleName, zeroName], [codes]),
      makeNode('DequantizeLinear', [codes, scaleName, zeroName], [to]),
    ];
  }

  private async grid(value: string): Promise<Stored> {
    const known = this.grids.get(value);
    if (known) return known;
    const { like } = this.plan.points.get(value)!;
    const made = like === null ? await this.storeGrid(value) : await this.grid(like);
    this.grids.set(value, made);
    return made;
  }

  private async storeGrid(value: string): Promise<Stored> {
    const { graph } = this.plan;
    const grid = this.learned.get(value) ?? activationGrid(this.ranges?.get(value) ?? null, this.kind);
    const scale = await this.workshop.make(4, async () => new Uint8Array(Float32Array.of(grid.scale).buffer));
    const zero = await this.workshop.make(1, async () => Uint8Array.of(grid.zeroPoint));
    return {
      ...grid,
      scaleName: this.rewrite.store(graph, `${value}_scale`, 'float32', [], scale).name,
      zeroName: this.rewrite.store(graph, `${value}_zero_point`, this.kind.type, [], zero).name,
    };
  }
}

/** Values whose ranges must be known: those that share another's grid need none of their own. */
export function observedValues({ points }: QdqPlan): string[] {
  return [...points.values()].filter(({ like }) => like === null).map(({ value }) => value);
}
