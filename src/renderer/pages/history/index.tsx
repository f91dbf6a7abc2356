// The History page: every run with its cut and figures, and the selected one in full: hash, recipe, what fused, replay.
import { Button, TextInput } from '@mantine/core';
import { IconFileTypeCsv, IconSearch } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useMemo, useRef, useState } from 'react';
import type { MethodCard } from '../../../contract/words/method';
import type { LibraryModel } from '../../../contract/words/model';
import type { RunRow } from '../../../contract/words/run';
import { useAddress } from '../../address';
import { orpc, refusalOf } from '../../api';
import { Cut } from '../../cut/cut';
import { cutOfRun, stockOf } from '../../cut/layers';
import { ago, bytes, fixed, milliseconds, plural } from '../../format';
import { useShortcut } from '../../keys';
import { qualityText } from '../../measures';
import { metricName } from '../../model-words';
import { RefusalCard } from '../../parts/card';
import { type Column, DataTable } from '../../parts/data-table';
import { EmptyState } from '../../parts/empty-state';
import { Figure } from '../../parts/figure';
import { Panel } from '../../parts/panel';
import { SkeletonRows } from '../../parts/skeleton';
import type { Sorting } from '../../parts/sorting';
import { Split } from '../../parts/split';
import { Status } from '../../parts/status';
import { useMethods, useModels, useRuns } from '../../queries';
import { runTitle, stateWords, wasRefused } from '../runs/words';
import { filterRuns } from './filter';
import look from './history.module.css';
import { lineage } from './lineage';
import { LineageMark } from './lineage-mark';
import { RunSheet } from './run-sheet';

export default function HistoryPage() {
  const { run, model, set, go } = useAddress();
  const { data: rows } = useRuns();
  const models = useModels().data;
  const cards = useMethods().data ?? [];
  const [filter, setFilter] = useState('');
  const [everyModel, setEveryModel] = useState(model === null);
  const [sorting, setSorting] = useState<Sorting | null>(null);
  const field = useRef<HTMLInputElement>(null);
  useShortcut('/', 'Filter', () => field.current?.focus());
  const csv = useMutation(orpc.runs.csv.mutationOptions({ onSuccess: save }));
  const byId = useMemo(() => new Map((models ?? []).map((each) => [each.id, each])), [models]);
  if (!rows) return <SkeletonRows rows={10} height={42} />;
  if (rows.length === 0)
    return (
      <EmptyState
        title="No run is remembered yet."
        actions={
          <Button variant="filled" onClick={() => go(model ? '/recipe' : '/')}>
            {model ? 'Write a recipe' : 'Open a model'}
          </Button>
        }
      >
        Every run is kept with its recipe, its figures and its bytes, and can be replayed.
      </EmptyState>
    );
  const own = everyModel ? rows : rows.filter((row) => row.modelId === model || row.artifactModelId === model);
  const shown = filterRuns(own, filter, cards);
  const chosen = shown.find((row) => row.id === run) ?? shown[0] ?? null;
  return (
    <Split
      id="history"
      fixed="end"
      size={376}
      min={{ start: 560, end: 320 }}
      start={
        <Panel
          style={{ flex: 1 }}
          title="History"
          clause={`${shown.length} of ${plural(rows.length, 'run')}`}
          tools={
            <>
              <TextInput
                ref={field}
                aria-label="Filter runs"
                placeholder="Filter, e.g. top-1 > 94 size < 12"
                leftSection={<IconSearch size={14} />}
                value={filter}
                onChange={(event) => setFilter(event.currentTarget.value)}
                style={{ width: 250 }}
              />
              {model ? (
                <Button size="compact-xs" onClick={() => setEveryModel(!everyModel)}>
                  {everyModel ? 'Only this model' : 'Every model'}
                </Button>
              ) : null}
              <Button
                size="compact-xs"
                leftSection={<IconFileTypeCsv size={14} />}
                loading={csv.isPending}
                onClick={() => csv.mutate(undefined)}
              >
                CSV
              </Button>
            </>
          }
        >
          {csv.error ? <RefusalCard refusal={refusalOf(csv.error)} /> : null}
          <Table
            rows={shown}
            models={byId}
            cards={cards}
            chosen={chosen?.id ?? null}
            sorting={sorting}
            onSort={setSorting}
            onChoose={(id) => set({ run: id })}
            onOpen={(row) => go('/compare', { model: row.modelId, b: row.id })}
          />
        </Panel>
      }
      end={
        chosen ? (
          <RunSheet key={chosen.id} row={chosen} model={byId.get(chosen.modelId) ?? null} cards={cards} />
        ) : (
          <Panel title="No run selected">{null}</Panel>
        )
      }
      drawer={{ open: run !== null, onClose: () => set({ run: null }), label: 'Selected run' }}
    />
  );
}

