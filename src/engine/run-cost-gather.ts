// What learning from data will take: the model run once for each calibration sample, from a temporary copy with further outputs.
import type { Recipe } from '../contract/words/recipe';
import type { InputPort } from './data';
import { allInside, encodeModel } from './formats/onnx/encode-model';
import { everyNode } from './graph/walk';
import { openCalibration } from './measure/calibration';
import type { Subject } from './methods/method';
import { methodOf, withDefaults } from './recipe';
import type { RuntimeSpeed } from './runtime/speed';
import type { DatasetReference } from './tasks';

/** Samples that are read to learn how long reading one takes; the first also opens files. */
const readForSpeed = 5;
/** Values that come back from the runtime and are counted cost about this much more than computing them. */
const observing = 3;

export interface GatherCost {
  readonly seconds: number;
  /** The temporary copy of the model. */
  readonly diskBytes: number;
}

/** Null where no step runs the model on samples. */
export async function gatherCost(
  { model, sites }: Subject,
  recipe: Recipe,
  reference: DatasetReference,
  inputs: readonly InputPort[],
  runtime: RuntimeSpeed,
): Promise<GatherCost | null> {
  const asked = recipe.steps.map((step) => {
    const method = methodOf(step);
    return method.samplesOf?.(withDefaults(method.card, step.params)) ?? 0;
  });
  if (asked.every((samples) => samples === 0)) return null;
  const calibration = await openCalibration(reference, inputs);
  let last = performance.now();
  let readSeconds = 0;
  for await (const _ of calibration.batches(readForSpeed)) {
    readSeconds = (performance.now() - last) / 1000;
    last = performance.now();
  }
  const macs = sites.reduce((sum, site) => sum + (site.macs ?? site.parameters), 0);
  const runSeconds = runtime.runSeconds + everyNode(model).length * runtime.nodeSeconds + macs / runtime.macsPerSecond;
  const samples = asked.reduce((sum, many) => sum + Math.min(many, calibration.samples), 0);
  const diskBytes = encodeModel(model, allInside).length;
  return {
    seconds: samples * (readSeconds + observing * runSeconds) + diskBytes / runtime.loadBytesPerSecond,
    diskBytes,
  };
}
