// What a run is called, what it is doing, how it ended, and what came of it, in words.
import type { MethodCard } from '../../../contract/words/method';
import type { Progress, RunDocument, RunRow, RunState } from '../../../contract/words/run';
import { bytes, duration, milliseconds, percent, plural, roughDuration } from '../../format';
import { qualityText } from '../../measures';
import { metricName } from '../../model-words';
import type { Tone } from '../../parts/status';
import { sentenceOf } from '../../refusal-words';
import { titleOf } from '../recipe/document';

/** The recipe's name, or what it does; an evaluation is called so. */
export function runTitle(row: RunRow, cards: readonly MethodCard[]): string {
  if (row.kind === 'evaluate') return row.recipe.name ?? 'As it is';
  const title = titleOf(row.recipe, cards);
  return row.kind === 'replay' ? `${title}, replayed` : title;
}

const stageNames: Record<string, string> = {
  start: 'Start',
  fit: 'Fit',
  gather: 'Gather',
  train: 'Train',
  apply: 'Cut',
  write: 'Write',
  reload: 'Reload',
  evaluate: 'Evaluate',
  time: 'Time',
};
export const stageName = (stage: string): string => stageNames[stage] ?? stage;

/** *25 s left, ±4 s*; the first seconds say so. */
export function timeLeft(progress: Progress | null): string {
  if (!progress || progress.secondsLeft === null) return 'finding out how long';
  return `${roughDuration(progress.secondsLeft)} left`;
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

export const isActive = (row: RunRow): boolean => row.state === 'running' || row.state === 'queued';

/** Seconds it took, or takes so far. */
export function secondsOf(row: RunRow, now = new Date()): number | null {
  if (!row.startedAt) return null;
  const end = row.finishedAt ? new Date(row.finishedAt) : now;
  return Math.max(0, (end.getTime() - new Date(row.startedAt).getTime()) / 1000);
}

/** What came of it: *4.22 MB · 93.51 % · 2.71 ms*. */
export function outcome(row: RunRow): string {
  const measured = row.document?.compressed;
  return [
    row.bytes === null ? null : bytes(row.bytes),
    row.metric && row.value !== null ? qualityText(row.metric, row.value) : null,
    measured?.latencyMs ? milliseconds(measured.latencyMs.p50) : null,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** The share of the parent's bytes that is left. */
export function shareLeft(row: RunRow, parentBytes: number | null): number | null {
  const after = row.document?.artifact.bytes ?? row.bytes;
  const before = row.document?.baseline?.bytes ?? parentBytes;
  return after === null || !before ? null : after / before;
}

/** Headers that grew by a few bytes are not told. */
const sameSize = 0.005;

/** *16 % of the bytes, 99.33 % top-1; the parent has 99.40 %.* */
function doneSentence(row: RunRow, parentBytes: number | null): string {
  if (row.kind === 'evaluate')
    return row.metric && row.value !== null && row.metric !== 'agreement'
      ? `${row.model} has ${qualityText(row.metric, row.value)} ${metricName(row.metric).toLowerCase()} as it is.`
      : `${row.model} was run as it is.`;
  const share = shareLeft(row, parentBytes);
  const same = share !== null && Math.abs(share - 1) < sameSize;
  const size =
    share === null
      ? 'It is done'
      : same
        ? 'As many bytes as before'
        : `${percent(share, share < 0.1 ? 1 : 0)} of the bytes`;
  const { compressed, baseline } = row.document ?? {};
  if (!compressed) return share === null || same ? `${size}.` : `${size} are left.`;
  const { metric, value } = compressed.quality;
  if (metric === 'agreement') return `${size}; ${percent(value)} of the answers agree with the parent’s.`;
  const parent = baseline ? `; the parent has ${qualityText(baseline.quality.metric, baseline.quality.value)}` : '';
  return `${size}, ${qualityText(metric, value)} ${metricName(metric).toLowerCase()}${parent}.`;
}

/** The page's finding about one run. */
export function findingOf(row: RunRow, cards: readonly MethodCard[], parentBytes: number | null = null): string {
  const name = runTitle(row, cards);
  const title = row.recipe.name ? `“${name}”` : name;
  switch (row.state) {
    case 'queued':
      return `${title} waits for its turn.`;
    case 'running':
      return row.progress?.text ? `${row.progress.text}.` : `${title} begins.`;
    case 'done':
      return doneSentence(row, parentBytes);
    case 'failed':
      return wasRefused(row) ? `${title} cannot be run as it is.` : `${title} stopped. Your model is untouched.`;
    case 'cancelled':
      return `${title} was cancelled. Nothing was written.`;
    case 'interrupted':
      return `${title} was interrupted. Nothing half-written is in the library.`;
    default:
      return row.state satisfies never;
  }
}

/** What stands under a row's title in the queue. */
export function noteOf(row: RunRow): string {
  switch (row.state) {
    case 'running':
      return `${row.model} · ${row.progress?.text ?? 'starting'}`;
    case 'done':
      return `${row.model} · ${outcome(row)}`;
    case 'failed':
    case 'interrupted':
      return row.error ? sentenceOf(row.error) : row.model;
    case 'queued':
    case 'cancelled':
      return row.model;
    default:
      return row.state satisfies never;
  }
}

/** How long it took, where that is known and worth saying. */
export const tookWords = (row: RunRow): string => {
  const seconds = secondsOf(row);
  return seconds === null ? '' : duration(seconds);
};

/** Does it weigh or hold other than before? A layer that only trained does not. */
const wasTurned = ({ bytesBefore, bytesAfter, sqnrDb }: RunDocument['layers'][number]): boolean =>
  bytesAfter !== bytesBefore || (sqnrDb !== undefined && sqnrDb !== null);

/** *21 of 21 layers cut; 2 kept* */
export function coverage(row: RunRow): string | null {
  const layers = row.document?.layers;
  if (!layers || layers.length === 0) return null;
  const cut = layers.filter((layer) => layer.methods.length > 0).length;
  const kept = layers.length - cut;
  const done = layers.some(wasTurned) || !row.document?.training ? 'cut' : 'trained';
  return `${cut} of ${plural(layers.length, 'layer')} ${done}${kept > 0 ? `; ${kept} kept` : ''}`;
}

/** The layer a refusal or failure names, where it names one: the longest name that occurs in it. */
export function culpritOf(row: RunRow, layers: readonly { name: string }[]): string | null {
  const said = `${row.error?.sentence ?? ''} ${row.error?.place ?? ''}`;
  const named = layers.filter(({ name }) => said.includes(name)).map(({ name }) => name);
  return named.sort((one, other) => other.length - one.length)[0] ?? null;
}

/** The run a replay repeats: the newest before it with the same model, recipe and seed. Rows come newest first. */
export function originalOf(row: RunRow, rows: readonly RunRow[]): RunRow | null {
  if (row.kind !== 'replay') return null;
  const recipe = JSON.stringify(row.recipe);
  return (
    rows.find(
      (each) =>
        each.kind === 'compress' &&
        each.state === 'done' &&
        each.number < row.number &&
        each.modelId === row.modelId &&
        each.seed === row.seed &&
        JSON.stringify(each.recipe) === recipe,
    ) ?? null
  );
}
