// Bits, layer by layer: what the recipe makes of each layer, set by hand where wanted. A layer no method takes says why.
import { Tooltip } from '@mantine/core';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { MethodCard } from '../../../contract/words/method';
import type { Layer } from '../../../contract/words/model';
import type { LayerPlan, Recipe } from '../../../contract/words/recipe';
import { bytes, roughBytes } from '../../format';
import { type Column, DataTable } from '../../parts/data-table';
import { Figure } from '../../parts/figure';
import { KeyCap } from '../../parts/key-cap';
import type { Sorting } from '../../parts/sorting';
import { precisionOf } from '../../precision';
import { useNarrow } from '../../window-size';
import { BitRow, bitColumns } from './bit-row';
import { setBits, widthsOf } from './document';
import look from './matrix.module.css';

interface MatrixProps {
  layers: readonly Layer[];
  plans: ReadonlyMap<string, LayerPlan>;
  recipe: Recipe;
  /** The step the matrix writes to; -1 when there is none. */
  step: number;
  card: MethodCard | undefined;
  stale: boolean;
  /** The recipe as a whole is refused. */
  refused: boolean;
  selected: readonly string[];
  hovered: string | null;
  onHover(name: string | null): void;
  onSelect(name: string, keys: { add: boolean; extend: boolean }, order: readonly string[]): void;
  onChange(next: Recipe, key?: string): void;
}

/** A stroke of the pointer down the column: the rows it passed, on the recipe it began with. */
interface Stroke {
  key: string;
  bits: number;
  from: Recipe;
  rows: string[];
}

let strokes = 0;

const nameOf = (layer: Layer) => layer.name;

export function LayerMatrix(props: MatrixProps) {
  const { layers, plans, recipe, step, card, stale, refused, selected, hovered, onHover, onSelect, onChange } = props;
  const [sorting, setSorting] = useState<Sorting | null>(null);
  const narrow = useNarrow();
  const widths = widthsOf(card);
  const stroke = useRef<Stroke | null>(null);
  useEffect(() => {
    const end = () => {
      stroke.current = null;
    };
    window.addEventListener('pointerup', end);
    return () => window.removeEventListener('pointerup', end);
  }, []);

  const canTake = (bits: number) => step >= 0 && card !== undefined && (bits === 32 || widths.includes(bits));
  // A row of the selection speaks for all of it.
  const together = (name: string) => (selected.includes(name) ? selected : [name]);
  const pick = (name: string, bits: number) => {
    if (card && canTake(bits)) onChange(setBits(recipe, step, card, together(name), bits));
  };
  const paint = (name: string, bits: number) => {
    if (!card || !canTake(bits)) return;
    // In a wide window the row one works on is the row that is shown beside it.
    if (!narrow && !selected.includes(name)) onSelect(name, { add: false, extend: false }, []);
    stroke.current = { key: `paint.${++strokes}`, bits, from: recipe, rows: [...together(name)] };
    onChange(setBits(recipe, step, card, stroke.current.rows, bits), stroke.current.key);
  };
  const pass = (name: string) => {
    const now = stroke.current;
    if (!now || !card || now.rows.includes(name)) return;
    now.rows.push(name);
    onChange(setBits(now.from, step, card, now.rows, now.bits), now.key);
  };

  const fixed = useMemo<Column<Layer>[]>(
    () => [
      {
        id: 'layer',
        head: 'Layer',
        sort: (layer) => layer.name,
        cell: (layer) => <span className={`${look.layer} mono`}>{layer.name}</span>,
      },
      ...(narrow
        ? []
        : [{ id: 'op', head: 'Op', width: 76, sort: (layer: Layer) => layer.op, cell: (layer: Layer) => layer.op }]),
      {
        id: 'bytes',
        head: 'Bytes',
        align: 'right',
        width: 78,
        sort: (layer) => layer.bytes,
        cell: (layer) => bytes(layer.bytes),
      },
    ],
    [narrow],
  );
  const matrix: Column<Layer> = {
    id: 'bits',
    title: 'Bits',
    width: 180,
    bare: true,
    head: <BitHeads />,
    cell: (layer) => (
      <BitRow
        layer={layer}
        plan={plans.get(layer.name) ?? (refused ? null : undefined)}
        stop={layer.name === selected[0]}
        canTake={canTake}
        onPick={(bits) => pick(layer.name, bits)}
        onPaint={(bits) => paint(layer.name, bits)}
        onPass={() => pass(layer.name)}
      />
    ),
  };
  const after: Column<Layer> = {
    id: 'after',
    head: 'After',
    align: 'right',
    width: 84,
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
      return plan.methods.length === 0 ? (
        <span className={look.asItIs}>as it is</span>
      ) : (
        <Figure kind="predicted" size="table" text={roughBytes(plan.bytesAfter, 3)} stale={stale} />
      );
    },
  };

  return (
    <div className={look.matrix}>
      <DataTable
        label="Bits, layer by layer"
        columns={[...fixed, matrix, after]}
        rows={layers}
        rowKey={nameOf}
        rowHeight={26}
        sorting={sorting}
        onSort={setSorting}
        selected={selected}
        onSelect={onSelect}
        hovered={hovered}
        onHover={onHover}
      />
    </div>
  );
}

/** The widths over their columns; the keys that set them, while the table has the focus. */
const BitHeads = () => (
  <span className={look.heads}>
    {bitColumns.map((bits, at) => (
      <span key={bits} style={{ color: `var(--l-${precisionOf(bits)}-text)` }}>
        {bits}
        <span className={look.key}>
          <KeyCap keys={String(at + 1)} />
        </span>
      </span>
    ))}
  </span>
);
