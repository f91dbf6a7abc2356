// What a training works with: samples, programs, the optimiser, running statistics; opened together and closed together.
import type { Node } from '../graph/graph';
import { readFloats } from '../graph/tensor';
import type { TrainAsk } from './ask';
import { isAugmenting, pictureFeed } from './augment';
import { Judge } from './judge';
import { type Optimizer, openOptimizer } from './optimizer';
import { type Pace, paceOf } from './pace';
import { openProgram, type Program, type ProgramAsk } from './program';
import { RunningStatistics } from './running';
import { type Drawn, SampleStore } from './samples';
import type { Part } from './training-data';

export interface Equipment {
  readonly pace: Pace;
  /** Samples to learn from. */
  readonly samples: number;
  readonly draw: (indices: ArrayLike<number>) => Promise<Drawn>;
  readonly program: Program;
  /** Null where nothing tunes. */
  readonly judge: Judge | null;
  readonly optimizer: Optimizer;
  readonly running: RunningStatistics;
  close(): Promise<void>;
}

/** Fewer samples at once say too little about a mean. */
const fewestForNorms = 8;

export async function openEquipment(ask: TrainAsk): Promise<Equipment> {
  const { data, settings, parameters, ports, folder, signal } = ask;
  const closing: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closing.splice(0).reverse()) await one();
  };
  const read = async (part: Part, isBatchless?: boolean): Promise<SampleStore> => {
    const onRead = (done: number, total: number) => ask.tellReading('Preparing samples', done, total);
    const known = isBatchless === undefined ? {} : { isBatchless };
    const store = await SampleStore.read(data.dataset, part, ports, { folder, signal, onRead, ...known });
    closing.push(() => store.close());
    return store;
  };
  try {
    const store = await read(data.train);
    const tuning = data.tune && (await read(data.tune, store.isBatchless));
    const pace = paceOf(settings, ports, store.count, store.isBatchless);
    const draw = store.reader(pace.rows);
    const { feeds } = await draw(Array.from({ length: pace.rows }, (_, i) => i));
    if (isAugmenting(settings.augmentation)) pictureFeed(feeds);
    const tuneRows = tuning ? Math.min(pace.rows, tuning.count) : 0;
    const isRepeated = settings.epochs > 1 && !isAugmenting(settings.augmentation);
    const { tellReading: tell } = ask;
    await ask.objective.prepare?.({ store, rows: pace.rows, isRepeated, signal, tell });
    if (tuning) await ask.objective.prepare?.({ store: tuning, rows: tuneRows, isRepeated: true, signal, tell });

    const programAsk = programOf(ask, pace);
    const program = await openProgram(programAsk, 'train', feeds);
    closing.push(() => program.close());
    const running = await RunningStatistics.of(ask.model, program.statistics);
    const fed = { ...programAsk, parameters: [...programAsk.parameters, ...running.views.keys()] };
    const judge = tuning && new Judge(fed, tuning, tuneRows, signal);
    if (judge) closing.push(() => judge.close());

    const optimizer = openOptimizer(parameters, settings.optimizer);
    for (const { name } of parameters)
      optimizer.weights.get(name)!.set(await readFloats(ask.model.graph.initializers.get(name)!));
    return { pace, samples: store.count, draw, program, judge, optimizer, running, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The program of a training; norms beside what trains are measured by the batch. */
export function programOf(
  ask: Omit<ProgramAsk, 'parameters'> & Pick<TrainAsk, 'settings' | 'parameters'>,
  { rows }: Pace,
): ProgramAsk {
  const parameters = ask.parameters.map(({ name }) => name);
  const trains = new Set(parameters);
  const byBatch = ask.settings.normsByBatch && rows >= fewestForNorms;
  const normsByBatch = ({ inputs }: Node): boolean => byBatch && (trains.has(inputs[1]!) || trains.has(inputs[2]!));
  return { ...ask, parameters, normsByBatch };
}
