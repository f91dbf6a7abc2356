// The trainings of a run: live from the stream while it goes on, from its document when it is done.
import { useQuery } from '@tanstack/react-query';
import { useMemo, useRef } from 'react';
import type { RunRow } from '../../../contract/words/run';
import { orpc } from '../../api';
import { type Learning, learningOf, learningsOf } from './learning';

/** None where nothing trains, or where nothing was told yet. */
export function useLearning(row: RunRow): readonly Learning[] {
  const running = row.state === 'running';
  const { data: points } = useQuery(
    orpc.runs.curves.queryOptions({ input: { id: row.id }, enabled: running, staleTime: Number.POSITIVE_INFINITY }),
  );
  const planned = useRef(0);
  const training = row.progress?.stage === 'train';
  if (running && training && row.progress) planned.current = row.progress.total;
  const steps = planned.current;
  const records = row.document?.training;
  return useMemo(() => {
    if (records) return records.map(learningOf);
    return running && steps > 0 && points ? learningsOf(points, steps) : [];
  }, [records, running, steps, points]);
}
