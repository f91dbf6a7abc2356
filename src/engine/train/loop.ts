// The training loop: draws a batch, lets the program make its gradients, lets the optimiser step; judges, keeps the best, stops in time.
import { join } from 'node:path';
import { refuse } from '../../contract/words/refusal';
import type { InputPort } from '../data/index';
import type { Model, Node } from '../graph/graph';
import { readFloats } from '../graph/tensor';
import type { Feed, Feeds } from '../runtime/session';
import { type Augmentation, augment, isAugmenting, pictureFeed } from './augment';
import { checkpointsFolder, readCheckpoint, writeCheckpoint } from './checkpoint';
import { type Curve, type CurvePoint, Curves, pointEvery } from './curves';
import { drawMask } from './dropout';
import { fingerprintOf } from './fingerprint';
import { Judge } from './judge';
import type { Objective } from './objective';
import { clipScale, type Optimizer, type OptimizerSettings, openOptimizer, type Parameter } from './optimizer';
import { openProgram, type Pass, type Program, scalarFeed } from './program';
import { randomFor, shuffled } from './random';
import { RunningStatistics } from './running';
import { type Drawn, SampleStore } from './samples';
import { rateAt, type Schedule } from './schedule';
import type { TrainingData } from './training-data';

export interface TrainSettings {
  /** How often every sample is seen; broken numbers end within an epoch. */
  readonly epochs: number;
  /** Samples of one step. */
  readonly batch: number;
  readonly learningRate: number;
  readonly schedule: Schedule['kind'];
  /** Share of the steps in which the rate rises. */
  readonly warmUp: number;
  readonly optimizer: OptimizerSettings;
  /** The longest a gradient over all parameters may be; 0 clips nothing. */
  readonly clip: number;
  readonly augmentation: Augmentation;
  /** Judgements without a better one after which it ends; 0: never. */
  readonly patience: number;
  /** Batch norms beside what trains normalise by the batch, and their running statistics follow; else they stay as measured. */
  readonly normsByBatch: boolean;
}

export interface TrainAsk {
  /** The forward graph as passes left it, weights among its initializers; of free batch, or of the batch it insists on. */
  readonly model: Model;
  readonly ports: readonly InputPort[];
  readonly parameters: readonly Parameter[];
  readonly objective: Objective;
  readonly data: TrainingData;
  readonly settings: TrainSettings;
  readonly seed: number;
  /** The job's own folder: checkpoints stay in it, everything else is removed again. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Elements of parameters that must not move, by parameter. */
  readonly held?: ReadonlyMap<string, Uint32Array>;
  readonly pass?: Pass;
  readonly threads?: number;
  readonly config?: Readonly<Record<string, string>>;
  /** Asked between steps: end now and keep the best. */
  readonly stopping: () => boolean;
  readonly tell: (text: string, done: number, total: number) => void;
  readonly curve: (point: CurvePoint) => void;
  /** Steps between checkpoints; by default they are written by time. */
  readonly checkpointEvery?: number;
}

export type Ending = 'done' | 'early' | 'stopped' | 'diverged';

export interface Trained {
  /** The best weights, by parameter; and the running statistics that go with them. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly curves: readonly Curve[];
  readonly steps: number;
  readonly plannedSteps: number;
  readonly epochs: number;
  readonly ending: Ending;
  /** Steps behind the weights that were kept; 0: as they were before. */
  readonly bestStep: number;
  /** Loss on the samples that tune, of the weights that were kept and of those before; null where nothing tunes. */
  readonly bestLevel: number | null;
  readonly parentLevel: number | null;
  readonly resumedAt: number | null;
  /** Parameters that the loss does not depend on. */
  readonly untouched: readonly string[];
}

/** Everything the next step depends on besides the arrays. */
interface State {
  readonly fingerprint: string;
  step: number;
  best: { step: number; level: number } | null;
  waited: number;
  judged: number;
  parentLevel: number | null;
  /** Training loss since the last point of its curve. */
  sum: number;
  summed: number;
  ending: Ending | null;
  curves: readonly Curve[];
}

/** Fewer samples at once say too little about a mean. */
const fewestForNorms = 8;
/** At least this many judgements, however short the training is. */
const fewestJudgements = 4;
const checkpointSeconds = 20;
/** Writing checkpoints takes no more than this share of the time. */
const checkpointShare = 0.05;
const tellMs = 200;

export async function train(ask: TrainAsk): Promise<Trained> {
  const training = await Training.open(ask);
  try {
    await training.run();
    return training.finish();
  } finally {
    await training.close();
  }
}

