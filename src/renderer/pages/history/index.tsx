// The History page: every run with its lineage, cut and figures, and the selected one in full.
import { Button, TextInput } from '@mantine/core';
import { IconFileTypeCsv, IconSearch, IconX } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useMemo, useRef, useState } from 'react';
import { useAddress } from '../../address';
import { orpc, refusalOf } from '../../api';
import { saveText } from '../../download';
import { plural } from '../../format';
import { useShortcut } from '../../keys';
import { RefusalCard } from '../../parts/card';
import { EmptyState } from '../../parts/empty-state';
import { Panel } from '../../parts/panel';
import { SkeletonRows } from '../../parts/skeleton';
import { Split } from '../../parts/split';
import { useMethods, useModel, useModels, useRuns } from '../../queries';
import { useNarrow } from '../../window-size';
import { entriesOf } from './entries';
import { filterRuns } from './filter';
import look from './history.module.css';
import { HistoryTable } from './history-table';
import { ModelSheet } from './model-sheet';
import { RunSheet } from './run-sheet';

export default function HistoryPage() {
  const { run, model, set, go } = useAddress();
  const { data: rows } = useRuns();
  const models = useModels().data;
  const open = useModel(model);
  const cards = useMethods().data ?? [];
  const narrow = useNarrow();
  const [filter, setFilter] = useState('');
  const [everyModel, setEveryModel] = useState(model === null);
  const field = useRef<HTMLInputElement>(null);
  useShortcut('/', 'Filter', () => field.current?.focus());
  const csv = useMutation(
    orpc.runs.csv.mutationOptions({ onSuccess: (text) => saveText('lathe-history.csv', text, 'text/csv') }),
  );
  const byId = useMemo(() => new Map((models ?? []).map((each) => [each.id, each])), [models]);
  const shown = useMemo(() => {
    // A model and its artifacts are one family: an open artifact shows the runs of what it comes from.
    const family = rows?.find((row) => row.artifactModelId === model)?.modelId ?? model;
    const own = (rows ?? []).filter(
      (row) => everyModel || row.modelId === family || row.modelId === model || row.artifactModelId === model,
    );
    return filterRuns(own, filter, cards);
  }, [rows, everyModel, model, filter, cards]);
  const entries = useMemo(() => entriesOf(shown, byId, rows), [shown, byId, rows]);

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
  const chosen = entries.find((entry) => entry.id === run) ?? entries[0] ?? null;
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
                className={look.filter ?? ''}
              />
              {open && everyModel ? (
                <Button size="compact-xs" onClick={() => setEveryModel(false)}>
                  {narrow ? 'This model' : `Only ${open.name}`}
                </Button>
              ) : open ? (
                <button type="button" className={look.chip} onClick={() => setEveryModel(true)}>
                  {narrow ? 'this model' : 'model'} <b>{narrow ? '' : open.name}</b>
                  <IconX size={14} aria-hidden="true" />
                  <span className="sr">Show every model</span>
                </button>
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
          <HistoryTable
            entries={entries}
            models={byId}
            cards={cards}
            chosen={chosen?.id ?? null}
            onChoose={(id) => set({ run: id }, { replace: run !== null })}
            onOpen={(row) => go('/compare', { model: row.modelId, b: row.id })}
            onCompare={(a, b) => go('/compare', { model: b.modelId, a: a.id, b: b.id })}
            onClear={filter === '' ? null : () => setFilter('')}
          />
        </Panel>
      }
      end={
        chosen === null ? (
          <Panel title="No run selected" style={{ flex: 1 }}>
            <EmptyState title="Nothing is selected.">A click on a row shows it here.</EmptyState>
          </Panel>
        ) : chosen.kind === 'run' ? (
          <RunSheet
            key={chosen.id}
            row={chosen.row}
            rows={rows}
            model={byId.get(chosen.row.modelId) ?? null}
            cards={cards}
          />
        ) : (
          <ModelSheet key={chosen.id} model={chosen.model} evaluation={chosen.evaluation} />
        )
      }
      drawer={{ open: run !== null, onClose: () => set({ run: null }), label: 'Selected run' }}
    />
  );
}
