// What a run says about its layers: one outcome each, and the notes, equal sentences gathered into one.
import type { Evaluation } from '../contract/words/quality';
import type { LayerOutcome } from '../contract/words/run';
import type { TrainingRecord } from '../contract/words/training';
import { elementCount } from './graph/graph';
import type { LayerSite } from './graph/layers';
import type { LayerRecord } from './recipe-steps';
import { isNodeOf, type OperatorCounts } from './runtime/optimise';

/** Every layer of the parent, in its order. */
export function layerOutcomes(
  before: readonly LayerSite[],
  after: readonly LayerSite[],
  records: ReadonlyMap<string, LayerRecord>,
  outputs: ReadonlyMap<string, number | null> = new Map(),
  sparsities: ReadonlyMap<string, number> = new Map(),
): LayerOutcome[] {
  const now = new Map(after.map((site) => [site.name, site]));
  return before.map((site) => {
    const record = records.get(site.name);
    const then = now.get(site.name);
    const wasCut = record !== undefined && record.methods.length > 0;
    return {
      name: site.name,
      methods: [...(record?.methods ?? [])],
      ...(wasCut && then ? { bits: then.bits } : {}),
      ...(sparsities.has(site.name) ? { sparsity: sparsities.get(site.name)! } : {}),
      shapeBefore: [...site.shape],
      shapeAfter: then ? shapeAfter(site, then) : [],
      bytesBefore: site.bytes,
      bytesAfter: then?.bytes ?? 0,
      ...(record?.error ? { sqnrDb: decibels(record.error) } : {}),
      ...(outputs.has(site.name) ? { outputSqnrDb: outputs.get(site.name)! } : {}),
      ...(record?.refusal ? { refusal: record.refusal } : {}),
    };
  });
}

/** Packed weights are stored under other dimensions; while their number is the same, the layer's shape is. */
function shapeAfter(before: LayerSite, after: LayerSite): number[] {
  return [...(elementCount(before.shape) === elementCount(after.shape) ? before.shape : after.shape)];
}

/** 10·log₁₀(Σw² / Σ(w−ŵ)²); null where nothing was lost. */
function decibels({ signal, noise }: { signal: number; noise: number }): number | null {
  return noise > 0 && signal > 0 ? 10 * Math.log10(signal / noise) : null;
}

/** How each training ended and what it gained, as the validation samples saw it. */
export function trainingNotes(trainings: readonly TrainingRecord[]): string[] {
  const count = (value: number) => value.toLocaleString('en');
  return trainings.map(({ title, ending, steps, plannedSteps, bestStep, bestLevel, parentLevel, resumedAt }) => {
    const ended = {
      done: `${title} took ${count(steps)} steps`,
      early: `${title} ended early after ${count(steps)} of ${count(plannedSteps)} steps, since nothing got better`,
      stopped: `${title} was stopped after ${count(steps)} of ${count(plannedSteps)} steps`,
      diverged: `${title} ended after ${count(steps)} of ${count(plannedSteps)} steps, where the loss was no longer a number: the learning rate is too high`,
    }[ending];
    const resumed = resumedAt === undefined ? '' : `, taken up again at step ${count(resumedAt)}`;
    if (bestLevel === null || parentLevel === null) return `${ended}${resumed}. The last weights are kept.`;
    const levels = `validation loss ${parentLevel.toPrecision(4)} → ${bestLevel.toPrecision(4)}`;
    return bestStep === 0
      ? `${ended}${resumed}. No step was better than the start (validation loss ${parentLevel.toPrecision(4)}), so the weights stay as they were.`
      : `${ended}${resumed}. The weights of step ${count(bestStep)} are kept: ${levels}.`;
  });
}

const namedAtMost = 3;

/** Warnings and notes of the layers that were cut, and a sentence for those that were not. */
export function runNotes(records: ReadonlyMap<string, LayerRecord>): string[] {
  const layersOf = new Map<string, string[]>();
  for (const [name, record] of records) {
    for (const sentence of new Set([...record.warnings, ...record.notes])) {
      const layers = layersOf.get(sentence);
      if (layers) layers.push(name);
      else layersOf.set(sentence, [name]);
    }
  }
  const notes = [...layersOf].map(([sentence, layers]) =>
    // Some sentences name their layer already.
    layers.some((layer) => sentence.includes(layer)) ? sentence : `${few(layers)}: ${sentence}`,
  );
  const refused = [...records].filter(([, { refusal }]) => refusal !== null).map(([name]) => name);
  if (refused.length > 0)
    notes.push(`${few(refused)} ${refused.length > 1 ? 'were' : 'was'} asked for and not cut; each layer says why.`);
  return notes;
}

function few(layers: readonly string[]): string {
  const more = layers.length - namedAtMost;
  if (more <= 0) return layers.join(', ');
  return `${layers.slice(0, namedAtMost).join(', ')} and ${more} more`;
}

/** Integer products the runtime was expected to join with their neighbours, and did not. */
export function fusionNotes(written: OperatorCounts, fused: OperatorCounts): string[] {
  const expected = written.MatMulInteger ?? 0;
  const left = fused.MatMulInteger ?? 0;
  if (expected === 0 || left === 0) return [];
  return [
    `${left} of ${expected} integer products were not fused with their conversions: they run, but not at full speed.`,
  ];
}

/** Methods whose layers the runtime should compute on integers. */
const integerMethods = new Set(['int8-static', 'zero-shot']);

/** Layers that were written for integer operators and run in float all the same. */
export function lostFusions(records: ReadonlyMap<string, LayerRecord>, floats: readonly string[]): string[] {
  const lost = [...records].flatMap(([name, { methods }]) =>
    methods.some((method) => integerMethods.has(method)) && floats.some((node) => isNodeOf(name, node)) ? [name] : [],
  );
  if (lost.length === 0) return [];
  const verb = lost.length > 1 ? 'stay' : 'stays';
  return [
    `${few(lost)} ${verb} in float between conversions: the runtime did not fuse them. Leave them out of the step.`,
  ];
}

/** Below this a difference of two medians is noise. */
const noticeable = 1.1;
/** Milliseconds of a model whose operators hardly cost more than being called. */
const tiny = 1;

/** Why the compressed model is not faster, where it was measured to be slower. */
export function speedNotes(
  before: Evaluation | undefined,
  after: Evaluation | undefined,
  fused: OperatorCounts,
): string[] {
  const was = before?.latencyMs;
  const is = after?.latencyMs;
  if (!was || !is || was.batch !== is.batch || was.threads !== is.threads || is.p50 < was.p50 * noticeable) return [];
  const counts = Object.values(fused).reduce((a, b) => a + b, 0);
  const reason =
    counts === 0
      ? 'nothing in it computes on integers or packed weights, and its weights are unpacked on every run'
      : was.p50 < tiny
        ? 'a model this small spends its time between operators, not in them'
        : 'what its integer operators save is less than the conversions around them cost';
  return [`Measured slower than its parent, ${was.p50.toPrecision(3)} ms → ${is.p50.toPrecision(3)} ms: ${reason}.`];
}
