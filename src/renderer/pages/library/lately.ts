// What happened lately, in words: runs that ended, newest first.
import type { RunRow } from '../../../contract/words/run';
import { bytes } from '../../format';
import { qualityText } from '../../measures';
import { metricName } from '../../model-words';

export interface Event {
  id: string;
  tone: 'good' | 'warn' | 'bad' | 'calm';
  title: string;
  text: string;
  at: string;
}

const titles: Partial<Record<RunRow['state'], string>> = {
  done: 'finished',
  failed: 'stopped',
  cancelled: 'was cancelled',
  interrupted: 'was interrupted',
};

const tones: Partial<Record<RunRow['state'], Event['tone']>> = { done: 'good', failed: 'bad', interrupted: 'warn' };

function textOf(run: RunRow): string {
  if (run.error) return run.error.sentence;
  if (run.state === 'cancelled') return 'Nothing was left behind.';
  const name =
    run.kind === 'evaluate' ? run.model : (run.recipe.name ?? run.recipe.steps.map((step) => step.method).join(', '));
  const facts = [
    run.bytes === null || run.kind === 'evaluate' ? null : bytes(run.bytes),
    run.metric !== null && run.value !== null
      ? `${metricName(run.metric).toLowerCase()} ${qualityText(run.metric, run.value)}`
      : null,
  ].filter(Boolean);
  return facts.length > 0 ? `${name}: ${facts.join(', ')}` : name;
}

export function latelyOf(runs: readonly RunRow[], most = 8): Event[] {
  return runs
    .filter((run) => titles[run.state])
    .map((run) => {
      const kind = run.kind === 'replay' ? 'Replay' : run.kind === 'evaluate' ? 'Measurement' : 'Run';
      return {
        id: run.id,
        tone: tones[run.state] ?? 'calm',
        title: `${kind} ${run.number} ${titles[run.state]}`,
        text: textOf(run),
        at: run.finishedAt ?? run.createdAt,
      };
    })
    .sort((one, other) => Date.parse(other.at) - Date.parse(one.at))
    .slice(0, most);
}
