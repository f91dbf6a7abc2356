// Inspect: where the bytes are and what the weights look like. Tile = row = right panel; the selection lives in the address.
import { Button } from '@mantine/core';
import { IconShieldCheck } from '@tabler/icons-react';
import { useCallback, useMemo, useState } from 'react';
import type { LibraryModel } from '../../../contract/words/model';
import { type Action, useActions } from '../../actions';
import { useAddress } from '../../address';
import { plural } from '../../format';
import { RefusalCard } from '../../parts/card';
import { EmptyState } from '../../parts/empty-state';
import { Finding } from '../../parts/finding';
import { ProgressBar } from '../../parts/progress';
import type { Sorting } from '../../parts/sorting';
import { Split } from '../../parts/split';
import { TextAction } from '../../parts/text-action';
import { useModels, useOpenModel } from '../../queries';
import { type Sweep, useSweep } from '../../statistics';
import { useLow } from '../../window-size';
import { keepDraft } from '../recipe/use-recipe';
import { BytesPanel } from './bytes-panel';
import type { Colouring } from './colours';
import { sharePercent } from './columns';
import look from './inspect.module.css';
import { LayerPanel } from './layer-panel';
import { LayersPanel } from './layers-panel';
import { ModelPanel } from './model-panel';
import { type Finding as Found, findingOf, type LayerRow, layerRows } from './rows';

export default function InspectPage() {
  const model = useOpenModel();
  const models = useModels();
  if (model) return <Inspect key={model.id} model={model} />;
  if (models.isPending) return null;
  return (
    <EmptyState title="No model is open." actions={<TextAction href="/">Open one in the library</TextAction>}>
      Drop a model anywhere in this window, or choose one you opened before.
    </EmptyState>
  );
}

function Inspect({ model }: { model: LibraryModel }) {
  const { layers: selected, select, set, go } = useAddress();
  const sweep = useSweep(model.refusal ? null : model.id);
  const [colouring, setColouring] = useState<Colouring>('kurtosis');
  const [sorting, setSorting] = useState<Sorting>({ column: 'bytes', descending: true });
  const [hovered, setHovered] = useState<string | null>(null);
  const low = useLow();

  const rows = useMemo(() => layerRows(model.layers, sweep.layers), [model.layers, sweep.layers]);
  const found = useMemo(() => findingOf(rows), [rows]);
  const marked = useMemo(() => new Set(found.heavy.map((row) => row.name)), [found]);
  const bySize = useMemo(() => [...rows].sort((one, other) => other.bytes - one.bytes).map((row) => row.name), [rows]);
  const row = rows.find((each) => each.name === selected[0]) ?? null;

  const onSelect = useCallback(
    (name: string, keys: { add: boolean; extend: boolean }, order?: readonly string[]) =>
      select(name, keys, order ?? bySize),
    [select, bySize],
  );
  const step = (by: 1 | -1) => {
    const at = row ? bySize.indexOf(row.name) : -1;
    const next = bySize[Math.min(bySize.length - 1, Math.max(0, at + by))];
    if (next) select(next);
  };
  /** Weight-only 4 bits everywhere, 8 on these: a recipe to look at, nothing is run. */
  const keepHigh = useCallback(
    (names: readonly string[]) => {
      const overrides = Object.fromEntries(names.map((name) => [name, { bits: 8 }]));
      keepDraft(model.id, { lathe: 1, steps: [{ method: 'weight-only', params: { bits: 4 }, overrides }] });
      go('/recipe');
    },
    [model.id, go],
  );
  useActions(
    useMemo((): Action[] => {
      const heavy = atRisk(found);
      return [
        { id: 'recipe', group: 'Actions', label: 'Open as recipe', keys: 'g r', run: () => go('/recipe') },
        ...(heavy.length > 0
          ? [
              {
                id: 'keep',
                group: 'Actions',
                label: `Keep these ${heavy.length} in 8 bits`,
                run: () => keepHigh(heavy),
              },
            ]
          : []),
      ];
    }, [found, go, keepHigh]),
  );

  return (
    <>
      <Heading found={found} rows={rows} sweep={sweep} onKeep={keepHigh} onRecipe={() => go('/recipe')} />
      {model.refusal ? <RefusalCard refusal={{ ...model.refusal, code: 'not-found' }} /> : null}
      {sweep.refusal ? <RefusalCard refusal={sweep.refusal} /> : null}
      <Split
        id="inspect"
        fixed="end"
        size={0.366}
        min={{ start: 560, end: 380 }}
        drawer={{ open: row !== null, onClose: () => set({ layers: [] }), label: 'The selected layer' }}
        start={
          <>
            <BytesPanel
              rows={rows}
              colouring={colouring}
              onColouring={setColouring}
              selected={selected}
              hovered={hovered}
              onSelect={onSelect}
              onHover={setHovered}
              height={low ? 180 : 252}
            />
            <LayersPanel
              name={model.name}
              rows={rows}
              colouring={colouring}
              sorting={sorting}
              onSort={setSorting}
              marked={marked}
              selected={selected}
              hovered={hovered}
              onSelect={onSelect}
              onHover={setHovered}
            />
          </>
        }
        end={
          row ? (
            <LayerPanel row={row} selected={selected.length} place={bySize.indexOf(row.name) + 1} onStep={step} />
          ) : (
            <ModelPanel model={model} />
          )
        }
      />
    </>
  );
}

