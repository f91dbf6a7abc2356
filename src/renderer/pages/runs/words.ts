// What a run is called, what it is doing, and how it ended, in words.
import type { MethodCard } from '../../../contract/words/method';
import type { Progress, RunRow, RunState } from '../../../contract/words/run';
import { bytes, duration, milliseconds, percent, plural, roughDuration, significant, thin } from '../../format';
import type { Tone } from '../../parts/status';
import { titleOf } from '../recipe/document';

/** The recipe's name, or what it does; an evaluation is called so. */
export function runTitle(row: RunRow, cards: readonly MethodCard[]): string {
  if (row.kind === 'evaluate') return row.recipe.name ?? 'As it is';
  return titleOf(row.recipe, cards);
}

export const stageNames: Record<string, string> = {
  fit: 'Fit',
  gather: 'Gather',
  apply: 'Cut',
  write: 'Write',
  reload: 'Reload and check',
  evaluate: 'Evaluate',
  time: 'Time',
  open: 'Open',
};
export const stageName = (stage: string): string => stageNames[stage] ?? stage;

export const metricNames: Record<string, string> = {
  accuracy: 'Top-1',
  top5: 'Top-5',
  perplexity: 'Perplexity',
  rmse: 'RMSE',
  psnr: 'PSNR',
  agreement: 'Agreement',
};

/** A metric's value as printed: fractions in per cent, the rest in four digits. */
export const metricText = (metric: string, value: number): string =>
  metric === 'perplexity' || metric === 'rmse' || metric === 'psnr' ? significant(value, 4) : percent(value);

/** *25 s left*, *finding out how long*. */
export function timeLeft(progress: Progress | null): string {
  if (!progress || progress.secondsLeft === null) return 'finding out how long';
  const band = progress.secondsLeftBand;
  return `${roughDuration(progress.secondsLeft)} left${band && band >= 1 ? `, ±${roughDuration(band)}` : ''}`;
}

export const stateWords: Record<RunState, { word: string; tone: Tone | null }> = {
  queued: { word: 'waiting', tone: null },
  running: { word: 'running', tone: null },
  done: { word: 'done', tone: 'good' },
  failed: { word: 'stopped', tone: 'bad' },
  cancelled: { word: 'cancelled', tone: null },
  interrupted: { word: 'interrupted', tone: 'warn' },
};

/** A run the engine said no to is refused, not failed. */
export const wasRefused = (row: RunRow): boolean =>
  row.state === 'failed' && row.error !== null && row.error.code !== 'failed' && row.error.code !== 'engine-died';

/** Seconds it took, or takes so far. */
export function secondsOf(row: RunRow): number | null {
  if (!row.startedAt) return null;
  const end = row.finishedAt ? new Date(row.finishedAt) : new Date();
  return Math.max(0, (end.getTime() - new Date(row.startedAt).getTime()) / 1000);
}

/** What came of it: *4.22 MB · 93.51 % · 2.71 ms*. */
export function outcome(row: RunRow): string {
  const measured = row.document?.compressed;
  return [
    row.bytes === null ? null : bytes(row.bytes),
    row.metric && row.value !== null ? metricText(row.metric, row.value) : null,
    measured?.latencyMs ? milliseconds(measured.latencyMs.p50) : null,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** The page's finding about one run. */
export function findingOf(row: RunRow, cards: readonly MethodCard[]): string {
  const title = runTitle(row, cards);
  switch (row.state) {
    case 'queued':
      return `${title} waits for its turn.`;
    case 'running':
      return row.progress?.text ? `${row.progress.text}.` : `${title} begins.`;
    case 'done': {
      const seconds = secondsOf(row);
      const took = seconds === null ? '' : ` in ${duration(seconds)}`;
      if (row.kind === 'evaluate' && row.metric && row.value !== null)
        return `${row.model} stands at ${metricText(row.metric, row.value)}, measured${took}.`;
      const share = row.document ? row.document.artifact.bytes / totalBefore(row) : null;
      return share === null || !Number.isFinite(share)
        ? `${title} is done${took}.`
        : `${title} left ${percent(share, share < 0.1 ? 1 : 0)} of the weights’ bytes${took}.`;
    }
    case 'failed':
      return row.error?.sentence ?? 'The run stopped.';
    case 'cancelled':
      return `${title} was cancelled. Nothing was written.`;
    case 'interrupted':
      return row.error?.sentence ?? `${title} was interrupted: its host ended before it did.`;
    default:
      return row.state satisfies never;
  }
}

const totalBefore = (row: RunRow) => (row.document?.layers ?? []).reduce((sum, layer) => sum + layer.bytesBefore, 0);

/** *21 of 21 layers cut; 2 kept, each with its reason.* */
export function coverage(row: RunRow): string | null {
  const layers = row.document?.layers;
  if (!layers || layers.length === 0) return null;
  const cut = layers.filter((layer) => layer.methods.length > 0).length;
  const kept = layers.length - cut;
  return `${cut} of ${plural(layers.length, 'layer')} cut${kept > 0 ? `; ${kept} kept` : ''}${thin}`.trim();
}
