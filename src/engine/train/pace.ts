// How a training is parted: samples at once, steps, and when it is judged.
import { refuse } from '../../contract/words/refusal';
import type { InputPort } from '../data/index';
import type { TrainSettings } from './ask';

export interface Pace {
  /** Samples that pass through the model together. */
  readonly rows: number;
  /** How often before the weights move. */
  readonly accumulate: number;
  readonly stepsPerEpoch: number;
  readonly steps: number;
  /** Steps from one judgement to the next. */
  readonly judgeEvery: number;
}

/** At least this many judgements, however short the training is. */
const fewestJudgements = 4;

/** `samples`: to learn from. */
export function paceOf(
  settings: TrainSettings,
  ports: readonly InputPort[],
  samples: number,
  isBatchless: boolean,
): Pace {
  const insisted = isBatchless
    ? 1
    : (ports.map(({ shape }) => shape[0]).find((dim) => typeof dim === 'number') ?? null);
  const wanted = Math.min(settings.batch, samples);
  const rows = insisted ?? wanted;
  if (rows > samples)
    refuse('bad-dataset', `The model takes ${rows} samples at a time, and only ${samples} are there to learn from.`);
  const accumulate = Math.min(Math.max(1, Math.round(wanted / rows)), Math.floor(samples / rows));
  const stepsPerEpoch = Math.max(1, Math.floor(samples / (rows * accumulate)));
  const steps = Math.max(1, Math.round(settings.epochs * stepsPerEpoch));
  const judgeEvery = Math.max(1, Math.min(stepsPerEpoch, Math.ceil(steps / fewestJudgements)));
  return { rows, accumulate, stepsPerEpoch, steps, judgeEvery };
}
