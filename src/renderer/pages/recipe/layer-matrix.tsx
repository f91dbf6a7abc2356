// Bits, layer by layer: what the recipe makes of each layer, set by hand where wanted. A layer no method takes says why.
import { Tooltip } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { MethodCard } from '../../../contract/words/method';
import type { Layer } from '../../../contract/words/model';
import type { LayerPlan, Recipe } from '../../../contract/words/recipe';
import { bytes, roughBytes } from '../../format';
import { type Column, DataTable } from '../../parts/data-table';
import { Figure } from '../../parts/figure';
import type { Sorting } from '../../parts/sorting';
import { onPrecision, precisionOf } from '../../precision';
import { override, setTouched, touches } from './document';
import look from './recipe.module.css';

interface MatrixProps {
  layers: readonly Layer[];
  plans: ReadonlyMap<string, LayerPlan>;
  recipe: Recipe;
  /** The step the matrix writes to; -1 when none is open. */
  step: number;
  card: MethodCard | undefined;
  stale: boolean;
  selected: readonly string[];
  onSelect(name: string, keys: { add: boolean; extend: boolean }, order: readonly string[]): void;
  onChange(next: Recipe): void;
}

const columns = [32, 16, 8, 4, 2] as const;

/** The nearest column of a width: 32 for what is kept in float. */
const columnOf = (bits: number) =>
  columns.reduce((best, each) => (Math.abs(each - bits) < Math.abs(best - bits) ? each : best));

export function LayerMatrix(props: MatrixProps) {
  const { layers, plans, recipe, step, card, stale, selected, onSelect, onChange } = props;
  const [sorting, setSorting] = useState<Sorting | null>(null);
  const bitsParameter = card?.params.find((each) => each.kind === 'choice' && each.precision);
  const offered = new Set(
    bitsParameter?.kind === 'choice' ? bitsParameter.choices.map((each) => Number(each.value)) : [],
  );

  const set = (name: string, bits: number) => {
    const targets = selected.includes(name) ? selected : [name];
    onChange(
      targets.reduce((next, target) => {
        if (bits === 32) return setTouched(next, step, target, false);
        const taken = setTouched(next, step, target, true);
        return bitsParameter
          ? override(
              taken,
              step,
              target,
              bitsParameter.id,
              sameAsStep(taken, step, bitsParameter.id, bits) ? undefined : bits,
            )
          : taken;
      }, recipe),
    );
  };

  const table = useMemo<Column<Layer>[]>(
    () => [
      {
        id: 'layer',
        head: 'Layer',
        sort: (layer) => layer.name,
        cell: (layer) => <span className="mono">{layer.name}</span>,
      },
      { id: 'op', head: 'Op', width: 76, sort: (layer) => layer.op, cell: (layer) => layer.op },
      {
        id: 'bytes',
        head: 'Bytes',
        align: 'right',
        width: 78,
        sort: (layer) => layer.bytes,
        cell: (layer) => bytes(layer.bytes),
      },
    ],
    [],
  );
  const matrix: Column<Layer> = {
    id: 'bits',
    title: 'Bits',
    width: 172,
    bare: true,
    head: (
      <span className={look.bitHeads}>
        {columns.map((bits) => (
          <span key={bits} style={{ color: `var(--l-${precisionOf(bits)}-text)` }}>
            {bits}
          </span>
        ))}
      </span>
    ),
    cell: (layer) => (
      <BitRow
        layer={layer}
        plan={plans.get(layer.name)}
        writable={step >= 0}
        canTake={(bits) => bits === 32 || offered.has(bits) || (card?.id === 'float16' && bits === 16)}
        out={step >= 0 && !touches(recipe.steps[step] ?? { method: '', params: {} }, layer.name)}
        onPick={(bits) => set(layer.name, bits)}
      />
    ),
  };
  const after: Column<Layer> = {
    id: 'after',
    head: 'After',
    align: 'right',
    width: 92,
    evidence: 'predicted',
    sort: (layer) => plans.get(layer.name)?.bytesAfter ?? null,
    cell: (layer) => {
      const plan = plans.get(layer.name);
      if (!plan) return null;
      if (plan.refusal && plan.methods.length === 0)
        return (
          <Tooltip label={plan.refusal.sentence}>
            <span className={look.kept}>kept</span>
          </Tooltip>
        );
      return <Figure kind="predicted" size="table" text={roughBytes(plan.bytesAfter, 3)} stale={stale} />;
    },
  };

  return (
    <DataTable
      label="Bits, layer by layer"
      columns={[...table, matrix, after]}
      rows={layers}
      rowKey={(layer) => layer.name}
      rowHeight={26}
      sorting={sorting}
      onSort={setSorting}
      selected={selected}
      onSelect={onSelect}
    />
  );
}

const sameAsStep = (recipe: Recipe, step: number, id: string, bits: number) => recipe.steps[step]?.params[id] === bits;

interface BitRowProps {
  layer: Layer;
  plan: LayerPlan | undefined;
  writable: boolean;
  out: boolean;
  canTake(bits: number): boolean;
  onPick(bits: number): void;
}

function BitRow({ layer, plan, writable, canTake, onPick }: BitRowProps) {
  const chosen = plan ? columnOf(plan.methods.length > 0 ? plan.bitsAfter : layer.bits) : null;
  return (
    <div className={look.bits} role="radiogroup" aria-label={`Bits of ${layer.name}`}>
      {columns.map((bits) => {
        const on = bits === chosen;
        const word = plan?.methods.length ? Math.round(plan.bitsAfter * 10) / 10 : layer.bits;
        return (
          // biome-ignore lint/a11y/useSemanticElements: a radio drawn as a cell of the matrix
          <button
            key={bits}
            type="button"
            role="radio"
            aria-checked={on}
            aria-label={bits === 32 ? 'Keep as it is' : `${bits} bits`}
            tabIndex={on ? 0 : -1}
            disabled={!writable || (!on && !canTake(bits))}
            onClick={(event) => {
              event.stopPropagation();
              if (!on) onPick(bits);
            }}
          >
            {on ? (
              <i style={{ background: `var(--l-${precisionOf(bits)})`, color: onPrecision(precisionOf(bits)) }}>
                {Math.round(word)}
              </i>
            ) : (
              <i data-tick />
            )}
          </button>
        );
      })}
    </div>
  );
}
