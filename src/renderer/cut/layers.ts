// A model's or a run's layers as the cut draws them.
import type { Layer } from '../../contract/words/model';
import type { LayerOutcome } from '../../contract/words/run';
import type { CutLayer } from './geometry';

/** A tied weight is counted once, by the layer that owns it. */
export const cutOfModel = (layers: readonly Layer[]): CutLayer[] =>
  layers.map((layer) => ({ name: layer.name, parameters: layer.tiedTo ? 0 : layer.parameters, bits: layer.bits }));

const product = (dims: readonly number[]): number => dims.reduce((all, dim) => all * dim, 1);

/** What a run left, on the stock of its parent. */
export const cutOfRun = (outcomes: readonly LayerOutcome[], parent: readonly Layer[]): CutLayer[] => {
  const before = new Map(parent.map((layer) => [layer.name, layer]));
  return outcomes.map((outcome) => {
    const layer = before.get(outcome.name);
    return {
      name: outcome.name,
      // A layer that was left out has no shape any more.
      parameters: layer?.tiedTo || outcome.shapeAfter.length === 0 ? 0 : product(outcome.shapeAfter),
      bits: outcome.bits ?? layer?.bits ?? 32,
      sparsity: outcome.sparsity ?? 0,
    };
  });
};

/** The stock of a cut: the parent's length and diameter. */
export const stockOf = (parent: readonly Layer[]) => ({
  parameters: parent.reduce((sum, layer) => sum + (layer.tiedTo ? 0 : layer.parameters), 0),
  bits: parent.reduce((most, layer) => Math.max(most, layer.bits), 0) || 32,
});
