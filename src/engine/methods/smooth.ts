// SmoothQuant: outliers of activations move into the weights, where a scale for each channel holds them. Xiao et al., arXiv 2211.10438.
import type { MethodCard } from '../../contract/words/method';
import { chosenSeams, rescaleChannels } from './cutting/channel-scales';
import { dequantizedAlready, keepIt, refusal } from './cutting/judge';
import { rightMatrix } from './cutting/matrix';
import type { Method } from './method';

const card: MethodCard = {
  id: 'smooth',
  title: 'SmoothQuant',
  family: 'precondition',
  help: 'Divides the input channels of MatMul and Gemm by what makes them large and multiplies the weights by it, so that activations in int8 lose less. The answers do not change, and neither does the size: put it before int8-static or int8-dynamic.',
  needs: ['weights', 'data'],
  params: [
    {
      id: 'strength',
      label: 'Strength',
      help: 'How much of the range moves from activations to weights: 0 nothing, 1 all of it.',
      kind: 'number',
      default: 0.5,
      min: 0,
      max: 1,
      step: 0.05,
    },
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
  ],
  ops: ['MatMul', 'Gemm'],
};

/** Ranges below this are as good as none. */
const least = 1e-5;

export const smooth: Method = {
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
    const strengthOf = new Map(targets.map(({ site, params }) => [site, Number(params.strength)]));
    return rescaleChannels(subject, targets, workshop, card.title, ({ readers, channels }, { most }, weights) => {
      const largest = new Float64Array(channels);
      for (const site of readers) {
        const values = weights.get(site)!;
        const { rows, columns, order } = rightMatrix(site)!;
        const [rowStep, columnStep] = order === 'rows' ? [columns, 1] : [1, rows];
        for (let k = 0; k < columns; k++)
          for (let n = 0; n < rows; n++)
            largest[k] = Math.max(largest[k]!, Math.abs(values[n * rowStep + k * columnStep]!));
      }
      const strength = strengthOf.get(readers[0]!) ?? 0.5;
      // s = max|x|^α / max|w|^(1−α)
      return most.map((size, k) => {
        const scale = Math.max(size, least) ** strength / Math.max(largest[k]!, least) ** (1 - strength);
        return Math.max(scale, least);
      });
    });
  },
};
