// What a run says about its layers: one outcome each, and the notes, equal sentences gathered into one.
import type { LayerOutcome } from '../contract/words/run';
import { elementCount } from './graph/graph';
import type { LayerSite } from './graph/layers';
import type { LayerRecord } from './recipe-steps';
import type { OperatorCounts } from './runtime/optimise';

/** Every layer of the parent, in its order. */
export function layerOutcomes(
  before: readonly LayerSite[],
  after: readonly LayerSite[],
  records: ReadonlyMap<string, LayerRecord>,
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
      shapeBefore: [...site.shape],
      shapeAfter: then ? shapeAfter(site, then) : [],
      bytesBefore: site.bytes,
      bytesAfter: then?.bytes ?? 0,
      ...(record?.error ? { sqnrDb: decibels(record.error) } : {}),
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
