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
import { parentAnswers } from './paired';

export interface Comparison {
  parent: LibraryModel | null;
  metric: string;
  points: readonly Point[];
  parentPoint: Point | null;
  rows: readonly RunRow[];
  /** Runs of this model that are not drawn: counted, never plotted. */
  left: { unmeasured: number; elsewhere: number; stopped: number };
}

export const parentId = 'parent';

export function pointOfParent(model: LibraryModel, { quality, latencyMs }: Evaluation): Point {
  const reference = quality.metric === 'agreement';
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
    reference,
    answers:
      reference || quality.metric === 'accuracy' ? parentAnswers(quality.n, quality.metric === 'accuracy') : null,
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
  const own = useMemo(
    () => (runs ?? []).filter((row) => row.modelId === parent?.id && row.kind === 'compress'),
    [runs, parent],
  );
  const measured = useMemo(
    () => own.filter((row) => row.state === 'done' && row.value !== null && (!dataset || row.datasetId === dataset.id)),
    [own, dataset],
  );
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
    const whole = measured.length > 0 ? (documents.data ?? []) : [];
    // One metric a chart: the newest run's, else the parent's.
    const metric = measured[0]?.metric ?? evaluation?.quality.metric ?? 'accuracy';
    const drawn = whole.filter((row) => row.metric === metric);
    const first =
      parent && evaluation && evaluation.quality.metric === metric ? pointOfParent(parent, evaluation) : null;
    const points = drawn.flatMap((row) => pointOf(row, runTitle(row, cards)) ?? []);
    const done = own.filter((row) => row.state === 'done');
    return {
      parent,
      metric,
      points: first ? [first, ...points] : points,
      parentPoint: first,
      rows: drawn,
      left: {
        unmeasured: done.filter((row) => row.value === null).length,
        elsewhere: done.filter((row) => row.value !== null).length - drawn.length,
        stopped: own.filter((row) => row.state === 'failed' || row.state === 'cancelled' || row.state === 'interrupted')
          .length,
      },
    };
  }, [documents.data, measured, own, evaluation, parent, cards]);
}