/** Layers that fewer than 8 bits would hurt and that are not in so few already. */
const atRisk = (found: Found): string[] => found.heavy.filter((row) => row.bits > 8).map((row) => row.name);

interface HeadingProps {
  found: Found;
  rows: readonly LayerRow[];
  sweep: Sweep;
  onKeep(names: readonly string[]): void;
  onRecipe(): void;
}

/** The finding and its one action. While the weights stream in, how far that is. */
function Heading({ found, rows, sweep, onKeep, onRecipe }: HeadingProps) {
  const { heavy, heavyShare, large } = found;
  const keep = atRisk(found);
  const sweeping = sweep.state === 'sweeping' && rows.length > 0;
  const open = <Button onClick={onRecipe}>Open as recipe</Button>;
  return (
    <Finding
      aside={
        sweeping ? (
          <div className={look.sweep}>
            <span>
              Reading weights, {sweep.done} of {plural(sweep.total || rows.length, 'layer')}
            </span>
            <ProgressBar
              share={sweep.total > 0 ? sweep.done / sweep.total : null}
              label="Reading weights"
              width={160}
            />
          </div>
        ) : heavy.length > 0 ? (
          <>
            By the weights alone;
            <br />
            no data was needed.
          </>
        ) : null
      }
      actions={
        keep.length > 0 && !sweeping ? (
          <>
            <Button variant="filled" leftSection={<IconShieldCheck size={16} />} onClick={() => onKeep(keep)}>
              Keep {keep.length === 1 ? 'it' : `these ${keep.length}`} in 8 bits
            </Button>
            {open}
          </>
        ) : (
          <Button variant="filled" onClick={onRecipe}>
            Open as recipe
          </Button>
        )
      }
    >
      {rows.length === 0 ? (
        'This model has no layers to cut.'
      ) : heavy.length > 0 && !sweeping ? (
        <>
          {heavy.length} of {plural(rows.length, 'layer')} {heavy.length === 1 ? 'has' : 'have'} <em>heavy tails</em>,
          and {sharePercent(heavyShare)} of the bytes.
        </>
      ) : (
        <>
          {large.layers} of {plural(rows.length, 'layer')} {large.layers === 1 ? 'carries' : 'carry'}{' '}
          {sharePercent(large.share)} of the bytes{sweeping ? '.' : ', and no layer has heavy tails.'}
        </>
      )}
    </Finding>
  );
}