function save(text: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  link.download = 'lathe-history.csv';
  link.click();
  URL.revokeObjectURL(link.href);
}

interface TableProps {
  rows: readonly RunRow[];
  models: ReadonlyMap<string, LibraryModel>;
  cards: readonly MethodCard[];
  chosen: string | null;
  sorting: Sorting | null;
  onSort(sorting: Sorting): void;
  onChoose(id: string): void;
  onOpen(row: RunRow): void;
}

function Table({ rows, models, cards, chosen, sorting, onSort, onChoose, onOpen }: TableProps) {
  const lanes = useMemo(() => new Map(lineage(rows).map((each) => [each.id, each])), [rows]);
  const metric = rows.find((row) => row.metric)?.metric ?? 'accuracy';
  const columns: Column<RunRow>[] = [
    {
      id: 'lineage',
      head: 'Lineage',
      width: 84,
      bare: true,
      cell: (row) => (sorting ? null : <LineageMark row={lanes.get(row.id)} chosen={row.id === chosen} />),
    },
    { id: 'run', head: 'Run', width: 44, align: 'right', sort: (row) => row.number, cell: (row) => row.number },
    {
      id: 'recipe',
      head: 'Recipe',
      sort: (row) => runTitle(row, cards),
      cell: (row) => (
        <span className={look.recipe}>
          <b>{runTitle(row, cards)}</b>
          <small>{row.model}</small>
        </span>
      ),
    },
    {
      id: 'cut',
      head: 'The cut',
      width: 148,
      cell: (row) => {
        const model = models.get(row.modelId);
        if (row.kind === 'evaluate') return <span className={look.nothing}>measured as it is</span>;
        return model && row.document && row.document.layers.length > 0 ? (
          <Cut size="row" layers={cutOfRun(row.document.layers, model.layers)} stock={stockOf(model.layers)} />
        ) : (
          <span className={look.stock} />
        );
      },
    },
    {
      id: 'size',
      head: 'Size',
      align: 'right',
      width: 84,
      evidence: 'measured',
      sort: (row) => row.bytes,
      cell: (row) => (row.bytes === null ? null : <Figure kind="measured" size="table" text={bytes(row.bytes)} />),
    },
    {
      id: 'quality',
      head: metricName(metric),
      align: 'right',
      width: 120,
      evidence: 'measured',
      sort: (row) => row.value,
      cell: (row) => <Quality row={row} />,
    },
    {
      id: 'latency',
      head: 'Here',
      align: 'right',
      width: 92,
      evidence: 'measured',
      sort: (row) => row.document?.compressed?.latencyMs?.p50 ?? null,
      cell: (row) => {
        const latency = row.document?.compressed?.latencyMs;
        return latency ? <Figure kind="measured" size="table" text={milliseconds(latency.p50)} /> : null;
      },
    },
    {
      id: 'state',
      head: 'State',
      width: 104,
      sort: (row) => row.state,
      cell: (row) => {
        if (wasRefused(row)) return <Status tone="warn">refused</Status>;
        const { word, tone } = stateWords[row.state];
        return tone ? <Status tone={tone}>{word}</Status> : word;
      },
    },
    {
      id: 'when',
      head: 'When',
      align: 'right',
      width: 76,
      sort: (row) => row.createdAt,
      cell: (row) => ago(row.createdAt),
    },
  ];
  return (
    <DataTable
      label="Runs"
      columns={columns}
      rows={rows}
      rowKey={(row) => row.id}
      rowHeight={42}
      sorting={sorting}
      onSort={onSort}
      selected={chosen ? [chosen] : []}
      onSelect={onChoose}
      onOpen={onOpen}
      empty={<EmptyState title="No run matches this filter." />}
    />
  );
}

function Quality({ row }: { row: RunRow }) {
  if (row.metric === null || row.value === null)
    return row.state === 'done' ? <Figure kind="unknown" size="table" word="not measured" /> : null;
  const quality = row.document?.compressed?.quality;
  const half =
    quality && row.metric !== 'perplexity' ? fixed(((quality.ci95[1] - quality.ci95[0]) / 2) * 100, 2) : null;
  return (
    <Figure
      kind="measured"
      size="table"
      text={qualityText(row.metric, row.value)}
      half={half}
      how={quality ? `n = ${quality.n.toLocaleString('en-US')}` : undefined}
    />
  );
}
