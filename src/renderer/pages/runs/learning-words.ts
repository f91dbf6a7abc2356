// A training in words: what it has come to, how it ended, and why.
import type { TrainingRecord } from '../../../contract/words/training';
import { count, plural, short, significant } from '../../format';
import { type Learning, stepsTold } from './learning';

export const lossText = (value: number): string => (Number.isFinite(value) ? significant(value, 3) : 'not a number');

/** Changes below this share of the loss are told as none. */
const level = 0.0005;

/** *The validation loss fell from 0.0940 to 0.0810 by step 120.* Renewed at judgements only, so that it can be read. */
export function learningFinding({ validation, parent, best }: Learning): string {
  const last = validation.at(-1);
  if (!last || !parent) return 'It learns; nothing is validated.';
  if (last.step === 0) return `Learning begins at a validation loss of ${lossText(parent.value)}.`;
  const step = count(last.step);
  const change = last.value - parent.value;
  if (Math.abs(change) < Math.max(last.band ?? 0, parent.value * level))
    return `Validation loss ${lossText(last.value)} at step ${step}, not told apart from the parent’s ${lossText(parent.value)}.`;
  const way = change < 0 ? 'fell' : 'rose';
  const lower = best && best.step !== last.step && best.step > 0 ? `; lowest at step ${count(best.step)}` : '';
  return `The validation loss ${way} from ${lossText(parent.value)} to ${lossText(last.value)} by step ${step}${lower}.`;
}

/** How it ended and which weights were kept, in two sentences. */
export function endingWords(record: TrainingRecord): string {
  return [howItEnded(record), whatWasKept(record), resumed(record)].filter(Boolean).join(' ');
}

function howItEnded({ ending, steps, plannedSteps }: TrainingRecord): string {
  switch (ending) {
    case 'done':
      return steps === 1 ? 'Its one step was taken.' : `All ${count(steps)} steps were taken.`;
    case 'early':
      return `It ended early, after ${count(steps)} of ${count(plannedSteps)} steps: the validation loss fell no more.`;
    case 'stopped':
      return `It was stopped by hand after ${count(steps)} of ${count(plannedSteps)} steps.`;
    case 'diverged':
      return `It diverged: after ${count(steps)} of ${count(plannedSteps)} steps the loss was no longer a number. Lower the learning rate.`;
    default:
      return ending satisfies never;
  }
}

function whatWasKept({ bestStep, bestLevel, parentLevel }: TrainingRecord): string {
  if (bestLevel === null) return 'Nothing was validated, so the last weights were kept.';
  if (bestStep === 0)
    return 'No step did better on the validation samples than the weights it began with: those were kept.';
  const before = parentLevel === null ? '' : `, ${lossText(parentLevel)} before`;
  return `The weights of step ${count(bestStep)} were kept: validation loss ${lossText(bestLevel)}${before}.`;
}

const resumed = ({ resumedAt }: TrainingRecord): string =>
  resumedAt === undefined ? '' : `It had been interrupted, and went on at step ${count(resumedAt)}.`;

/** The picture as a sentence, for a reader. How a training ended stands below it for everyone. */
export function learningSummary(learning: Learning): string {
  const { record, planned, rate, validation } = learning;
  if (record)
    return `${validation.length > 0 ? 'Validation and training' : 'Training'} loss over ${plural(record.steps, 'step')}.`;
  const now = rate.at(-1);
  return [
    `Step ${count(stepsTold(learning))} of ${count(planned)}.`,
    learningFinding(learning),
    now ? `Learning rate ${short(now.value)}.` : '',
  ]
    .filter(Boolean)
    .join(' ');
}
