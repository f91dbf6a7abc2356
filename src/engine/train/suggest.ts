// What suits the model and the dataset: samples of a step, and how often all of them are seen.
import type { Suggestion } from '../../contract/words/recipe';
import type { Pace } from './pace';

type Setting = Omit<Suggestion, 'step'>;

const usualBatch = 32;
/** A step takes this share of the samples at most, so that an epoch is more than a few steps. */
const largestShare = 1 / 8;
const usualEpochs = 3;
/** Below, AdamW has hardly found its pace; above, one waits long before the first result. */
const fewestSteps = 200;
const mostSteps = 2000;

/** `mostRows`: samples that fit into memory together. */
export function suggestedFor(samples: number, pace: Pace, mostRows: number): Setting[] {
  const most = Math.max(1, Math.min(usualBatch, samples * largestShare, mostRows));
  const batch = 2 ** Math.floor(Math.log2(most));
  const epochs = epochsFor(pace.stepsPerEpoch);
  return [
    { parameter: 'batch', value: batch, why: whyBatch(batch, samples, mostRows) },
    { parameter: 'epochs', value: epochs, why: `for ${count(epochs * pace.stepsPerEpoch)} steps` },
  ];
}

function whyBatch(batch: number, samples: number, mostRows: number): string {
  if (batch === usualBatch) return `for ${count(Math.floor(samples / batch))} steps an epoch`;
  return mostRows < samples * largestShare
    ? 'for what memory is free'
    : `an eighth of ${count(samples)} samples at most`;
}

const roundNumbers = [1, 1.5, 2, 3, 4, 5, 6, 8];

function epochsFor(stepsPerEpoch: number): number {
  const usual = usualEpochs * stepsPerEpoch;
  if (usual < fewestSteps) return roundUp(fewestSteps / stepsPerEpoch);
  return usual > mostSteps ? roundDown(mostSteps / stepsPerEpoch) : usualEpochs;
}

const roundUp = (value: number): number => {
  const decade = 10 ** Math.floor(Math.log10(value));
  return precise((roundNumbers.find((each) => each * decade >= value * (1 - 1e-9)) ?? 10) * decade);
};

const roundDown = (value: number): number => {
  const decade = 10 ** Math.floor(Math.log10(value));
  return precise((roundNumbers.findLast((each) => each * decade <= value * (1 + 1e-9)) ?? 1) * decade);
};

const precise = (value: number): number => Number(value.toPrecision(6));
const count = (value: number): string => Math.round(value).toLocaleString('en');
