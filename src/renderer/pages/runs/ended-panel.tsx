// A run that left nothing: why, in a plain sentence, what can be done, and the recipe it had.
import { useMutation } from '@tanstack/react-query';
import type { MethodCard } from '../../../contract/words/method';
import type { LibraryModel } from '../../../contract/words/model';
import type { Refusal } from '../../../contract/words/refusal';
import type { RunRow } from '../../../contract/words/run';
import { useAddress } from '../../address';
import { api, refusalOf } from '../../api';
import { clock, count, percent, roughBytes } from '../../format';
import { Card, RefusalCard } from '../../parts/card';
import { Panel } from '../../parts/panel';
import { TextAction } from '../../parts/text-action';
import { setTouched } from '../recipe/document';
import { mendOf } from '../recipe/mend';
import { printRecipe } from '../recipe/print-recipe';
import { keepDraft } from '../recipe/use-recipe';
import look from './detail.module.css';
import { useCheckpoint, useDiscard } from './run-actions';
import { culpritOf, stageName, wasRefused } from './words';

interface EndedPanelProps {
  row: RunRow;
  model: LibraryModel | null;
  cards: readonly MethodCard[];
}

export function EndedPanel({ row, model, cards }: EndedPanelProps) {
  return (
    <Panel title={wasRefused(row) ? 'Why it was refused' : (titles[row.state] ?? 'Why it ended')} padded scroll>
      <div className={look.ended}>
        <Why row={row} model={model} cards={cards} />
        <p className={look.quiet}>Your model, the history and every other run are untouched.</p>
        {row.recipe.steps.length > 0 ? (
          <section>
            <h3 className={look.section}>The recipe it had</h3>
            <pre className={look.well}>{printRecipe(row.recipe)}</pre>
          </section>
        ) : null}
      </div>
    </Panel>
  );
}

const titles: Partial<Record<RunRow['state'], string>> = {
  failed: 'Why it stopped',
  cancelled: 'Where it was cancelled',
  interrupted: 'Where it was interrupted',
};

/** *Evaluate, 3,200 of 10,000; 64 % of the run.* */
function whereItWas({ progress, startedAt, finishedAt }: RunRow): string {
  if (!startedAt) return 'It had not begun.';
  if (!progress) return finishedAt ? `It ended at ${clock(finishedAt)}.` : '';
  const of = progress.total > 1 ? `, ${count(progress.done)} of ${count(progress.total)}` : '';
  return `It was at ${stageName(progress.stage).toLowerCase()}${of}; ${percent(progress.share, 0)} of the run.`;
}

/** An engine that died says how to resume; where nothing is kept any more, that is no mend. */
const unmended = (error: Refusal): Refusal => (error.code === 'engine-died' ? { ...error, mend: undefined } : error);

function Why({ row, model, cards }: EndedPanelProps) {
  const { go } = useAddress();
  const left = useCheckpoint(row);
  const start = useMutation({
    mutationFn: (recipe: RunRow['recipe']) =>
      api.runs.start({
        modelId: row.modelId,
        recipe,
        seed: row.seed,
        ...(row.datasetId ? { datasetId: row.datasetId } : {}),
      }),
    onSuccess: ({ id }) => go('/runs', { run: id }),
  });
  const discard = useDiscard();
  if (row.state === 'cancelled')
    return <Card title="It was cancelled.">{whereItWas(row)} Nothing half-written was kept.</Card>;
  if (!row.error)
    return <Card title="The process that ran it is gone.">{whereItWas(row)} Nothing half-written was kept.</Card>;
  const died = row.error.code === 'failed' || row.error.code === 'engine-died';
  const culprit = culpritOf(row, model?.layers ?? []);
  const mend = mendOf(row.recipe, row.error, cards);
  const without = () =>
    culprit && start.mutate(row.recipe.steps.reduce((next, _, at) => setTouched(next, at, culprit, false), row.recipe));
  const act = mend
    ? {
        label: mend.label,
        act: () => {
          keepDraft(row.modelId, mend.next);
          go('/recipe', { model: row.modelId });
        },
      }
    : died && culprit
      ? { label: `Run without ${culprit}`, act: without }
      : null;
  return (
    <>
      <RefusalCard refusal={left ? row.error : unmended(row.error)} act={act} />
      {start.error ? <RefusalCard refusal={refusalOf(start.error)} /> : null}
      {row.state === 'interrupted' ? <p className={look.quiet}>{whereItWas(row)}</p> : null}
      {left ? (
        <p className={look.quiet}>
          {roughBytes(left.bytes)} of what it made until {clock(left.at)} are kept. Resumed, it comes to the same bytes
          as without the interruption.{' '}
          <TextAction danger disabled={discard.isPending} onClick={() => discard.mutate({ id: row.id })}>
            Discard what is kept
          </TextAction>
        </p>
      ) : null}
      {discard.data ? <p className={look.quiet}>{roughBytes(discard.data.freedBytes)} are free again.</p> : null}
      {discard.error ? <RefusalCard refusal={refusalOf(discard.error)} /> : null}
    </>
  );
}
