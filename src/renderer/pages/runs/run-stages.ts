// The stages of a run as bars: of one under way from its progress, of a finished one from where its seconds went.
import type { RunRow } from '../../../contract/words/run';
import { count, duration, thin } from '../../format';
import type { StageBar } from '../../parts/progress';
import { stageName } from './words';

/** A stage of a few milliseconds took them, not *0.0 s*. */
const took = (seconds: number): string =>
  seconds < 0.095 ? `${count(Math.max(1, seconds * 1000))}${thin}ms` : duration(seconds);

export function stagesOf(row: RunRow): StageBar[] {
  const { progress, document } = row;
  if (row.state === 'done')
    return (document?.stages ?? []).map(({ stage, seconds }, at) => ({
      id: `${stage}.${at}`,
      label: stageName(stage),
      seconds,
      state: 'done',
      time: took(seconds),
    }));
  return (progress?.stages ?? []).map(({ stage, seconds, state }, at) => ({
    id: `${stage}.${at}`,
    label: stageName(stage),
    seconds,
    state,
    time: state === 'todo' ? '' : took(seconds),
    ...(state === 'now' && progress && progress.total > 0 ? { share: progress.done / progress.total } : {}),
  }));
}

/** How far the tool has come along the layers, while it cuts. */
export function turnedLayers(row: RunRow, layers: number): number {
  const now = row.progress;
  if (!now || now.stage === 'start' || now.stage === 'fit' || now.stage === 'gather' || now.stage === 'train') return 0;
  if (now.stage !== 'apply' || now.total === 0) return layers;
  return Math.round((now.done / now.total) * layers);
}
