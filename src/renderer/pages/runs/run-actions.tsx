// What one can do with a run in its state: stop or cancel it, run it again, mend its recipe, compare and deploy what came of it.
import { Button } from '@mantine/core';
import { IconPlayerPlay, IconPlayerStop, IconX } from '@tabler/icons-react';
import { skipToken, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { LibraryModel } from '../../../contract/words/model';
import type { RunRow } from '../../../contract/words/run';
import { useAddress } from '../../address';
import { api, orpc, refusalOf } from '../../api';
import { RefusalCard } from '../../parts/card';
import { keepDraft } from '../recipe/use-recipe';
import look from './detail.module.css';
import { culpritOf, isActive, wasRefused } from './words';

interface RunActionsProps {
  row: RunRow;
  model: LibraryModel | null;
}

export function RunActions({ row, model }: RunActionsProps) {
  return (
    <div className={look.actions} data-running={row.state === 'running' || undefined}>
      {isActive(row) ? <WhileActive row={row} /> : <Ended row={row} model={model} />}
    </div>
  );
}

function WhileActive({ row }: { row: RunRow }) {
  const cancel = useMutation(orpc.runs.cancel.mutationOptions());
  const stop = useMutation(orpc.runs.stop.mutationOptions());
  const refusal = cancel.error ?? stop.error;
  const stopping = stop.isPending || stop.isSuccess;
  return (
    <>
      {row.state === 'running' ? (
        <Button
          leftSection={<IconPlayerStop size={16} />}
          disabled={stopping}
          onClick={() => stop.mutate({ id: row.id })}
        >
          {stopping ? 'Stopping after this step' : stopWords(row)}
        </Button>
      ) : null}
      <Button
        data-danger
        leftSection={<IconX size={16} />}
        loading={cancel.isPending}
        onClick={() => cancel.mutate({ id: row.id })}
      >
        Cancel
      </Button>
      {refusal ? <RefusalCard refusal={refusalOf(refusal)} /> : null}
    </>
  );
}

/** What stopping leaves. */
function stopWords({ kind, progress }: RunRow): string {
  if (kind === 'evaluate') return 'Stop, keep the samples';
  return progress?.stage === 'train' ? 'Stop and keep what was gained' : 'Stop, keep the cut';
}

function Ended({ row, model }: RunActionsProps) {
  const { go } = useAddress();
  const again = useMutation({
    mutationFn: () => startAgain(row),
    onSuccess: ({ id }) => go('/runs', { run: id }),
  });
  const left = useCheckpoint(row);
  const resume = useMutation({
    mutationFn: () => api.runs.resume({ id: row.id }),
    onSuccess: ({ id }) => go('/runs', { run: id }),
  });
  const refusal = again.error ?? resume.error;
  const openRecipe = () => {
    const culprit = culpritOf(row, model?.layers ?? []);
    keepDraft(row.modelId, row.recipe);
    go('/recipe', { model: row.modelId, ...(culprit ? { layers: [culprit] } : {}) });
  };
  const done = row.state === 'done';
  const compared = done && row.document !== null;
  const refused = wasRefused(row);
  return (
    <>
      {row.kind === 'evaluate' ? null : (
        <Button variant={refused ? 'filled' : 'default'} onClick={openRecipe}>
          {refused ? 'Mend the recipe' : 'Open the recipe'}
        </Button>
      )}
      {done || refused ? null : (
        <Button variant={left ? 'default' : 'filled'} loading={again.isPending} onClick={() => again.mutate()}>
          Run it again
        </Button>
      )}
      {left ? (
        <Button
          variant="filled"
          leftSection={<IconPlayerPlay size={16} />}
          loading={resume.isPending}
          onClick={() => resume.mutate()}
        >
          Resume
        </Button>
      ) : null}
      {compared ? (
        <>
          <Button onClick={() => go('/deploy', { model: row.artifactModelId ?? row.modelId, run: row.id })}>
            Deploy
          </Button>
          <Button variant="filled" onClick={() => go('/compare', { model: row.modelId, b: row.id })}>
            Compare run {row.number}
          </Button>
        </>
      ) : done ? (
        <Button variant="filled" onClick={() => go('/recipe', { model: row.modelId })}>
          Write a recipe
        </Button>
      ) : null}
      {refusal ? <RefusalCard refusal={refusalOf(refusal)} /> : null}
    </>
  );
}

/** What a run that ended before its time can go on from. */
export function useCheckpoint({ id, kind, state }: RunRow) {
  const may = kind !== 'evaluate' && (state === 'interrupted' || state === 'failed');
  const { data } = useQuery(orpc.runs.checkpoint.queryOptions({ input: may ? { id } : skipToken }));
  return (may && data) || null;
}

/** Gives it up, and with it the button to resume. */
export function useDiscard() {
  const client = useQueryClient();
  return useMutation(
    orpc.runs.discard.mutationOptions({
      onSuccess: () => {
        void client.invalidateQueries({ queryKey: orpc.runs.checkpoint.key() });
        void client.invalidateQueries({ queryKey: orpc.host.usage.key() });
      },
    }),
  );
}

const startAgain = ({ kind, modelId, datasetId, recipe, seed }: RunRow) =>
  kind === 'evaluate' && datasetId
    ? api.runs.evaluate({ modelId, datasetId })
    : api.runs.start({ modelId, recipe, seed, ...(datasetId ? { datasetId } : {}) });
