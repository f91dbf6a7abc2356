// Which parameters are dials, and how their scale is engraved: a choice among growing sizes, or a number that is turned rather than typed.
import type { Parameter } from '../../../contract/words/method';
import { significant } from '../../format';
import type { Scale, Stop } from '../../parts/dial-scale';

/** More choices than this, all numbers, are sizes on a scale; the last may be a word (per channel). */
const mostSegments = 4;

const stop = (value: number): Stop => ({ value, label: significant(value, 2) });

/** The scale of a parameter that is a dial; null for one that is typed or chosen. */
export function dialOf(parameter: Parameter): Scale | null {
  switch (parameter.kind) {
    case 'choice': {
      const sizes = parameter.choices.every((each) => typeof each.value === 'number');
      if (!sizes || parameter.precision || parameter.choices.length <= mostSegments) return null;
      return {
        kind: 'stops',
        stops: parameter.choices.map((each) => ({ value: Number(each.value), label: each.label })),
      };
    }
    case 'number': {
      const { min, max, step, integer, logarithmic } = parameter;
      // Counts of samples or epochs are typed; shares, rates and whatever spans decades are turned.
      if (integer && !logarithmic) return null;
      const at = (share: number) => (logarithmic && min > 0 ? min * (max / min) ** share : min + share * (max - min));
      return {
        kind: 'range',
        min,
        max,
        step: step ?? (integer ? 1 : (max - min) / 100),
        ...(logarithmic ? { logarithmic } : {}),
        stops: [0, 0.25, 0.5, 0.75, 1].map((share) => stop(at(share))),
      };
    }
    case 'switch':
      return null;
    default:
      return parameter satisfies never;
  }
}
