// Cross-layer equalization: channels of neighbouring layers are rescaled until both sides have the same range. The answers stay.
import type { MethodCard } from '../../contract/words/method';
import { refuse } from '../../contract/words/refusal';
import type { LayerSite } from '../graph/layers';
import { type Criterion, Equalizer } from './cutting/equalized';
import { type Joint, jointsOf } from './cutting/joints';
import { dequantizedAlready, refusal } from './cutting/judge';
import { Rewrite } from './cutting/rewrite';
import type { Method, Subject } from './method';

const card: MethodCard = {
  id: 'equalize',
  title: 'Equalize',
  family: 'precondition',
  help: 'Rescales the channels between neighbouring layers so that one scale per tensor loses little. The answers do not change, and neither does the size: put it before a quantizer. It works where only ReLU, pooling and reshaping stand between two layers; no data needed.',
  needs: ['weights'],
  params: [
    {
      id: 'criterion',
      label: 'Until',
      kind: 'choice',
      default: 'ranges',
      help: 'What the scales of the channels are chosen for.',
      choices: [
        {
          value: 'ranges',
          label: 'Equal ranges',
          help: 'Both sides of every channel have the same range (Data-Free Quantization). Best where activations are in 8 bits too.',
        },
        {
          value: 'noise',
          label: 'Least noise',
          help: 'From equal ranges on to where rounded weights disturb the answers least. Best for weights alone, on one scale a tensor.',
        },
      ],
    },
  ],
  ops: ['Conv', 'Gemm', 'MatMul'],
};

const sitesOf = ({ makers, readers }: Joint): LayerSite[] => [...makers, ...readers.map(({ site }) => site)];

/** Joints of which every layer is taken. */
function chosenJoints(subject: Subject, chosen?: ReadonlySet<string>): Joint[] {
  return jointsOf(subject).list.filter((joint) => !chosen || sitesOf(joint).every(({ name }) => chosen.has(name)));
}

export const equalize: Method = {
  card,

  fits(subject, site, _params, chosen) {
    const already = dequantizedAlready(site);
    if (already) return already;
    if (chosenJoints(subject, chosen).some((joint) => sitesOf(joint).includes(site))) return null;
    const joint = jointsOf(subject).list.find((one) => sitesOf(one).includes(site));
    if (joint) {
      const missing = sitesOf(joint).filter(({ name }) => !chosen?.has(name));
      return refusal(
        site,
        `It shares its channels with ${missing.map(({ name }) => name).join(', ')}; take all or none.`,
      );
    }
    const why = jointsOf(subject).stops.get(site.name) ?? '';
    return refusal(site, `Nothing positively homogeneous joins it to the next layer. ${why}`.trim());
  },

  warnings() {
    return [];
  },

  async *apply(subject, targets, workshop) {
    const criterion = (targets[0]?.params.criterion ?? 'ranges') as Criterion;
    for (const { site, params } of targets)
      if (params.criterion !== criterion)
        refuse('bad-recipe', `criterion of equalize is one for all layers of a step, and ${site.name} overrides it.`);
    const rewrite = new Rewrite(subject.model);
    const equalizer = new Equalizer(
      subject,
      chosenJoints(subject, new Set(targets.map(({ site }) => site.name))),
      criterion,
    );
    for (const { site } of targets) {
      await equalizer.put(rewrite, site, workshop);
      const notes = equalizer.takes(site)
        ? []
        : ['Too many weights hang together here to be balanced at once; it stays as it is.'];
      yield { layer: site.name, error: null, notes, rescaled: equalizer.makes(site) ? [site.name] : [] };
    }
    return rewrite.finish();
  },
};
