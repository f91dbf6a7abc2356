// Rotation of the residual stream: every direction is mixed into every other, so that no channel stands out. QuaRot, arXiv 2404.00456.

import type { MethodCard } from '../../contract/words/method';
import { refuse } from '../../contract/words/refusal';
import { dequantizedAlready, keepIt, refusal } from './cutting/judge';
import { type Stream, sitesOf, streamsOf } from './cutting/residual';
import { Rewrite } from './cutting/rewrite';
import { Rotator } from './cutting/rotated';
import { movedZeros } from './cutting/zeros';
import type { Method, Subject } from './method';

const card: MethodCard = {
  id: 'rotate',
  title: 'Rotate',
  family: 'precondition',
  help: 'Turns the residual stream of a transformer by a random Hadamard matrix: embeddings, and every layer that reads the stream or adds to it, are rewritten together, and the gains of norms are folded into the layers behind them. Outliers spread over all channels, so that scales of a quantizer fit all of them. The answers do not change; no data needed. Put it before weight-only; where no channel is louder than the others it wins nothing.',
  needs: ['weights'],
  params: [
    {
      id: 'seed',
      label: 'Seed',
      help: 'Which of the many rotations: the signs are drawn from it.',
      kind: 'number',
      default: 7,
      min: 0,
      max: 65_535,
      integer: true,
    },
  ],
  ops: ['Gather', 'MatMul', 'Gemm', 'Conv', 'Attention', 'EmbedLayerNormalization'],
};

/** Streams of which every layer is taken. */
export function chosenStreams(subject: Subject, chosen?: ReadonlySet<string>): Stream[] {
  return streamsOf(subject).list.filter((stream) => !chosen || sitesOf(stream).every(({ name }) => chosen.has(name)));
}

export const rotate: Method = {
  card,

  fits(subject, site, _params, chosen) {
    const already = dequantizedAlready(site);
    if (already) return already;
    if (chosenStreams(subject, chosen).some((stream) => sitesOf(stream).includes(site))) return null;
    const stream = streamsOf(subject).list.find((one) => sitesOf(one).includes(site));
    if (stream) {
      const missing = sitesOf(stream).filter(({ name }) => !chosen?.has(name));
      const [first] = missing;
      return refusal(
        site,
        `The stream it is part of can only be turned as a whole, and ${missing.length === 1 ? first!.name : `${missing.length} of its layers, ${first!.name} first,`} ${missing.length === 1 ? 'is' : 'are'} left out.`,
        'Take all or none.',
      );
    }
    const why = streamsOf(subject).stops.get(site.name) ?? '';
    return refusal(site, `It is not part of a residual stream that could be turned. ${why}`.trim(), keepIt);
  },

  warnings() {
    return [];
  },

  async *apply(subject, targets, workshop) {
    const seed = targets[0]?.params.seed;
    const other = targets.find(({ params }) => params.seed !== seed);
    if (other)
      refuse('bad-recipe', `seed of rotate is one for all layers of a step, and ${other.site.name} overrides it.`);
    const rewrite = new Rewrite(subject.model);
    const streams = chosenStreams(subject, new Set(targets.map(({ site }) => site.name)));
    const rotator = new Rotator(subject, streams, Number(seed), rewrite, workshop);
    for (const { site } of targets) {
      const rescaled = rotator.moves(site) ? [site.name] : [];
      const moved = await movedZeros(
        site.tensor,
        workshop.gathering,
        'a turned stream mixes its channels. Prune after it.',
      );
      yield { layer: site.name, error: null, notes: [...(await rotator.put(site)), ...moved], rescaled };
    }
    await rotator.finish();
    return rewrite.finish();
  },
};
