// The quantized base that LoftQ makes of float layers, and where its adapters begin.
import type { Model } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import type { LayerCut, Subject } from '../method';
import { adapterRandom, type Factors } from './adapter-training';
import { type Scaling, scalingOf } from './adapters';
import { asRows, loftq, roundTripOn, rowsOf } from './loftq';
import type { Order } from './order';
import { blocksForm, putMatMulNBits } from './packed';
import { Rewrite } from './rewrite';
import { Shelf } from './shelf';
import type { Workshop } from './workshop';

export interface QuantizedBase {
  readonly model: Model;
  /** Null where nothing is computed. */
  readonly starts: readonly Factors[] | null;
  /** What codes and adapter together miss before the first step. */
  readonly errors: readonly LayerCut['error'][];
}

export async function quantizedStarts(
  subject: Subject,
  layers: readonly { readonly site: LayerSite; readonly order: Order }[],
  scaling: Scaling,
  workshop: Workshop,
): Promise<QuantizedBase> {
  const { gathering } = workshop;
  const rewrite = new Rewrite(subject.model);
  const shelf = new Shelf(subject, rewrite, workshop);
  const starts: Factors[] = [];
  const errors: LayerCut['error'][] = [];
  for (const [i, { site, order }] of layers.entries()) {
    const { rows, columns } = order;
    let asked: Order = { ...order, tensor: { ...order.tensor, dims: [rows, columns] }, order: 'rows' };
    if (gathering) {
      const found = await loftq(
        await rowsOf(order),
        ...([rows, columns, scaling.rank] as const),
        roundTripOn(order, gathering.kernels, gathering.signal),
        adapterRandom(gathering.seed, i),
      );
      asked = { ...order, ...asRows(order, found.rest) };
      // The graph multiplies by s what the factors make.
      const s = scalingOf(scaling);
      starts.push({ a: found.a, b: found.b.map((value) => value / s) });
      errors.push({ signal: found.signal, noise: found.residuals.at(-1)! });
    } else errors.push(null);
    const shelved = await shelf.quantized(site, asked, blocksForm(asked));
    putMatMulNBits(rewrite, { site, order: asked, shelved, activations: 'int8', type: 'float32' });
  }
  return { model: rewrite.finish(), starts: gathering ? starts : null, errors };
}
