// Weights alone in int8, on one grid a channel or one a tensor, unpacked by DequantizeLinear in front of the layer.
import { type Attributes, intAttribute, makeNode } from '../../graph/edit';
import { elementCount } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { rightMatrix } from './matrix';
import { type Order, totalBytes } from './order';
import type { Rewrite } from './rewrite';
import type { Shelf, Shelved } from './shelf';

export function uniformOrder(site: LayerSite, perChannel: boolean, rounding: 'nearest' | 'mse'): Order {
  const count = elementCount(site.tensor.dims);
  const shared = {
    tensor: site.tensor,
    bits: 8,
    groupSize: 0,
    symmetric: true,
    zero: 'signed',
    // At 8 bits the lost code costs nothing, and positive scales are what other runtimes expect.
    scaleRule: 'restricted',
    rounding,
    layout: { kind: 'plain' },
    scalesOrder: 'rows',
    scaleType: 'float32',
  } as const;
  if (!perChannel) return { ...shared, rows: 1, columns: count, order: 'rows' };
  if (site.op !== 'Conv') return { ...shared, ...rightMatrix(site)! };
  const rows = site.tensor.dims[0]!;
  return { ...shared, rows, columns: count / rows, order: 'rows' };
}

export function uniformBytes(site: LayerSite, perChannel: boolean): number {
  return totalBytes(uniformOrder(site, perChannel, 'nearest'));
}

export async function putUniform(
  rewrite: Rewrite,
  shelf: Shelf,
  site: LayerSite,
  perChannel: boolean,
  rounding: 'nearest' | 'mse',
): Promise<Shelved> {
  const scales = perChannel ? [site.tensor.dims[site.channelAxis!]!] : [];
  const shelved = await shelf.quantized(site, uniformOrder(site, perChannel, rounding), {
    codes: { dtype: 'int8', dims: site.tensor.dims },
    scales,
    zeroPoints: scales,
  });
  // Along the axis of the channels in the stored tensor; what turns it comes behind.
  const attributes: Attributes = perChannel ? { axis: intAttribute(site.channelAxis!) } : {};
  const value = rewrite.name(`${site.weight}_dequantized`);
  rewrite.before(
    site,
    makeNode('DequantizeLinear', [shelved.codes.name, shelved.scales.name], [value], { attributes }),
  );
  rewrite.feed(site, value);
  return shelved;
}
