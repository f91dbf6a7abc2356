// Half precision: weights stored as float16, computed in float32 behind a Cast. Half the bytes, the same speed here.
import type { MethodCard } from '../../contract/words/method';
import { intAttribute, makeNode } from '../graph/edit';
import { dequantizedAlready, keepIt, refusal } from './cutting/judge';
import { Rewrite } from './cutting/rewrite';
import { keptBeside, Shelf } from './cutting/shelf';
import type { Method } from './method';

/** `TensorProto.DataType` of float32. */
const float32 = 1;

const card: MethodCard = {
  id: 'float16',
  title: 'Half precision',
  family: 'quantize',
  help: 'Stores every weight in 16 bits; hardly anything changes but the size. The runtime has no half-precision kernels for these layers on a CPU, so they compute in float32 behind a Cast: half the bytes on disk, not faster, and not less memory while running. Inputs and outputs stay float32.',
  needs: ['weights'],
  params: [],
  ops: [
    'MatMul',
    'Gemm',
    'Gather',
    'Conv',
    'ConvTranspose',
    'LSTM',
    'GRU',
    'RNN',
    'Attention',
    'EmbedLayerNormalization',
    'DeformConv',
    'Einsum',
  ],
};

export const float16: Method = {
  card,

  fits(_subject, site) {
    const already = dequantizedAlready(site);
    if (already) return already;
    if (site.bits === 16) return refusal(site, `Its weights are ${site.tensor.dtype} already.`, keepIt);
    if (site.tensor.dtype !== 'float32')
      return refusal(site, `Its weights are ${site.tensor.dtype}; this method takes float32.`, keepIt);
    return null;
  },

  warnings() {
    return ['Smaller, not faster here: it computes in float32 behind a Cast.'];
  },

  async *apply(subject, targets, workshop) {
    const rewrite = new Rewrite(subject.model);
    const shelf = new Shelf(subject, rewrite, workshop);
    const cut = new Set(targets.map(({ site }) => site.name));
    for (const { site } of targets) {
      const { tensor, loss } = await shelf.halved(site);
      const cast = (from: string, to: string) =>
        makeNode('Cast', [from], [to], { attributes: { to: intAttribute(float32) } });
      if (site.op === 'Gather' && site.via.length === 0) {
        // Looked up in half and widened afterwards: the table is never unpacked as a whole.
        const output = site.node.outputs[0]!;
        const row = rewrite.name(`${output}_half`);
        const gather = {
          ...site.node,
          name: site.nodeName,
          inputs: [tensor.name, ...site.node.inputs.slice(1)],
          outputs: [row],
        };
        rewrite.replace(site, [gather, cast(row, output)]);
      } else {
        const wide = rewrite.name(`${site.weight}_wide`);
        rewrite.before(site, cast(tensor.name, wide));
        rewrite.feed(site, wide);
      }
      const clipped =
        loss && loss.clipped > 0 ? [`Weights beyond ±65,504 were stored as ±65,504: ${loss.clipped} of them.`] : [];
      yield { layer: site.name, error: loss, notes: [...clipped, ...keptBeside(subject, site, cut)] };
    }
    return rewrite.finish();
  },
};
