// What learning from data will take: the model run for each calibration sample, from temporary copies with further outputs.
import type { Recipe } from '../contract/words/recipe';
import type { InputPort } from './data';
import { allInside, encodeModel } from './formats/onnx/encode-model';
import { everyNode } from './graph/walk';
import type { Kernels } from './kernels';
import { type Calibration, openCalibration } from './measure/calibration';
import { mostTokensOf } from './methods/cutting/flow';
import type { Subject } from './methods/method';
import { methodOf, withDefaults } from './recipe';
import { feedbackSpeed, feedbackWork, type Matrix } from './run-cost-feedback';
import type { RuntimeSpeed } from './runtime/speed';
import type { DatasetReference } from './tasks';

/** Samples that are read to learn how long reading one takes; the first also opens files. */
const readForSpeed = 5;
/** Values that come back from the runtime and are counted cost about this much more than computing them. */
const observing = 3;
/** Seconds to write a piece of the model to a file, load and drop it, beside its weights (measured: 20 to 40 ms). */
const openSeconds = 0.03;

export interface GatherCost {
  readonly seconds: number;
  /** What gptq then takes to round. */
  readonly roundSeconds: number;
  /** The temporary copy of the model. */
  readonly diskBytes: number;
  readonly peakBytes: number;
}

export interface GatherQuestion {
  readonly subject: Subject;
  readonly recipe: Recipe;
  readonly dataset: DatasetReference;
  readonly inputs: readonly InputPort[];
  readonly runtime: RuntimeSpeed;
  readonly kernels: Kernels;
  /** What the steps will round or prune with feedback. */
  readonly fedBack: readonly Matrix[];
  readonly signal: AbortSignal;
}

/** Null where no step runs the model on samples. */
export async function gatherCost(question: GatherQuestion): Promise<GatherCost | null> {
  const { subject, recipe, dataset, inputs, runtime, kernels, signal } = question;
  const { model, sites } = subject;
  const asked = recipe.steps.map((step) => {
    const method = methodOf(step);
    return method.samplesOf?.(withDefaults(method.card, step.params)) ?? 0;
  });
  if (asked.every((samples) => samples === 0)) return null;
  const calibration = await openCalibration(dataset, inputs);
  const { readSeconds, tokens } = await reading(calibration);
  const most = Math.min(calibration.samples, Math.ceil((mostTokensOf(sites) ?? Infinity) / tokens));
  const samples = asked.map((many) => Math.min(many, most));
  const macs = sites.reduce((sum, site) => sum + (site.macs ?? site.parameters * tokens), 0);
  const runSeconds = runtime.runSeconds + everyNode(model).length * runtime.nodeSeconds + macs / runtime.macsPerSecond;
  const diskBytes = encodeModel(model, allInside).length;
  const running = samples.reduce((sum, many) => sum + many * (readSeconds + observing * runSeconds), 0);
  const seconds = running + diskBytes / runtime.loadBytesPerSecond;
  if (question.fedBack.length === 0) return { seconds, roundSeconds: 0, diskBytes, peakBytes: 0 };

  const speed = await feedbackSpeed(kernels, signal);
  const work = feedbackWork(question.fedBack, sites, tokens);
  const through = Math.max(...samples);
  return {
    seconds:
      seconds +
      work.pieces * (openSeconds + through * observing * runtime.runSeconds) +
      (through * work.sums) / speed.sums,
    roundSeconds: work.feedback / speed.feedback,
    diskBytes,
    peakBytes: work.peakBytes,
  };
}

/** How long reading a sample takes, and how many token ids are in one: 1 where there are none. */
async function reading(calibration: Calibration): Promise<{ readSeconds: number; tokens: number }> {
  let last = performance.now();
  let readSeconds = 0;
  let read = 0;
  let tokens = 0;
  for await (const feeds of calibration.batches(readForSpeed)) {
    readSeconds = (performance.now() - last) / 1000;
    tokens += Math.max(1, ...Object.values(feeds).map(({ dtype, data }) => (dtype === 'int64' ? data.length : 0)));
    read++;
    last = performance.now();
  }
  return { readSeconds, tokens: read === 0 ? 1 : tokens / read };
}
