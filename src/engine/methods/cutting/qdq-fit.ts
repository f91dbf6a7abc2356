// Which layers can be computed on integers with ranges learnt beforehand, why another cannot, and what such a step may vary by layer.
import { type Refusal, refuse } from '../../../contract/words/refusal';
import { readInt } from '../../graph/edit';
import { storedBytes } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { cpuFeatures } from '../../runtime/machine';
import type { Subject, Target } from '../method';
import { dequantizedAlready, refusal, unfitType } from './judge';
import { computeType } from './matrix';
import { surroundingReason } from './qdq-plan';
import { type IntegerBits, integerBytes, weightReason } from './qdq-weight';

const products: readonly string[] = ['Conv', 'Gemm', 'MatMul'];

/** Why a layer's product cannot be one of integers; null where it can. */
export function integerRefusal(
  subject: Subject,
  site: LayerSite,
  perChannel: boolean,
  bits: IntegerBits = 8,
): Refusal | null {
  const already = dequantizedAlready(site);
  if (already) return already;
  if (site.op === 'Gather')
    return refusal(site, 'A table is looked up, not multiplied.', 'Use int8-dynamic or weight-only for it.');
  if (!products.includes(site.op) || site.domain !== '')
    return refusal(site, `The runtime has no integer ${site.op}.`, 'Use weight-only for a smaller file.');
  if (site.graph !== subject.model.graph)
    return refusal(site, 'It is inside a branch, whose values cannot be observed.', 'Use weight-only or int8-dynamic.');
  const type = computeType(site, subject.shapes);
  const unfit = unfitType(site, type);
  if (unfit) return unfit;
  if (type !== 'float32') return refusal(site, 'Activations are quantized only from float32.');
  const reason = weightReason(site) ?? surroundingReason(subject, site);
  if (reason) return refusal(site, reason, 'Use weight-only for a smaller file.');
  if (site.op === 'Gemm' && readInt(site.node, 'transA', 0) !== 0)
    return refusal(site, 'It multiplies its input transposed.', 'Use int8-dynamic.');
  const bytes = integerBytes(site, perChannel, bits);
  if (bytes >= storedBytes(site.tensor))
    return refusal(
      site,
      `With its scales it would take ${bytes} bytes, and it takes ${storedBytes(site.tensor)} now.`,
      'Exclude it; it stays as it is.',
    );
  return null;
}

/** Values are shared between layers, so how they are observed and rounded is one choice for the step; `free` parameters are a layer's own. */
export function refuseMixed(targets: readonly Target[], method: string, free: readonly string[]): void {
  const [first, ...others] = targets;
  for (const { site, params } of others) {
    const own = Object.keys(params).find((key) => !free.includes(key) && params[key] !== first!.params[key]);
    if (own !== undefined)
      refuse(
        'bad-recipe',
        `${own} of ${method} is one for all layers of a step, and ${site.name} overrides it.`,
        `Override ${free.join(' or ')} only, or exclude the layer.`,
      );
  }
}

/** What to say of x64 without VNNI. ARM computes 8-bit products exactly. */
export function saturates(): string[] {
  if (process.arch !== 'x64') return [];
  const features = cpuFeatures();
  const isNarrow = features.length > 0 && !features.some((feature) => feature.includes('vnni'));
  return isNarrow ? ['This CPU adds pairs of 8-bit products in 16 bits, which may saturate.'] : [];
}