/** Samples of a step: how many at once, and how often before the weights move. */
export function rowsOf(settings: TrainSettings, ports: readonly InputPort[], samples: number, isBatchless: boolean) {
  const insisted = isBatchless
    ? 1
    : (ports.map(({ shape }) => shape[0]).find((dim) => typeof dim === 'number') ?? null);
  const wanted = Math.min(settings.batch, samples);
  const rows = insisted === null ? wanted : Math.min(insisted, samples);
  if (insisted !== null && rows < insisted)
    refuse(
      'bad-dataset',
      `The model takes ${insisted} samples at a time, and only ${samples} are there to learn from.`,
    );
  const accumulate = Math.max(1, Math.round(wanted / rows));
  return { rows, accumulate: Math.min(accumulate, Math.floor(samples / rows)) };
}

class Training {
  private told = Number.NEGATIVE_INFINITY;
  private lastCheckpoint = performance.now();
  private checkpointCost = 0;
  private order: { epoch: number; indices: Uint32Array } | null = null;
  private resumedAt: number | null = null;

  private constructor(
    private readonly ask: TrainAsk,
    private readonly stores: readonly SampleStore[],
    private readonly program: Program,
    private readonly draw: (indices: ArrayLike<number>) => Promise<Drawn>,
    private readonly judge: Judge | null,
    private readonly optimizer: Optimizer,
    private readonly running: RunningStatistics,
    /** Of the best so far. */
    private readonly best: { readonly weights: Float32Array; readonly running: Float32Array },
    private readonly parts: {
      readonly rows: number;
      readonly accumulate: number;
      readonly stepsPerEpoch: number;
      readonly steps: number;
      readonly judgeEvery: number;
    },
    private readonly state: State,
    private readonly curves: Curves,
  ) {}

  static async open(ask: TrainAsk): Promise<Training> {
    const { data, settings, parameters, folder, signal } = ask;
    const stores: SampleStore[] = [];
    const closing: (() => Promise<void>)[] = [];
    try {
      const read = async (part: TrainingData['train'], isBatchless?: boolean): Promise<SampleStore> => {
        const onRead = (done: number, total: number) => ask.tell('Preparing samples', done, total);
        const store = await SampleStore.read(data.dataset, part, ask.ports, {
          folder,
          signal,
          onRead,
          ...(isBatchless === undefined ? {} : { isBatchless }),
        });
        stores.push(store);
        closing.push(() => store.close());
        return store;
      };
      const store = await read(data.train);
      const { rows, accumulate } = rowsOf(settings, ask.ports, store.count, store.isBatchless);
      const tuneStore = data.tune ? await read(data.tune, store.isBatchless) : null;
      const stepsPerEpoch = Math.max(1, Math.floor(store.count / (rows * accumulate)));
      const steps = Math.max(1, Math.round(settings.epochs * stepsPerEpoch));
      const judgeEvery = Math.max(1, Math.min(stepsPerEpoch, Math.ceil(steps / fewestJudgements)));

      const draw = store.reader(rows);
      const first = await draw(Array.from({ length: rows }, (_, i) => i));
      if (isAugmenting(settings.augmentation)) pictureFeed(first.feeds);
      const names = parameters.map(({ name }) => name);
      const trains = new Set(names);
      const byBatch = settings.normsByBatch && rows >= fewestForNorms;
      const normsByBatch = ({ inputs }: Node): boolean => byBatch && (trains.has(inputs[1]!) || trains.has(inputs[2]!));
      const programAsk = { ...ask, parameters: names, normsByBatch };
      const program = await openProgram(programAsk, 'train', first.feeds);
      closing.push(() => program.close());
      const running = await RunningStatistics.of(ask.model, program.statistics);
      const fed = { ...programAsk, parameters: [...names, ...running.views.keys()] };
      const judge = tuneStore && new Judge(fed, tuneStore, Math.min(rows, tuneStore.count), signal);
      if (judge) closing.push(() => judge.close());

      const optimizer = openOptimizer(parameters, settings.optimizer);
      for (const { name } of parameters)
        optimizer.weights.get(name)!.set(await readFloats(ask.model.graph.initializers.get(name)!));
      const best = { weights: new Float32Array(optimizer.arrays.get('weights')!), running: running.all.slice() };
      const parts = { rows, accumulate, stepsPerEpoch, steps, judgeEvery };
      const fingerprint = fingerprintOf(ask, parts, [best.weights, best.running]);
      const fresh: State = {
        fingerprint,
        step: 0,
        best: null,
        waited: 0,
        judged: -1,
        parentLevel: null,
        sum: 0,
        summed: 0,
        ending: null,
        curves: [],
      };
      const found = await readCheckpoint<State>(checkpointsOf(folder, fingerprint));
      const state = found?.state.fingerprint === fingerprint ? found.state : fresh;
      const curves = new Curves(ask.curve, state.curves);
      const training = new Training(ask, stores, program, draw, judge, optimizer, running, best, parts, state, curves);
      if (found && state !== fresh) training.takeUp(found.arrays);
      return training;
    } catch (error) {
      for (const close of closing.reverse()) await close();
      throw error;
    }
  }

