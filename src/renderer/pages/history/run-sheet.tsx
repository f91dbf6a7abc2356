// The selected run in full: its cut and figures, its hash and replay, its recipe, what fused, what was kept and why.
import { Button } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { MethodCard } from '../../../contract/words/method';
import type { LibraryModel } from '../../../contract/words/model';
import type { RunRow } from '../../../contract/words/run';
import { useAddress } from '../../address';
import { orpc, refusalOf } from '../../api';
import { cutOfRun, stockOf } from '../../cut/layers';
import { clock, day, plural } from '../../format';
import { RefusalCard } from '../../parts/card';
import { Panel } from '../../parts/panel';
import { PrecisionTag } from '../../parts/precision-tag';
import { TextAction } from '../../parts/text-action';
import { sentenceOf } from '../../refusal-words';
import { mainBits } from '../compare/front';
import { stepLines } from '../recipe/step-lines';
import { keepDraft } from '../recipe/use-recipe';
import { LearningSpark } from '../runs/learning-spark';
import { endingWords } from '../runs/learning-words';
import { RunStatus } from '../runs/queue';
import { WideCut } from '../runs/wide-cut';
import { isActive, runTitle, shareLeft, wasRefused } from '../runs/words';
import look from './history.module.css';
import { ReplayCard } from './replay-card';
import { RunFigures } from './run-figures';

interface RunSheetProps {
  row: RunRow;
  rows: readonly RunRow[];
  model: LibraryModel | null;
  cards: readonly MethodCard[];
}

export function RunSheet({ row, rows, model, cards }: RunSheetProps) {
  const { go } = useAddress();
  const document = row.document;
  const replay = useMutation(orpc.runs.replay.mutationOptions());
  const openRecipe = () => {
    keepDraft(row.modelId, row.recipe);
    go('/recipe', { model: row.modelId });
  };
  const kept = (document?.layers ?? []).filter((layer) => layer.methods.length === 0 && layer.refusal);
  const fused = Object.entries(document?.fused ?? {});
  return (
    <Panel
      style={{ flex: 1 }}
      title={
        <>
          <span className={look.number}>{row.number}</span> {runTitle(row, cards)}
        </>
      }
      tools={document && document.layers.length > 0 ? <PrecisionTag bits={mainBits(document.layers)} /> : null}
      scroll
      padded
      foot={
        <Foot
          row={row}
          replaying={replay.isPending}
          onReplay={() => replay.mutate({ id: row.id })}
          onRecipe={openRecipe}
        />
      }
    >
      <div className={look.sheet}>
        {model && document && document.layers.length > 0 ? (
          <WideCut
            height={48}
            layers={cutOfRun(document.layers, model.layers)}
            stock={stockOf(model.layers)}
            bytesShare={shareLeft(row, model.summary.bytes)}
          />
        ) : null}
        <p className={look.when}>
          {day(row.createdAt)}, {clock(row.createdAt)}
          {row.dataset ? ` · ${row.dataset}` : ''} <RunStatus row={row} />
        </p>
        <RunFigures row={row} model={model} />
        {row.error && row.state !== 'cancelled' ? <RefusalCard refusal={row.error} /> : null}
        {replay.error ? <RefusalCard refusal={refusalOf(replay.error)} /> : null}
        {document ? (
          <ReplayCard
            row={row}
            rows={rows}
            document={document}
            outcome={replay.data ?? null}
            pending={replay.isPending}
          />
        ) : null}
        {row.recipe.steps.length > 0 ? (
          <Section title="Recipe" action={<TextAction onClick={openRecipe}>Open</TextAction>}>
            <pre className={look.well}>{stepLines(row.recipe, cards).join('\n')}</pre>
          </Section>
        ) : null}
        {(document?.training ?? []).map((record, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: trainings are their place in the recipe
          <Section key={at} title={record.title}>
            <LearningSpark record={record} />
            <p className={look.learnt}>{endingWords(record)}</p>
          </Section>
        ))}
        {fused.length > 0 ? (
          <Section title="What fused">
            <dl className={look.fused}>
              {fused.map(([op, times]) => (
                <div key={op}>
                  <dt>{op.replace('com.microsoft:', '')}</dt>
                  <dd>{times}</dd>
                </div>
              ))}
            </dl>
          </Section>
        ) : null}
        {kept.length > 0 ? (
          <Section title={`${plural(kept.length, 'layer')} kept as ${kept.length === 1 ? 'it was' : 'they were'}`}>
            <ul className={look.kept}>
              {kept.map((layer) => (
                <li key={layer.name}>
                  <span className="mono">{layer.name}</span> {layer.refusal ? sentenceOf(layer.refusal) : ''}
                </li>
              ))}
            </ul>
          </Section>
        ) : null}
        {document && document.notes.length > 0 ? (
          <Section title="Notes">
            <ul className={look.kept}>
              {document.notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          </Section>
        ) : null}
      </div>
    </Panel>
  );
}

const Section = ({ title, action, children }: { title: string; action?: ReactNode; children: ReactNode }) => (
  <section>
    <h3 className={look.section}>
      {title} {action}
    </h3>
    {children}
  </section>
);

interface FootProps {
  row: RunRow;
  replaying: boolean;
  onReplay(): void;
  onRecipe(): void;
}

function Foot({ row, replaying, onReplay, onRecipe }: FootProps) {
  const { go } = useAddress();
  if (isActive(row)) return <Button onClick={() => go('/runs', { run: row.id })}>Watch it run</Button>;
  if (row.state !== 'done' || !row.document)
    return row.recipe.steps.length > 0 ? (
      <>
        <Button variant="filled" onClick={onRecipe}>
          {wasRefused(row) ? 'Mend the recipe' : 'Open the recipe'}
        </Button>
        <Button onClick={() => go('/runs', { run: row.id })}>What happened</Button>
      </>
    ) : (
      <Button onClick={() => go('/runs', { run: row.id })}>What happened</Button>
    );
  return (
    <>
      <Button
        variant="filled"
        className={look.grow ?? ''}
        onClick={() => go('/deploy', { model: row.artifactModelId ?? row.modelId, run: row.id })}
      >
        Deploy
      </Button>
      <Button leftSection={<IconRefresh size={16} />} loading={replaying} onClick={onReplay}>
        Replay
      </Button>
      <Button onClick={() => go('/compare', { model: row.modelId, b: row.id })}>Compare</Button>
    </>
  );
}
