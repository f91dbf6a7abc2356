// Weights that are stored small and unpacked to float on every run: DequantizeLinear in front of Conv, LSTM and their like.
import { intAttribute, makeNode } from '../../graph/edit';
import type { DataType } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { int64Tensor } from '../../graph/tensor';
import type { Order } from './order';
import { groupsOf } from './order';
import type { Grid } from './packed';
import type { Rewrite } from './rewrite';
import type { Form, Shelved } from './shelf';

/** The opsets that brought int4 and uint4, int2 and uint2. */
export const fourBitOpset = 21;
export const twoBitOpset = 25;

/** How a weight is cut into channels and groups, and the DequantizeLinear that undoes it. */
export interface StoredPlan {
  readonly order: Order;
  readonly form: Form;
  readonly axis: number;
  /** 0: one scale for each index of `axis`. */
  readonly block: number;
  /** Set where codes are stored as [N, K] and take their shape back behind the DequantizeLinear. */
  readonly reshape: readonly number[] | null;
}

const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/**
 * Conv           [M, C, …k]: groups along C·k of an output channel. Per channel one scale each, along axis 0.
 * ConvTranspose  [C, M, …k]: groups along C, for each output channel and tap.
 * others         groups along the last axis.
 */
export function storedPlan(site: LayerSite, grid: Grid, scaleType: Order['scaleType']): StoredPlan {
  const { dims } = site.tensor;
  const isConv = site.op === 'Conv' && site.channelAxis === 0;
  const isTransposed = site.op === 'ConvTranspose' && site.channelAxis === 1;
  const columns = isConv ? product(dims.slice(1)) : isTransposed ? dims[0]! : dims.at(-1)!;
  const order: Order = {
    tensor: site.tensor,
    rows: product(dims) / columns,
    columns,
    order: isTransposed ? 'columns' : 'rows',
    ...grid,
    zero: grid.symmetric ? 'signed' : 'unsigned',
    // At 8 bits the lost code costs nothing, and positive scales are what other runtimes expect.
    scaleRule: grid.bits === 8 ? 'restricted' : 'signed-max',
    layout: { kind: 'plain' },
    scalesOrder: isTransposed ? 'columns' : 'rows',
    scaleType,
  };
  const dtype: DataType = `${grid.symmetric ? 'int' : 'uint'}${grid.bits}`;
  const made = (codes: readonly number[], scales: readonly number[], axis: number, block: number): StoredPlan => ({
    order,
    form: { codes: { dtype, dims: codes }, scales, zeroPoints: scales },
    axis,
    block,
    reshape: codes === dims ? null : dims,
  });
  const groups = groupsOf(order);
  const block = grid.groupSize === 0 ? columns : grid.groupSize;
  if (isConv) {
    if (grid.groupSize === 0) return made(dims, [order.rows], 0, 0);
    const isPointwise = dims.slice(2).every((tap) => tap === 1);
    if (isPointwise) return made(dims, [order.rows, groups, ...dims.slice(2)], 1, block);
    return made([order.rows, columns], [order.rows, groups], 1, block);
  }
  if (isTransposed) return made(dims, [groups, ...dims.slice(1)], 0, block);
  return made(dims, [...dims.slice(0, -1), groups], dims.length - 1, block);
}

/** Puts DequantizeLinear [→ Reshape] in front of the site's node, and lets it take its weight from there. */
export function putDequantized(rewrite: Rewrite, site: LayerSite, plan: StoredPlan, shelved: Shelved): void {
  if (plan.order.bits === 2) rewrite.needsOpset(twoBitOpset);
  let at = rewrite.name(`${site.weight}_dequantized`);
  rewrite.before(
    site,
    makeNode('DequantizeLinear', [shelved.codes.name, shelved.scales.name, shelved.zeroPoints?.name ?? ''], [at], {
      attributes: { axis: intAttribute(plan.axis), ...(plan.block ? { block_size: intAttribute(plan.block) } : {}) },
    }),
  );
  if (plan.reshape) {
    const shape = int64Tensor(rewrite.name(`${site.weight}_shape`), [plan.reshape.length], plan.reshape);
    rewrite.place(site.graph, shape);
    const shaped = rewrite.name(`${site.weight}_shaped`);
    rewrite.before(site, makeNode('Reshape', [at, shape.name], [shaped]));
    at = shaped;
  }
  rewrite.feed(site, at);
}
