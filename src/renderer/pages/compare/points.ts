// The points of a model's comparison: its parent as it is, and every finished run of it on the same dataset.
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { LibraryDataset } from '../../../contract/words/dataset';
import type { MethodCard } from '../../../contract/words/method';
import type { LibraryModel } from '../../../contract/words/model';
import type { Evaluation } from '../../../contract/words/quality';
import type { RunRow } from '../../../contract/words/run';
import { orpc } from '../../api';
import { useEvaluation, useMakerRun, useModel, useRuns } from '../../queries';
import { runTitle } from '../runs/words';
import { type Point, pointOf } from './front';

export interface Comparison {
  parent: LibraryModel | null;
  metric: string;
  points: readonly Point[];
  parentPoint: Point | null;
  rows: readonly RunRow[];
  /** Finished runs that were not measured on a dataset: counted, never plotted. */
  unmeasured: readonly RunRow[];
}

export const parentId = 'parent';

function parentPoint(model: LibraryModel, evaluation: Evaluation): Point {
  const { quality, latencyMs } = evaluation;
  return {
    id: parentId,
    number: 0,
    title: 'parent',
    bytes: model.summary.bytes,
    value: quality.value,
    low: quality.ci95[0],
    high: quality.ci95[1],
    n: quality.n,
    latencyMs: latencyMs?.p50 ?? null,
    latencyInterval: latencyMs?.p50ci95 ?? null,
    bits: Math.max(...model.layers.map((layer) => layer.bits), 0) || 32,
    parent: true,
  };
}

/** An artifact is compared where it comes from: with its parent and its siblings. */
export function useComparison(
  open: LibraryModel | null,
  dataset: LibraryDataset | null,
  cards: readonly MethodCard[],
): Comparison {
  const maker = useMakerRun(open);
  const origin = useModel(maker?.modelId ?? null);
  const parent = maker ? origin : open;
  const evaluation = useEvaluation(parent, dataset);
  const runs = useRuns().data;
  const rows = useMemo(
    () => (runs ?? []).filter((row) => row.modelId === parent?.id && row.kind !== 'evaluate' && row.state === 'done'),
    [runs, parent],
  );
  const measured = rows.filter((row) => row.value !== null && (!dataset || row.datasetId === dataset.id));
  // Rows of a list may come without their documents; those on show are asked for.
  const documents = useQuery({
    queryKey: ['compare', ...measured.map((row) => row.id)],
    queryFn: () =>
      Promise.all(
        measured.map(async (row) =>
          row.document ? row : { ...row, document: await orpc.runs.document.call({ id: row.id }) },
        ),
      ),
    enabled: measured.length > 0,
    placeholderData: (previous) => previous,
  });
  return useMemo(() => {
    const whole = documents.data ?? [];
    const metric = measured[0]?.metric ?? evaluation?.quality.metric ?? 'accuracy';
    const own = whole.flatMap((row) => pointOf(row, runTitle(row, cards)) ?? []);
    const first = parent && evaluation ? parentPoint(parent, evaluation) : null;
    return {
      parent,
      metric,
      points: first ? [first, ...own] : own,
      parentPoint: first,
      rows: whole,
      unmeasured: rows.filter((row) => row.value === null),
    };
  }, [documents.data, measured, evaluation, parent, cards, rows]);
}