  private takeUp(arrays: ReadonlyMap<string, Float32Array>): void {
    for (const [name, array] of this.optimizer.arrays) array.set(arrays.get(name)!);
    this.running.all.set(arrays.get('running')!);
    this.best.weights.set(arrays.get('bestWeights')!);
    this.best.running.set(arrays.get('bestRunning')!);
    this.resumedAt = this.state.step;
  }

  async run(): Promise<void> {
    const { ask, state, parts, curves } = this;
    const { steps, judgeEvery } = parts;
    const points = pointEvery(steps);
    if (state.judged < 0) await this.judgeNow();
    while (state.ending === null && state.step < steps) {
      ask.signal.throwIfAborted();
      if (ask.stopping()) {
        state.ending = 'stopped';
        break;
      }
      const { loss, rate } = await this.step();
      if (!Number.isFinite(loss)) {
        state.ending = 'diverged';
        break;
      }
      state.sum += loss;
      state.summed++;
      if (state.step % points === 0 || state.step === steps) {
        curves.add('train', state.step, state.sum / state.summed);
        curves.add('learningRate', state.step, rate);
        state.sum = 0;
        state.summed = 0;
      }
      this.tellStep(loss);
      if (state.step % judgeEvery === 0 && state.step < steps) {
        await this.judgeNow();
        if (ask.settings.patience > 0 && state.waited >= ask.settings.patience) state.ending = 'early';
      }
      await this.checkpointInTime();
    }
    if (state.ending === 'diverged' && state.best === null)
      refuse(
        'unsupported',
        `The loss is not a number after ${state.step} steps: the learning rate is too high, or the model's answers overflow.`,
        'Lower the learning rate.',
      );
    if (state.ending !== 'diverged' && state.judged < state.step) await this.judgeNow();
    state.ending ??= 'done';
    if (!this.judge) this.keepBest(null);
    await this.checkpoint();
  }

  finish(): Trained {
    const { state, optimizer, running, best, curves, ask, program, parts } = this;
    const weights = new Map<string, Float32Array>([
      ...partsOf(optimizer.weights, optimizer.arrays.get('weights')!, best.weights),
      ...partsOf(running.views, running.all, best.running),
    ]);
    return {
      weights,
      curves: curves.list,
      steps: state.step,
      plannedSteps: parts.steps,
      epochs: state.step / parts.stepsPerEpoch,
      ending: state.ending ?? 'done',
      bestStep: this.judge ? (state.best?.step ?? 0) : state.step,
      bestLevel: state.best?.level ?? null,
      parentLevel: state.parentLevel,
      resumedAt: this.resumedAt,
      untouched: ask.parameters.map(({ name }) => name).filter((name) => !program.gradients.has(name)),
    };
  }

  async close(): Promise<void> {
    await this.program.close();
    await this.judge?.close();
    for (const store of this.stores) await store.close();
  }

  /** One step of the optimiser: the gradients of its batch, in as many parts as the model takes. */
  private async step(): Promise<{ loss: number; rate: number }> {
    const { ask, state, parts, optimizer } = this;
    const { accumulate, rows, stepsPerEpoch, steps } = parts;
    const { settings } = ask;
    const epoch = Math.floor(state.step / stepsPerEpoch);
    if (this.order?.epoch !== epoch)
      this.order = { epoch, indices: shuffled(this.stores[0]!.count, randomFor(ask.seed, 'order', epoch)) };
    let sum = 0;
    for (let part = 0; part < accumulate; part++) {
      const at = ((state.step % stepsPerEpoch) * accumulate + part) * rows;
      const indices = this.order.indices.subarray(at, at + rows);
      sum += await this.gradientsOf(indices, state.step * accumulate + part, part > 0);
    }
    const loss = sum / accumulate;
    if (!Number.isFinite(loss)) return { loss, rate: 0 };
    for (const [name, places] of ask.held ?? []) {
      const gradient = optimizer.gradients.get(name)!;
      for (const at of places) gradient[at] = 0;
    }
    const share = 1 / accumulate;
    const norm = settings.clip > 0 ? optimizer.norm() * share : 0;
    if (!Number.isFinite(norm)) return { loss: Number.NaN, rate: 0 };
    const rate = rateAt(state.step, {
      kind: settings.schedule,
      learningRate: settings.learningRate,
      warmUpSteps: Math.round(settings.warmUp * steps),
      steps,
    });
    state.step++;
    optimizer.step({ rate, scale: share * clipScale(norm, settings.clip), count: state.step });
    return { loss, rate };
  }

