// When a dataset is too small for its numbers to be trusted, said before the start.
import { wilson } from '../measure/quality';
import type { TrainingData } from './training-data';

/** Accuracy within ±2.5 points: below that, the best of several judgements is often a lucky one. */
const widest = 0.05;
/** Windows of text, or samples with numbers as answers. */
const fewest = 50;

/** Sentences; none where the samples suffice. */
export function tooFewToTrust({ task, tune, dataset }: TrainingData): string[] {
  const name = dataset.summary.name;
  if (!tune)
    return [`${name} has too few samples to validate on: whether the training helps is not known before the test.`];
  const count = tune.samples.toLocaleString('en');
  if (task !== 'classification') {
    if (tune.samples >= fewest) return [];
    return [`${name} has ${count} validation samples, below ${fewest}: which weights are best is partly chance.`];
  }
  // The widest the interval gets: at an accuracy of one half.
  const [low, high] = wilson(tune.samples / 2, tune.samples);
  if (high - low <= widest) return [];
  const points = ((high - low) * 50).toFixed(1);
  return [
    `${name} has ${count} validation samples: accuracy is known to ±${points} points there, wider than ±2.5, so which weights are best is partly chance.`,
  ];
}
