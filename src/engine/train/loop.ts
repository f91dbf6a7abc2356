// The training loop: draws a batch, lets the program make its gradients, lets the optimiser step; judges, keeps the best, stops in time.
import { join } from 'node:path';
import { refuse } from '../../contract/words/refusal';
import type { Feed, Feeds } from '../runtime/session';
import type { TrainAsk } from './ask';
import { augment, isAugmenting } from './augment';
import { checkpointsFolder, readCheckpoint, writeCheckpoint } from './checkpoint';
import { type Curve, Curves, pointEvery } from './curves';
import { drawMask } from './dropout';
import { type Equipment, openEquipment } from './equipment';
import { fingerprintOf } from './fingerprint';
import { clipScale } from './optimizer';
import { scalarFeed } from './program';
import { randomFor, shuffled } from './random';
import { rateAt } from './schedule';

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

const checkpointSeconds = 5;
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

class Training {
  private told = Number.NEGATIVE_INFINITY;
  private lastCheckpoint = performance.now();
  private checkpointCost = 0;
  private order: { epoch: number; indices: Uint32Array } | null = null;
  private resumedAt: number | null = null;

  private constructor(
    private readonly ask: TrainAsk,
    private readonly tools: Equipment,
    /** Of the best so far. */
    private readonly best: { readonly weights: Float32Array; readonly running: Float32Array },
    private readonly state: State,
    private readonly curves: Curves,
  ) {}

  static async open(ask: TrainAsk): Promise<Training> {
    const tools = await openEquipment(ask);
    try {
      const { optimizer, running, pace } = tools;
      const best = { weights: new Float32Array(optimizer.arrays.get('weights')!), running: running.all.slice() };
      const fingerprint = fingerprintOf(ask, pace, [best.weights, best.running]);
      const found = await readCheckpoint<State>(checkpointsOf(ask.folder, fingerprint));
      const state = found?.state ?? begun(fingerprint);
      const training = new Training(ask, tools, best, state, new Curves(ask.curve, state.curves));
      if (found) training.takeUp(found.arrays);
      return training;
    } catch (error) {
      await tools.close();
      throw error;
    }
  }

  private takeUp(arrays: ReadonlyMap<string, Float32Array>): void {
    for (const [name, array] of this.tools.optimizer.arrays) array.set(arrays.get(name)!);
    this.tools.running.all.set(arrays.get('running')!);
    this.best.weights.set(arrays.get('bestWeights')!);
    this.best.running.set(arrays.get('bestRunning')!);
    this.resumedAt = this.state.step;
  }

  async run(): Promise<void> {
    const { ask, state, curves } = this;
    const { steps, judgeEvery } = this.tools.pace;
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
    if (!this.tools.judge) this.keepBest(null);
    await this.checkpoint();
  }

  finish(): Trained {
    const { state, best, curves, ask } = this;
    const { optimizer, running, program, pace, judge } = this.tools;
    const weights = new Map<string, Float32Array>([
      ...partsOf(optimizer.weights, optimizer.arrays.get('weights')!, best.weights),
      ...partsOf(running.views, running.all, best.running),
    ]);
    return {
      weights,
      curves: curves.list,
      steps: state.step,
      plannedSteps: pace.steps,
      epochs: state.step / pace.stepsPerEpoch,
      ending: state.ending ?? 'done',
      bestStep: judge ? (state.best?.step ?? 0) : state.step,
      bestLevel: state.best?.level ?? null,
      parentLevel: state.parentLevel,
      resumedAt: this.resumedAt,
      untouched: ask.parameters.map(({ name }) => name).filter((name) => !program.gradients.has(name)),
    };
  }

  async close(): Promise<void> {
    await this.tools.close();
  }

  /** One step of the optimiser: the gradients of its batch, in as many parts as the model takes. */
  private async step(): Promise<{ loss: number; rate: number }> {
    const { ask, state } = this;
    const { optimizer, pace, samples } = this.tools;
    const { accumulate, rows, stepsPerEpoch, steps } = pace;
    const { settings } = ask;
    const epoch = Math.floor(state.step / stepsPerEpoch);
    if (this.order?.epoch !== epoch)
      this.order = { epoch, indices: shuffled(samples, randomFor(ask.seed, 'order', epoch)) };
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
    const { program, optimizer, running } = this.tools;
    const { seed, settings, objective, parameters } = this.ask;
    const drawn = await this.tools.draw(indices);
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
    const outputs: Record<string, Feed> = { [program.loss]: loss, ...running.outputs };
    const before = isAdded ? optimizer.allGradients.slice() : null;
    for (const { name, dims } of parameters) {
      const output = program.gradients.get(name);
      if (output) outputs[output] = { dtype: 'float32', dims, data: optimizer.gradients.get(name)! };
    }
    const feeds = { ...drawn.feeds, ...(await objective.feeds(drawn)), ...masks, ...this.weightFeeds() };
    await program.run(feeds, outputs);
    running.follow();
    if (before) for (let i = 0; i < before.length; i++) optimizer.allGradients[i]! += before[i]!;
    return loss.data[0]!;
  }

  private weightFeeds(): Feeds {
    const feeds: Record<string, Feed> = {};
    for (const { name, dims } of this.ask.parameters)
      feeds[name] = { dtype: 'float32', dims, data: this.tools.optimizer.weights.get(name)! };
    return feeds;
  }

  private runningFeeds(): Feeds {
    return Object.fromEntries(
      [...this.tools.running.views].map(([name, data]) => [name, { dtype: 'float32', dims: [data.length], data }]),
    );
  }

  private async judgeNow(): Promise<void> {
    const { state, ask } = this;
    const { judge } = this.tools;
    state.judged = state.step;
    if (!judge) return;
    const { value: level, band } = await judge.level({ ...this.weightFeeds(), ...this.runningFeeds() });
    if (Number.isFinite(level)) this.curves.add('validation', state.step, level, band);
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
    this.best.weights.set(this.tools.optimizer.arrays.get('weights')!);
    this.best.running.set(this.tools.running.all);
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
    const { ask, state, best, curves } = this;
    const { optimizer, running } = this.tools;
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
    const { state, ask } = this;
    const { pace } = this.tools;
    const now = performance.now();
    if (now - this.told < tellMs && state.step < pace.steps) return;
    this.told = now;
    const count = (value: number) => value.toLocaleString('en');
    const epoch = Math.min(Math.ceil(ask.settings.epochs), Math.floor(state.step / pace.stepsPerEpoch) + 1);
    const text = `Training, epoch ${epoch} of ${Math.ceil(ask.settings.epochs)}, step ${count(state.step)} of ${count(pace.steps)}, loss ${loss.toPrecision(3)}`;
    // Steps from before an interruption took no time now.
    const before = this.resumedAt ?? 0;
    ask.tell(text, state.step - before, pace.steps - before);
  }
}

const begun = (fingerprint: string): State => ({
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
});

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
