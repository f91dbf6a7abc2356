// The models, newest first: each with its cut and its best run. A row opens Inspect.
import { ActionIcon, TextInput } from '@mantine/core';
import { IconSearch, IconX } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useMemo, useRef, useState } from 'react';
import type { LibraryModel } from '../../../contract/words/model';
import type { RunRow } from '../../../contract/words/run';
import { useAddress } from '../../address';
import { api, orpc } from '../../api';
import { Cut } from '../../cut/cut';
import { cutOfModel, cutOfRun, stockOf } from '../../cut/layers';
import { ago, compact, percent } from '../../format';
import { useShortcut } from '../../keys';
import { useNow } from '../../live';
import { qualityText, sizeFigure } from '../../measures';
import { formatName, metricName } from '../../model-words';
import { useOpening } from '../../opening';
import { type Column, DataTable } from '../../parts/data-table';
import { EmptyState } from '../../parts/empty-state';
import { Figure } from '../../parts/figure';
import { Panel } from '../../parts/panel';
import { PrecisionTag } from '../../parts/precision-tag';
import { ProgressBar } from '../../parts/progress';
import { SkeletonRows } from '../../parts/skeleton';
import type { Sorting } from '../../parts/sorting';
import { Status } from '../../parts/status';
import { TextAction } from '../../parts/text-action';
import { bestRun, useModels, useRuns, useSamples } from '../../queries';
import { useNarrow } from '../../window-size';
import look from './library.module.css';
import { sampleWords } from './samples';

interface Row {
  model: LibraryModel;
  best: RunRow | null;
}

/** *ONNX · 11.2 M parameters · Conv 20, Gemm 1* */
function factsOf({ summary, operators, layers }: LibraryModel): string {
  const acting = new Set(layers.map((layer) => layer.op));
  const kinds = operators
    .filter(({ op }) => acting.has(op))
    .slice(0, 3)
    .map(({ op, count }) => `${op} ${count}`);
  return [formatName(summary.format), `${compact(summary.parameters)} parameters`, kinds.join(', ')]
    .filter(Boolean)
    .join(' · ');
}

const searched = ({ model }: Row) =>
  `${model.name} ${model.summary.format} ${model.operators.map(({ op }) => op).join(' ')}`;

export function ModelsPanel() {
  const models = useModels();
  const runs = useRuns().data ?? [];
  const { go } = useAddress();
  const now = useNow();
  const narrow = useNarrow();
  const [filter, setFilter] = useState('');
  const [sorting, setSorting] = useState<Sorting>({ column: 'opened', descending: true });
  const field = useRef<HTMLInputElement>(null);
  useShortcut('/', 'Filter', () => field.current?.focus());

  const rows = useMemo(
    (): Row[] =>
      (models.data ?? [])
        .filter((model) => model.origin !== 'artifact')
        .map((model) => ({ model, best: bestRun(runs, model.id) })),
    [models.data, runs],
  );
  const shown = rows.filter((row) => searched(row).toLowerCase().includes(filter.trim().toLowerCase()));
  const columns = useMemo(() => columnsOf(now, narrow), [now, narrow]);

  return (
    <Panel
      title="Models"
      clause={rows.length > 0 ? `${rows.length}, newest first` : undefined}
      style={{ flex: 1 }}
      tools={
        rows.length > 0 ? (
          <TextInput
            ref={field}
            aria-label="Filter models"
            placeholder="Filter"
            size="xs"
            w={170}
            leftSection={<IconSearch size={14} aria-hidden="true" />}
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value)}
          />
        ) : null
      }
    >
      {models.isPending ? (
        <SkeletonRows rows={4} height={68} />
      ) : rows.length === 0 ? (
        <EmptyState title="No models yet." actions={<Samples />}>
          Drop one in, choose a file, or try a small sample that comes with its dataset.
        </EmptyState>
      ) : (
        <DataTable
          label="Models"
          columns={columns}
          rows={shown}
          rowKey={(row) => row.model.id}
          rowHeight={68}
          sorting={sorting}
          onSort={setSorting}
          onOpen={(row) => go('/inspect', { model: row.model.id })}
          empty={
            <EmptyState
              title="No model matches."
              actions={<TextAction onClick={() => setFilter('')}>Clear the filter</TextAction>}
            />
          }
        />
      )}
    </Panel>
  );
}

function Samples() {
  const samples = useSamples().data ?? [];
  const opening = useOpening();
  return (
    <span className={look.offers}>
      {samples.map((name) => (
        <TextAction key={name} onClick={() => void opening.sample(name)}>
          {sampleWords[name].offer}
        </TextAction>
      ))}
    </span>
  );
}

