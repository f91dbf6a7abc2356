// Dynamic int8: int8 weights per channel, activations quantized on the fly with the range of each batch. No data needed.
import type { MethodCard } from '../../contract/words/method';
import { intAttribute, makeNode } from '../graph/edit';
import type { LayerSite } from '../graph/layers';
import { IntegerLstms, lstmOrder, lstmReason, recurrentStays } from './cutting/integer-lstm';
import { dequantizedAlready, insteadUse, keepIt, refusal, unfitType } from './cutting/judge';
import { computeType, isSeenAsStored, type Matrix, rightMatrix } from './cutting/matrix';
import { bytesNow, type Order, totalBytes } from './cutting/order';
import { gatherOrder, putGatherBlockQuantized, rowsForm } from './cutting/packed';
import { around, chain } from './cutting/product';
import { Rewrite } from './cutting/rewrite';
import { keptBeside, Shelf, type Shelved } from './cutting/shelf';
import type { Method } from './method';

/** `TensorProto.DataType` of float32. */
const float32 = 1;

const card: MethodCard = {
  id: 'int8-dynamic',
  title: 'Dynamic int8',
  family: 'quantize',
  help: 'Weights in 8 bits, one scale per output channel; activations are quantized to 8 bits on the fly. Integer arithmetic, no data needed: a quarter of the bytes and about 3 times the speed for MatMul and Gemm, more with large batches. The range of the activations is that of the whole batch, so answers may depend on the batch size.',
  needs: ['weights'],
  params: [],
  ops: ['MatMul', 'Gemm', 'Gather', 'LSTM'],
};

const grid = { bits: 8, groupSize: 0, symmetric: true } as const;

/** Codes [K][N] of int8, one scale per output channel. */
function productOrder(site: LayerSite, matrix: Matrix): Order {
  return {
    tensor: site.tensor,
    ...matrix,
    ...grid,
    zero: 'signed',
    // The integer kernels want zero at code 0 and a positive scale.
    scaleRule: 'restricted',
    layout: { kind: 'columns', slabs: 1 },
    scalesOrder: 'rows',
    scaleType: 'float32',
  };
}

function orderOf(site: LayerSite): Order | null {
  if (site.op === 'Gather') return gatherOrder(site, grid, 'float32');
  if (site.op === 'LSTM') return lstmOrder(site);
  const matrix = rightMatrix(site);
  return matrix && productOrder(site, matrix);
}

export const int8Dynamic: Method = {
  card,

  fits(subject, site, _params, chosen) {
    const already = dequantizedAlready(site);
    if (already) return already;
    if (site.op === 'Conv' || site.op === 'ConvTranspose')
      return {
        code: 'unsupported',
        sentence:
          'int8-dynamic cannot take this layer. This runtime has no integer convolution for it, so it would run as fp32 with a conversion in front: slower, not smaller.',
        mend:
          site.op === 'Conv'
            ? 'Use int8-static: with ranges learnt beforehand it computes convolutions on integers.'
            : insteadUse('weight-only'),
      };
    if (site.op === 'GRU' || site.op === 'RNN')
      return refusal(site, recurrentStays(site.op), insteadUse('weight-only'));
    if (!card.ops.includes(site.op))
      return refusal(site, `int8-dynamic does not know ${site.op}.`, insteadUse('float16'));
    const type = computeType(site, subject.shapes);
    const unfit = unfitType(site, type);
    if (unfit) return unfit;
    if (type !== 'float32')
      return refusal(site, 'Activations are quantized on the fly only from float32.', insteadUse('weight-only'));
    if (site.op === 'Gather' && (site.tensor.dims.length !== 2 || site.channelAxis !== 0 || !isSeenAsStored(site)))
      return refusal(
        site,
        'The runtime looks up 8-bit weights only along the rows of a two-dimensional table.',
        insteadUse('float16'),
      );
    if (site.op === 'LSTM') {
      const reason = lstmReason(subject, site, chosen);
      if (reason) return refusal(site, reason, insteadUse('weight-only'));
    }
    const order = orderOf(site);
    if (!order)
      return refusal(
        site,
        'The runtime multiplies integers only with one constant matrix on the right.',
        insteadUse('weight-only'),
      );
    if (totalBytes(order) >= bytesNow(order))
      return refusal(
        site,
        `With its scales it would take ${totalBytes(order)} bytes, and it takes ${bytesNow(order)} now.`,
        keepIt,
      );
    return null;
  },

  warnings({ sites }) {
    const work = (ops: readonly LayerSite[]): number => ops.reduce((sum, { macs }) => sum + (macs ?? 0), 0);
    const convolutions = sites.filter(({ op }) => op === 'Conv' || op === 'ConvTranspose');
    if (work(convolutions) <= work(sites) / 2) return [];
    return [
      'Most of the work here is convolution, which stays in float: smaller, hardly faster. int8-static takes both.',
    ];
  },

  async *apply(subject, targets, workshop) {
    const rewrite = new Rewrite(subject.model);
    const shelf = new Shelf(subject, rewrite, workshop);
    const cut = new Set(targets.map(({ site }) => site.name));
    const recurrent = new IntegerLstms(subject, rewrite, shelf);
    for (const { site } of targets) {
      const order = orderOf(site);
      if (!order) throw new Error(`${site.name} was planned although it does not fit`);
      let shelved: Shelved;
      if (site.op === 'Gather') {
        shelved = await shelf.quantized(site, order, rowsForm(order));
        putGatherBlockQuantized(rewrite, site, order, shelved);
      } else if (site.op === 'LSTM') {
        shelved = await recurrent.put(site);
      } else {
        shelved = await shelf.quantized(site, order, {
          codes: { dtype: 'int8', dims: [order.columns, order.rows] },
          scales: [order.rows],
          zeroPoints: [order.rows],
        });
        putIntegerProduct(rewrite, site, shelved);
      }
      yield { layer: site.name, error: shelved.loss, notes: keptBeside(subject, site, cut) };
    }
    return rewrite.finish();
  },
};

/**
 * x → DynamicQuantizeLinear → MatMulInteger → Cast → Mul(x's scale · weight scales) [→ Mul alpha] [→ Add]: the runtime
 * fuses it to DynamicQuantizeMatMul.
 */
function putIntegerProduct(rewrite: Rewrite, site: LayerSite, { codes, scales }: Shelved): void {
  const output = site.node.outputs[0]!;
  const { nodes, input, steps } = around(rewrite, site, 'float32');
  const fresh = (suffix: string): string => rewrite.name(`${output}_${suffix}`);
  const [quantized, scale, zero] = [fresh('quantized'), fresh('scale'), fresh('zero')];
  const [integers, floats, factor] = [fresh('integers'), fresh('floats'), fresh('factor')];
  rewrite.replace(site, [
    ...nodes,
    makeNode('DynamicQuantizeLinear', [input], [quantized, scale, zero]),
    makeNode('MatMulInteger', [quantized, codes.name, zero], [integers], { name: site.nodeName }),
    makeNode('Cast', [integers], [floats], { attributes: { to: intAttribute(float32) } }),
    makeNode('Mul', [scale, scales.name], [factor]),
    ...chain(rewrite, floats, [{ op: 'Mul', operand: factor }, ...steps], output),
  ]);
}
