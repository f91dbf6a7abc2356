// What stands around the matrix: how to use it, what is kept, and all layers together.
import type { LibraryModel } from '../../../contract/words/model';
import type { LayerPlan } from '../../../contract/words/recipe';
import { bytes, percent, roughBytes, significant } from '../../format';
import { Figure } from '../../parts/figure';
import { Arrow } from '../../parts/glyphs';
import { precisionOf, precisions } from '../../precision';
import { useTight } from '../../window-size';
import look from './matrix.module.css';

type Plans = ReadonlyMap<string, LayerPlan>;

export function matrixClause(model: LibraryModel, plans: Plans): string {
  const kept = model.layers.filter((layer) => {
    const plan = plans.get(layer.name);
    return plan?.refusal && plan.methods.length === 0;
  }).length;
  return kept > 0
    ? `${kept} of ${model.layers.length} kept: no step can take them, select one to see why`
    : 'drag down a column to set many';
}

/** *15 in int4, 6 in int8* */
function widths(model: LibraryModel, plans: Plans): string {
  const counts = new Map<string, number>();
  for (const layer of model.layers) {
    const plan = plans.get(layer.name);
    const precision = precisionOf(plan?.methods.length ? plan.bitsAfter : layer.bits);
    counts.set(precision, (counts.get(precision) ?? 0) + 1);
  }
  return precisions
    .filter((precision) => counts.has(precision))
    .sort((one, other) => (counts.get(other) ?? 0) - (counts.get(one) ?? 0))
    .map((precision) => `${counts.get(precision)} in ${precision}`)
    .join(', ');
}

interface TotalsProps {
  model: LibraryModel;
  plans: Plans;
  after: number | null;
  stale: boolean;
}

export function MatrixTotals({ model, plans, after, stale }: TotalsProps) {
  const tight = useTight();
  const layersAfter = [...plans.values()].reduce((sum, plan) => sum + plan.bytesAfter, 0);
  const parameters = model.layers.reduce((sum, layer) => sum + (layer.tiedTo ? 0 : layer.parameters), 0);
  return (
    <>
      <b className={look.total}>All layers</b>
      <span>{plans.size > 0 ? widths(model, plans) : ''}</span>
      {plans.size > 0 && parameters > 0 && !tight ? (
        <Figure
          kind="predicted"
          size="table"
          text={`${significant((layersAfter * 8) / parameters, 3)} bits a weight`}
          stale={stale}
          how="Codes with their share of scales and zero points, over all layers."
        />
      ) : null}
      <span className={look.grow} />
      <span>{bytes(model.summary.bytes)}</span>
      <Arrow />
      {after === null ? null : (
        <Figure
          kind="predicted"
          size="body"
          text={roughBytes(after, 3)}
          stale={stale}
          figures={7}
          how={`${percent(after / model.summary.bytes, 1)} of the bytes.`}
        />
      )}
    </>
  );
}
