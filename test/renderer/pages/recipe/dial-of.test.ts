// Which parameters are turned on a dial, and how it is engraved.
import { expect, it } from 'vitest';
import type { Parameter } from '../../../../src/contract/words/method';
import { dialOf } from '../../../../src/renderer/pages/recipe/dial-of';

const base = { id: 'p', label: 'P', help: '' };
const sizes: Parameter = {
  ...base,
  kind: 'choice',
  default: 32,
  choices: [16, 32, 64, 128, 0].map((value) => ({ value, label: value === 0 ? 'Channel' : `${value}` })),
};

it('turns a choice among growing sizes, with a word at its end', () => {
  expect(dialOf(sizes)).toMatchObject({ kind: 'stops', stops: [{}, {}, {}, {}, { value: 0, label: 'Channel' }] });
});

it('leaves few choices, words and precisions to segments', () => {
  expect(dialOf({ ...sizes, precision: true })).toBeNull();
  expect(dialOf({ ...sizes, choices: sizes.kind === 'choice' ? sizes.choices.slice(0, 3) : [] })).toBeNull();
  expect(dialOf({ ...base, kind: 'switch', default: true, on: 'a', off: 'b' })).toBeNull();
});

it('turns shares and rates, types counts', () => {
  expect(dialOf({ ...base, kind: 'number', default: 0.5, min: 0, max: 1, step: 0.01 })).toMatchObject({
    kind: 'range',
    stops: [{ value: 0 }, { value: 0.25 }, { value: 0.5 }, { value: 0.75 }, { value: 1 }],
  });
  const rate = dialOf({ ...base, kind: 'number', default: 1e-4, min: 1e-6, max: 1e-2, logarithmic: true });
  expect(rate?.stops.map(({ label }) => label)).toEqual(['1e−6', '1e−5', '1e−4', '0.001', '0.01']);
  const wide = dialOf({ ...base, kind: 'number', default: 1e-4, min: 1e-7, max: 1, logarithmic: true });
  expect(wide?.stops.map(({ label }) => label)).toEqual(['', '1e−6', '', '1e−4', '', '0.01', '', '1']);
  const batch = dialOf({ ...base, kind: 'number', default: 32, min: 1, max: 4096, integer: true, logarithmic: true });
  expect(batch?.stops.map(({ label }) => label)).toEqual(['1', '4', '16', '64', '256', '1,024', '4,096']);
  expect(dialOf({ ...base, kind: 'number', default: 1, min: 0, max: 1000 })).toBeNull();
  expect(dialOf({ ...base, kind: 'number', default: 128, min: 1, max: 4096, integer: true })).toBeNull();
});
