// Cross-layer equalization: channels of neighbouring layers are rescaled until both sides have the same range. The answers stay.
import type { MethodCard } from '../../contract/words/method';
import type { LayerSite } from '../graph/layers';
import { Equalizer } from './cutting/equalized';
import { type Joint, jointsOf } from './cutting/joints';
import { dequantizedAlready, refusal } from './cutting/judge';
import { Rewrite } from './cutting/rewrite';
import type { Method, Subject } from './method';

const card: MethodCard = {
  id: 'equalize',
  title: 'Equalize',
  family: 'precondition',
  help: 'Rescales the channels between neighbouring layers until both sides have the same range, so that one scale per tensor loses little. The answers do not change, and neither does the size: put it before a quantizer. It works where only ReLU, pooling and reshaping stand between two layers; no data needed.',
  needs: ['weights'],
  params: [],
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
    const rewrite = new Rewrite(subject.model);
    const equalizer = new Equalizer(subject, chosenJoints(subject, new Set(targets.map(({ site }) => site.name))));
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
