// The Runs page: the queue beside the run that is looked at.
import { Button } from '@mantine/core';
import { useMemo } from 'react';
import { useAddress } from '../../address';
import { EmptyState } from '../../parts/empty-state';
import { SkeletonRows } from '../../parts/skeleton';
import { Split } from '../../parts/split';
import { useMethods, useModels, useRuns } from '../../queries';
import { Queue } from './queue';
import { RunDetail } from './run-detail';

export default function RunsPage() {
  const { run, set, go, model } = useAddress();
  const { data: rows } = useRuns();
  const models = useModels().data;
  const cards = useMethods().data ?? [];
  const byId = useMemo(() => new Map((models ?? []).map((each) => [each.id, each])), [models]);
  if (!rows) return <SkeletonRows rows={6} height={68} />;
  const shown = rows.find((row) => row.id === run) ?? rows.find((row) => row.state === 'running') ?? rows[0];
  if (!shown)
    return (
      <EmptyState
        title="Nothing has run yet."
        actions={
          <Button variant="filled" onClick={() => go(model ? '/recipe' : '/')}>
            {model ? 'Write a recipe' : 'Open a model'}
          </Button>
        }
      >
        A run cuts a model by its recipe, measures what is left, and remembers both.
      </EmptyState>
    );
  return (
    <Split
      id="runs"
      fixed="start"
      size={396}
      min={{ start: 280, end: 520 }}
      start={<Queue rows={rows} models={byId} cards={cards} chosen={shown.id} onChoose={(id) => set({ run: id })} />}
      end={<RunDetail key={shown.id} row={shown} rows={rows} model={byId.get(shown.modelId) ?? null} cards={cards} />}
    />
  );
}
