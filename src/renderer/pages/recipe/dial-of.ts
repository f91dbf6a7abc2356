// Which parameters are dials, and how their scale is engraved: a choice among growing sizes, or a number that is turned rather than typed.
import type { Parameter } from '../../../contract/words/method';
import { compact, short } from '../../format';
import { roundValues, type Scale, type Stop } from '../../parts/dial-scale';

/** More choices than this, all numbers, are sizes on a scale; the last may be a word (per channel). */
const mostSegments = 4;

/** 10 k and more are named so: their figures have no room. */
const named = (value: number): string => (value >= 1e4 ? compact(value) : short(value));
const stop = (value: number): Stop => ({ value, label: named(value) });

/** More names than this do not fit under a dial. */
const mostNamed = 7;

/** Powers of ten among round values, or every second doubling; where those are many, every second of them bears its name. */
function stopsAlong(values: readonly number[]): Stop[] {
  const powers = values.filter((value) => Number.isInteger(Number(Math.log10(value).toFixed(9))));
  const isDoubling = values.length > 1 && values.every((value, at) => at === 0 || value === values[at - 1]! * 2);
  const places = isDoubling ? values.filter((_, at) => at % 2 === 0) : powers;
  const every = places.length > mostNamed ? 2 : 1;
  return places.map((value, at) => ({
    value,
    label: (places.length - 1 - at) % every === 0 ? named(value) : '',
  }));
}

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
      // Counts and what has no step of its own are typed; shares and whatever spans decades are turned.
      if (logarithmic && min > 0) {
        const values = roundValues(min, max, integer ?? false);
        return { kind: 'rounds', values, integer: integer ?? false, stops: stopsAlong(values) };
      }
      if (integer || step === undefined) return null;
      const stops = [0, 0.25, 0.5, 0.75, 1].map((share) => stop(min + share * (max - min)));
      return { kind: 'range', min, max, step, stops };
    }
    case 'switch':
      return null;
    default:
      return parameter satisfies never;
  }
}