function columnsOf(now: Date, narrow: boolean): Column<Row>[] {
  const columns: Column<Row>[] = [
    {
      id: 'cut',
      head: 'Best run on its parent',
      width: narrow ? 164 : 232,
      cell: (row) => <RowCut row={row} small={narrow} />,
    },
    {
      id: 'model',
      head: 'Model',
      width: '46%',
      flexible: true,
      sort: (row) => row.model.name,
      cell: (row) => <Name model={row.model} />,
    },
    {
      id: 'size',
      head: 'Size',
      align: 'right',
      evidence: 'measured',
      sort: (row) => row.model.summary.bytes,
      cell: (row) => (
        <span className={look.size}>
          <Figure {...sizeFigure(row.model.summary.bytes)} size="table" />
        </span>
      ),
    },
    { id: 'best', head: 'Best run so far', width: '40%', flexible: true, cell: (row) => <Best row={row} /> },
    {
      id: 'opened',
      head: 'Opened',
      align: 'right',
      sort: (row) => Date.parse(row.model.openedAt),
      cell: (row) => <span className={look.when}>{ago(row.model.openedAt, now)}</span>,
    },
    {
      id: 'forget',
      head: <span className="sr">Take off the list</span>,
      width: 36,
      cell: (row) => <Forget model={row.model} />,
    },
  ];
  return narrow ? columns.filter((column) => column.id !== 'opened') : columns;
}

function RowCut({ row: { model, best }, small }: { row: Row; small: boolean }) {
  const stock = stockOf(model.layers);
  const layers = useMemo(
    () => (best?.document ? cutOfRun(best.document.layers, model.layers) : cutOfModel(model.layers)),
    [best, model],
  );
  return (
    <div className={look.cut}>
      <Cut layers={layers} size={small ? 'row' : 'library'} stock={best?.document ? stock : undefined} />
    </div>
  );
}

function Name({ model }: { model: LibraryModel }) {
  const { to } = useAddress();
  return (
    <div className={look.name}>
      {/* The row opens it for the pointer; the link is the keyboard's way. */}
      <TextAction href={to('/inspect', { model: model.id })}>{model.name}</TextAction>
      <span>{factsOf(model)}</span>
      {model.summary.sha256 === null && !model.refusal ? (
        <span className={look.hashing}>
          <ProgressBar share={model.hashed} label={`Reading ${model.name}`} width={90} />
          {percent(model.hashed, 0)} read
        </span>
      ) : null}
    </div>
  );
}

function Best({ row: { model, best } }: { row: Row }) {
  if (model.refusal)
    return (
      <div className={look.best}>
        <Status tone="warn">{model.refusal.sentence}</Status>
        {model.refusal.mend ? <span>{model.refusal.mend}</span> : null}
      </div>
    );
  if (!best) return <span className={look.none}>No run yet</span>;
  const bits = mainBits(best);
  const facts = [
    best.bytes === null ? null : sizeFigure(best.bytes).text,
    best.metric !== null && best.value !== null
      ? `${metricName(best.metric).toLowerCase()} ${qualityText(best.metric, best.value)}`
      : null,
    speedUp(best),
  ].filter(Boolean);
  return (
    <div className={look.best}>
      <span className={look.run}>
        {bits === null ? null : <PrecisionTag bits={bits} />}
        <b>
          {best.number} {best.recipe.name ?? best.recipe.steps.map((step) => step.method).join(', ')}
        </b>
      </span>
      <span>{facts.join(' · ')}</span>
    </div>
  );
}

/** The precision that most weights of a run are in. */
function mainBits(run: RunRow): number | null {
  const weights = new Map<number, number>();
  for (const layer of run.document?.layers ?? []) {
    if (layer.bits === undefined) continue;
    const size = layer.shapeAfter.reduce((all, dim) => all * dim, 1);
    weights.set(layer.bits, (weights.get(layer.bits) ?? 0) + size);
  }
  return [...weights].sort((one, other) => other[1] - one[1])[0]?.[0] ?? null;
}

/** *2.3× faster*, where both were timed. */
function speedUp(run: RunRow): string | null {
  const before = run.document?.baseline?.latencyMs?.p50;
  const after = run.document?.compressed?.latencyMs?.p50;
  if (!before || !after) return null;
  const factor = before / after;
  if (factor > 1.05) return `${factor.toFixed(1)}× faster`;
  return factor < 0.95 ? `${(1 / factor).toFixed(1)}× slower` : null;
}

function Forget({ model }: { model: LibraryModel }) {
  const client = useQueryClient();
  const forget = async () => {
    await api.models.forget({ id: model.id });
    client.setQueryData<LibraryModel[]>(orpc.models.list.queryKey(), (rows) =>
      rows?.filter((row) => row.id !== model.id),
    );
  };
  return (
    <ActionIcon
      className={look.forget}
      aria-label={`Take ${model.name} off the list; its file stays`}
      onClick={(event) => {
        event.stopPropagation();
        void forget();
      }}
    >
      <IconX size={14} />
    </ActionIcon>
  );
}
