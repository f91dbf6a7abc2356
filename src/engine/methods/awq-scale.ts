// Activation-aware scaling: channels that carry much are rounded finely, because their weights are made larger before and smaller behind.
// Lin et al., AWQ, arXiv 2306.00978.
import type { MethodCard } from '../../contract/words/method';
import type { LayerSite } from '../graph/layers';
import { groupRange, groupScale, roundHalfUp } from '../kernels/reference/quantize';
import { type ChannelStatistics, chosenSeams, rescaleChannels } from './cutting/channel-scales';
import { dequantizedAlready, keepIt, refusal } from './cutting/judge';
import { rightMatrix } from './cutting/matrix';
import type { Method, Params } from './method';

const card: MethodCard = {
  id: 'awq-scale',
  title: 'AWQ scaling',
  family: 'precondition',
  help: 'Scales the input channels of MatMul and Gemm so that those which carry much lose least to rounding; the norm or layer before takes the scales back. The answers do not change, and neither does the size: put it before weight-only, with the same bits and group size.',
  needs: ['weights', 'data'],
  params: [
    {
      id: 'samples',
      label: 'Samples',
      help: 'Calibration samples that pass through the model. Above a billion parameters they end at 8,192 tokens.',
      kind: 'number',
      default: 128,
      min: 1,
      max: 4096,
      integer: true,
      logarithmic: true,
    },
    {
      id: 'bits',
      label: 'Bits to come',
      help: 'Bits of the quantizer that follows: the scales are those that serve it best.',
      kind: 'choice',
      default: 4,
      choices: [
        { value: 8, label: '8' },
        { value: 4, label: '4' },
        { value: 2, label: '2' },
      ],
    },
    {
      id: 'groupSize',
      label: 'Group size to come',
      unit: 'weights',
      help: 'Group size of the quantizer that follows.',
      kind: 'choice',
      default: 32,
      choices: [
        ...[16, 32, 64, 128, 256].map((value) => ({ value, label: `${value}` })),
        { value: 0, label: 'Channel', help: 'One scale for each output channel.' },
      ],
    },
    {
      id: 'symmetric',
      label: 'Symmetric to come',
      help: 'Whether the quantizer that follows centres its levels on zero.',
      kind: 'switch',
      default: true,
      on: 'Centred on zero',
      off: 'With zero points',
    },
  ],
  ops: ['MatMul', 'Gemm'],
};

/** Exponents that are tried, 0 among them: never worse than no scaling on what was looked at. */
const steps = 20;
/** Output channels that are rounded in the search, evenly spread. */
const mostRows = 256;

function scalesAt(exponent: number, { mean }: ChannelStatistics): Float64Array {
  const scales = mean.map((size) => Math.max(size ** exponent, 1e-4));
  const middle = Math.sqrt(scales.reduce((a, b) => Math.max(a, b)) * scales.reduce((a, b) => Math.min(a, b)));
  return scales.map((scale) => scale / middle);
}

/** Σ over weights of E[x_k²] · (Q(w·s)/s − w)²: the output error where the errors of weights do not hang together. */
function outputError(
  site: LayerSite,
  weights: Float32Array,
  scales: Float64Array,
  { square }: ChannelStatistics,
  params: Params,
): number {
  const { rows, columns, order } = rightMatrix(site)!;
  const [rowStep, columnStep] = order === 'rows' ? [columns, 1] : [1, rows];
  const bits = params.bits as 2 | 4 | 8;
  const group = Math.min(columns, Number(params.groupSize) || columns);
  const grid = { bits, rule: params.symmetric ? 'signed-max' : 'asymmetric' } as const;
  const top = 2 ** bits - 1;
  const scaled = new Float32Array(group);
  const step = Math.max(1, Math.floor(rows / mostRows));
  let error = 0;
  for (let n = 0; n < rows; n += step) {
    for (let from = 0; from < columns; from += group) {
      const part = scaled.subarray(0, Math.min(group, columns - from));
      for (let i = 0; i < part.length; i++)
        part[i] = weights[n * rowStep + (from + i) * columnStep]! * scales[from + i]!;
      const { low, high } = groupRange(part);
      const { scale, zero } = groupScale(low, high, grid);
      for (let i = 0; i < part.length; i++) {
        const code = scale === 0 ? zero : Math.max(0, Math.min(top, roundHalfUp(part[i]! / scale + zero)));
        const lost = ((code - zero) * scale - part[i]!) / scales[from + i]!;
        error += square[from + i]! * lost * lost;
      }
    }
  }
  return error;
}

export const awqScale: Method = {
  card,

  samplesOf: ({ samples }) => Number(samples),

  fits(subject, site, _params, chosen) {
    const already = dequantizedAlready(site);
    if (already) return already;
    if (chosenSeams(subject, chosen).some(({ readers }) => readers.includes(site))) return null;
    return refusal(site, 'Nothing before it can take its scales back: no norm, no layer that only it reads.', keepIt);
  },

  warnings() {
    return [];
  },

  apply(subject, targets, workshop) {
    const paramsOf = new Map(targets.map(({ site, params }) => [site, params]));
    return rescaleChannels(subject, targets, workshop, card.title, (seam, statistics, weights) => {
      let best = scalesAt(0, statistics);
      let least = Number.POSITIVE_INFINITY;
      for (let step = 0; step < steps; step++) {
        const scales = scalesAt(step / steps, statistics);
        let error = 0;
        for (const site of seam.readers)
          error += outputError(site, weights.get(site)!, scales, statistics, paramsOf.get(site)!);
        if (error < least) [best, least] = [scales, error];
      }
      return best;
    });
  },
};
