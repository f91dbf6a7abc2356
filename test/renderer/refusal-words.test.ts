// Refusals as they are read: what is wrong first, the place apart.
import { expect, it } from 'vitest';
import { headAndReason, sentenceOf } from '../../src/renderer/refusal-words';

it('puts what is wrong before the place', () => {
  const refusal = {
    code: 'bad-recipe' as const,
    sentence: 'steps[0].params.bits: 3 is not one of 2, 4, 8',
    place: 'steps[0].params.bits',
  };
  expect(sentenceOf(refusal)).toBe('3 is not one of 2, 4, 8.');
});

it('parts the bold sentence from its reason', () => {
  expect(headAndReason({ code: 'unsupported', sentence: 'It cannot be taken. The table is too small.' })).toEqual([
    'It cannot be taken.',
    'The table is too small.',
  ]);
  expect(headAndReason({ code: 'failed', sentence: 'the engine stopped' })).toEqual(['the engine stopped.', '']);
});

it('begins a sentence with what followed a colon', () => {
  expect(headAndReason({ code: 'bad-dataset', sentence: 'It learns from samples: choose a dataset.' })).toEqual([
    'It learns from samples.',
    'Choose a dataset.',
  ]);
});
