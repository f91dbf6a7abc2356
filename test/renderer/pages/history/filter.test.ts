// The filter language of run lists.
import { describe, expect, it } from 'vitest';
import { filterRuns, parseFilter } from '../../../../src/renderer/pages/history/filter';
import { document, evaluation, runRow } from '../run-row';

const rows = [
  runRow(1, {
    bytes: 11.3e6,
    metric: 'accuracy',
    value: 0.9444,
    document: document({ compressed: evaluation(0.9444, 11.3e6, 4.2) }),
    dataset: 'CIFAR-10 test',
  }),
  runRow(2, {
    bytes: 0.4e6,
    metric: 'perplexity',
    value: 10.3,
    model: 'stories',
    recipe: { lathe: 1, name: 'int8 head', steps: [{ method: 'int8-dynamic', params: {} }] },
  }),
  runRow(3, { state: 'failed', bytes: null, error: { code: 'bad-recipe', sentence: 'No.' }, artifactModelId: null }),
  runRow(4, {
    state: 'failed',
    bytes: null,
    error: { code: 'engine-died', sentence: 'It stopped.' },
    artifactModelId: null,
  }),
];
const numbers = (text: string) => filterRuns(rows, text, []).map((row) => row.number);

describe('the filter', () => {
  it('matches words in titles, models, datasets and states, all of them', () => {
    expect(numbers('stories')).toEqual([2]);
    expect(numbers('int8 head')).toEqual([2]);
    expect(numbers('cifar resnet18')).toEqual([1]);
    expect(numbers('cifar stories')).toEqual([]);
  });

  it('compares figures in the units people use', () => {
    expect(numbers('size < 12')).toEqual([1, 2]);
    expect(numbers('size < 500 kB')).toEqual([2]);
    expect(numbers('size > 0.001 GB')).toEqual([1]);
    expect(numbers('top-1 > 94')).toEqual([1]);
    expect(numbers('top-1 > 94 %')).toEqual([1]);
    expect(numbers('perplexity<11')).toEqual([2]);
    expect(numbers('latency < 5 ms')).toEqual([1]);
    expect(numbers('latency > 0.004 s')).toEqual([1]);
    expect(numbers('run = 3')).toEqual([3]);
  });

  it('knows what was refused from what failed', () => {
    expect(numbers('state = refused')).toEqual([3]);
    expect(numbers('state=failed')).toEqual([3, 4]);
    expect(numbers('refused')).toEqual([3]);
    expect(numbers('method = int8')).toEqual([2]);
  });

  it('joins comparisons and words', () => {
    expect(numbers('top-1 > 94 size < 12 resnet18')).toEqual([1]);
    expect(numbers('top-1 > 94 size < 11')).toEqual([]);
  });

  it('lets everything through when empty, and takes what it does not know as words', () => {
    expect(filterRuns(rows, '  ', [])).toBe(rows);
    expect(parseFilter('colour > 3').words).toEqual(['colour', '>', '3']);
    expect(parseFilter('size < twelve').words).toEqual(['size', '<', 'twelve']);
  });
});