  /** Puts the gradients of these samples into the optimiser's array, or adds them to it; answers the loss. */
  private async gradientsOf(indices: ArrayLike<number>, draw: number, isAdded: boolean): Promise<number> {
    const { ask, program, optimizer } = this;
    const { seed, settings, objective, parameters } = ask;
    const drawn = await this.draw(indices);
    if (isAugmenting(settings.augmentation))
      augment(drawn.feeds, settings.augmentation, randomFor(seed, 'augment', draw));
    const masks: Record<string, Feed> = {};
    const random = randomFor(seed, 'dropout', draw);
    for (const { name, dims, ratio } of program.masks) {
      const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
      drawMask(data, ratio, random);
      masks[name] = { dtype: 'float32', dims, data };
    }
    const loss = scalarFeed();
    const outputs: Record<string, Feed> = { [program.loss]: loss, ...this.running.outputs };
    const before = isAdded ? optimizer.allGradients.slice() : null;
    for (const { name, dims } of parameters) {
      const output = program.gradients.get(name);
      if (output) outputs[output] = { dtype: 'float32', dims, data: optimizer.gradients.get(name)! };
    }
    const feeds = { ...drawn.feeds, ...(await objective.feeds(drawn)), ...masks, ...this.weightFeeds() };
    await program.run(feeds, outputs);
    this.running.follow();
    if (before) for (let i = 0; i < before.length; i++) optimizer.allGradients[i]! += before[i]!;
    return loss.data[0]!;
  }

  private weightFeeds(): Feeds {
    const feeds: Record<string, Feed> = {};
    for (const { name, dims } of this.ask.parameters)
      feeds[name] = { dtype: 'float32', dims, data: this.optimizer.weights.get(name)! };
    return feeds;
  }

  private runningFeeds(): Feeds {
    return Object.fromEntries(
      [...this.running.views].map(([name, data]) => [name, { dtype: 'float32', dims: [data.length], data }]),
    );
  }

  private async judgeNow(): Promise<void> {
    const { state, judge, ask } = this;
    state.judged = state.step;
    if (!judge) return;
    const level = await judge.level({ ...this.weightFeeds(), ...this.runningFeeds() });
    this.curves.add('validation', state.step, level);
    if (state.step === 0) state.parentLevel = Number.isFinite(level) ? level : null;
    if (Number.isFinite(level) && (state.best === null || level < state.best.level)) {
      this.keepBest(level);
      state.waited = 0;
    } else state.waited++;
    this.told = Number.NEGATIVE_INFINITY;
    ask.signal.throwIfAborted();
  }

  private keepBest(level: number | null): void {
    if (level !== null) this.state.best = { step: this.state.step, level };
    this.best.weights.set(this.optimizer.arrays.get('weights')!);
    this.best.running.set(this.running.all);
  }

  private async checkpointInTime(): Promise<void> {
    const { checkpointEvery } = this.ask;
    const since = (performance.now() - this.lastCheckpoint) / 1000;
    const isDue =
      checkpointEvery === undefined
        ? since > Math.max(checkpointSeconds, this.checkpointCost / checkpointShare)
        : this.state.step % checkpointEvery === 0;
    if (isDue) await this.checkpoint();
  }

  private async checkpoint(): Promise<void> {
    const { ask, state, optimizer, running, best, curves } = this;
    const started = performance.now();
    await writeCheckpoint<State>(checkpointsOf(ask.folder, state.fingerprint), state.step, {
      state: { ...state, curves: curves.list },
      arrays: new Map<string, Float32Array>([
        ...optimizer.arrays,
        ['running', running.all],
        ['bestWeights', best.weights],
        ['bestRunning', best.running],
      ]),
    });
    this.lastCheckpoint = performance.now();
    this.checkpointCost = (this.lastCheckpoint - started) / 1000;
  }

  private tellStep(loss: number): void {
    const { state, parts, ask } = this;
    const now = performance.now();
    if (now - this.told < tellMs && state.step < parts.steps) return;
    this.told = now;
    const count = (value: number) => value.toLocaleString('en');
    const epoch = Math.min(Math.ceil(ask.settings.epochs), Math.floor(state.step / parts.stepsPerEpoch) + 1);
    const text = `Training, epoch ${epoch} of ${Math.ceil(ask.settings.epochs)}, step ${count(state.step)} of ${count(parts.steps)}, loss ${loss.toPrecision(3)}`;
    ask.tell(text, state.step, parts.steps);
  }
}

/** Copies of the stretches of `from` that the views take of `whole`. */
function partsOf(
  views: ReadonlyMap<string, Float32Array>,
  whole: Float32Array,
  from: Float32Array,
): (readonly [string, Float32Array])[] {
  return [...views].map(([name, view]) => {
    const at = (view.byteOffset - whole.byteOffset) / 4;
    return [name, from.slice(at, at + view.length)];
  });
}

/** Each training of a recipe has its own. */
const checkpointsOf = (folder: string, fingerprint: string): string =>
  join(folder, checkpointsFolder, fingerprint.slice(0, 12));
