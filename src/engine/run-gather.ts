// What the steps of a run learn from, opened only where one does; and where they tell how far they are.
import type { Recipe } from '../contract/words/recipe';
import type { TrainingRecord } from '../contract/words/training';
import type { InputPort } from './data';
import type { Kernels } from './kernels';
import { openCalibration } from './measure/calibration';
import { declaredInputs } from './measure/declared';
import type { Gathering } from './methods/cutting/gathering';
import { learningOf, needsCalibration, trainingDataFor, usesTrainSplit } from './recipe-needs';
import type { StageClock } from './stage-clock';
import type { Tasks, Work } from './tasks';
import { tooFewToTrust } from './train/trust';

export interface Gathered {
  readonly gathering: Gathering;
  /** Of every training that has ended, in the order of the steps. */
  readonly trainings: readonly TrainingRecord[];
  /** Where samples came from, in sentences. */
  readonly notes: readonly string[];
}

export async function gather(
  ask: Tasks['run']['ask'],
  recipe: Recipe,
  inputs: readonly InputPort[],
  kernels: Kernels,
  clock: StageClock,
  work: Work,
): Promise<Gathered> {
  const { dataset } = ask;
  const trainings: TrainingRecord[] = [];
  const calibrates = needsCalibration(recipe, dataset !== undefined);
  if (calibrates) work.emit({ kind: 'doing', what: 'opening the calibration samples' });
  const calibration = calibrates && dataset ? await clock.time('gather', () => openCalibration(dataset, inputs)) : null;
  const trains = recipe.steps.some((step) => learningOf(step) !== null);
  const asks = recipe.steps.some(usesTrainSplit);
  const training = asks ? await clock.time('gather', () => trainingDataFor(recipe, dataset)) : null;
  const doubts = training && trains ? tooFewToTrust(training) : [];
  for (const text of doubts) work.emit({ kind: 'log', level: 'warn', text });
  const gathering: Gathering = {
    calibration,
    declared: dataset ? await declaredInputs(dataset, inputs) : new Map(),
    folder: ask.folder,
    kernels,
    signal: work.signal,
    tell(text, done, total) {
      clock.enter('gather');
      work.emit({ kind: 'progress', stage: 'gather', text, done, total });
    },
    training,
    seed: ask.seed,
    parent: ask.path,
    stopping: () => work.stopping,
    tellTraining(text, done, total) {
      clock.enter('train');
      work.emit({ kind: 'progress', stage: 'train', text, done, total });
    },
    curve: (point) => work.emit({ kind: 'curve', point: { ...point, training: trainings.length } }),
    learnt(record) {
      trainings.push(record);
      clock.enter('apply');
    },
  };
  return { gathering, trainings, notes: [...(calibration?.notes ?? []), ...(training?.notes ?? []), ...doubts] };
}
