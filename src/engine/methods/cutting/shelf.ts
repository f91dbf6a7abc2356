// Keeps every new tensor once: layers that share a weight and ask for the same grid share its codes and scales.
import type { DataType, Graph, Tensor } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import type { Hessian, QuantizeLoss } from '../../kernels/kernels';
import type { Subject } from '../method';
import { hasFloatZeros, type Order, orderKey } from './order';
import type { Rewrite } from './rewrite';
import type { Workshop } from './workshop';

export interface Shelved {
  readonly codes: Tensor;
  readonly scales: Tensor;
  readonly zeroPoints: Tensor | null;
  readonly loss: QuantizeLoss | null;
}

/** Element types and dimensions under which the parts of an order are stored. */
export interface Form {
  readonly codes: { readonly dtype: DataType; readonly dims: readonly number[] };
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
}

export class Shelf {
  private readonly kept = new Map<Tensor, Map<string, Shelved>>();
  private readonly halves = new Map<Tensor, { tensor: Tensor; loss: QuantizeLoss | null }>();
  private readonly homes = new Map<Tensor, Graph>();

  constructor(
    subject: Subject,
    private readonly rewrite: Rewrite,
    private readonly workshop: Workshop,
  ) {
    for (const { tensor, graph } of subject.sites) {
      const home = this.homes.get(tensor);
      if (home === undefined) this.homes.set(tensor, graph);
      else if (home !== graph) this.homes.set(tensor, rewrite.outermost);
    }
  }

  async quantized(site: LayerSite, order: Order, form: Form, hessian?: () => Promise<Hessian>): Promise<Shelved> {
    const key = `${orderKey(order)} ${form.codes.dtype} ${form.codes.dims}`;
    let ofTensor = this.kept.get(site.tensor);
    if (!ofTensor) this.kept.set(site.tensor, (ofTensor = new Map()));
    const found = ofTensor.get(key);
    if (found) return found;
    const made = await this.workshop.quantize(order, hessian);
    const store = (suffix: string, dtype: DataType, dims: readonly number[], data: typeof made.codes) =>
      this.rewrite.store(this.homeOf(site), `${site.weight}${suffix}`, dtype, dims, data);
    const shelved: Shelved = {
      codes: store(`_q${order.bits}`, form.codes.dtype, form.codes.dims, made.codes),
      scales: store('_scales', order.scaleType, form.scales, made.scales),
      zeroPoints: made.zeroPoints
        ? hasFloatZeros(order)
          ? store('_zero_points', order.scaleType, form.scales, made.zeroPoints)
          : store('_zero_points', form.codes.dtype, form.zeroPoints, made.zeroPoints)
        : null,
      loss: made.loss,
    };
    ofTensor.set(key, shelved);
    return shelved;
  }

  async halved(site: LayerSite): Promise<{ tensor: Tensor; loss: QuantizeLoss | null }> {
    const found = this.halves.get(site.tensor);
    if (found) return found;
    const { data, loss } = await this.workshop.toFloat16(site.tensor);
    const tensor = this.rewrite.store(this.homeOf(site), `${site.weight}_half`, 'float16', site.tensor.dims, data);
    const made = { tensor, loss };
    this.halves.set(site.tensor, made);
    return made;
  }

  private homeOf(site: LayerSite): Graph {
    return this.homes.get(site.tensor) ?? site.graph;
  }
}

/** A sentence where a weight stays in full beside its cut copy, because a layer that this step leaves alone uses it too. */
export function keptBeside(subject: Subject, site: LayerSite, cut: ReadonlySet<string>): string[] {
  const others = subject.sites.filter(({ tensor, name }) => tensor === site.tensor && !cut.has(name));
  if (others.length === 0) return [];
  return [
    `${site.weight} is kept in full as well: ${others.map(({ name }) => name).join(', ')} uses it and is not cut.`,
  ];
}
