// The selected run in full: its cut and figures, its hash and replay, its recipe, what fused, what was kept and why.
import { Button } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import type { MethodCard } from '../../../contract/words/method';
import type { LibraryModel } from '../../../contract/words/model';
import type { RunRow } from '../../../contract/words/run';
import { useAddress } from '../../address';
import { orpc, refusalOf } from '../../api';
import { Cut } from '../../cut/cut';
import { cutOfRun, stockOf } from '../../cut/layers';
import { bytes, clock, count, day, milliseconds, percent } from '../../format';
import { qualityText } from '../../measures';
import { metricName } from '../../model-words';
import { Card, RefusalCard } from '../../parts/card';
import { Fact, Facts } from '../../parts/fact';
import { Figure } from '../../parts/figure';
import { Panel } from '../../parts/panel';
import { TextAction } from '../../parts/text-action';
import { printRecipe } from '../recipe/print-recipe';
import { keepDraft } from '../recipe/use-recipe';
import { runTitle } from '../runs/words';
import look from './history.module.css';

export function RunSheet({
  row,
  model,
  cards,
}: {
  row: RunRow;
  model: LibraryModel | null;
  cards: readonly MethodCard[];
}) {
  const { go } = useAddress();
  const document = row.document;
  const measured = document?.compressed;
  const replay = useMutation(orpc.runs.replay.mutationOptions());
  const openRecipe = () => {
    keepDraft(row.modelId, row.recipe);
    go('/recipe', { model: row.modelId });
  };
  const kept = (document?.layers ?? []).filter((layer) => layer.methods.length === 0 && layer.refusal);
  return (
    <Panel
      style={{ flex: 1 }}
      title={`${row.number}  ${runTitle(row, cards)}`}
      clause={`${day(row.createdAt)}, ${clock(row.createdAt)}`}
      scroll
      padded
      foot={
        row.state === 'done' && document ? (
          <>
            <Button
              variant="filled"
              onClick={() => go('/deploy', { model: row.artifactModelId ?? row.modelId, run: row.id })}
            >
              Deploy
            </Button>
            <Button
              leftSection={<IconRefresh size={16} />}
              loading={replay.isPending}
              onClick={() => replay.mutate({ id: row.id })}
            >
              Replay
            </Button>
            <Button onClick={() => go('/compare', { model: row.modelId, b: row.id })}>Compare</Button>
          </>
        ) : undefined
      }
    >
      <div className={look.sheet}>
        {model && document && document.layers.length > 0 ? (
          <Cut
            size="side"
            width={330}
            layers={cutOfRun(document.layers, model.layers)}
            stock={stockOf(model.layers)}
            bytesShare={document.artifact.bytes / model.summary.bytes}
          />
        ) : null}
        <Facts columns={3}>
          <Fact
            label="Size"
            note={
              model && row.bytes !== null ? `${percent(row.bytes / model.summary.bytes, 1)} of the model` : undefined
            }
          >
            {row.bytes === null ? (
              <Figure kind="unknown" word="nothing written" />
            ) : (
              <Figure kind="measured" size="readout" text={bytes(row.bytes)} />
            )}
          </Fact>
          <Fact label={metricName(row.metric ?? '')} note={measured ? `n = ${count(measured.quality.n)}` : undefined}>
            {row.metric && row.value !== null ? (
              <Figure kind="measured" size="readout" text={qualityText(row.metric, row.value)} />
            ) : (
              <Figure kind="unknown" word="not measured" />
            )}
          </Fact>
          <Fact
            label="Latency here"
            note={
              measured?.latencyMs
                ? `batch ${measured.latencyMs.batch}, ${measured.latencyMs.threads} threads`
                : undefined
            }
          >
            {measured?.latencyMs ? (
              <Figure kind="measured" size="readout" text={milliseconds(measured.latencyMs.p50)} />
            ) : (
              <Figure kind="unknown" word="not measured" />
            )}
          </Fact>
        </Facts>
        {row.error ? <RefusalCard refusal={row.error} /> : null}
        {replay.error ? <RefusalCard refusal={refusalOf(replay.error)} /> : null}
        {replay.isPending ? (
          <Card tone="good" title="Replaying.">
            The same recipe on the same model with the same seed; the Runs page shows it.
          </Card>
        ) : null}
        {replay.data ? (
          <Card
            tone={replay.data.identical ? 'good' : 'warn'}
            title={replay.data.identical ? 'Replayed, same bytes.' : 'Replayed, other bytes.'}
          >
            {replay.data.identical ? '' : (replay.data.why ?? []).join(' ')}
          </Card>
        ) : null}
        {document ? (
          <pre className={look.hash}>
            sha256 {document.artifact.sha256.slice(0, 16)}…{document.artifact.sha256.slice(-8)}
            {'\n'}seed {row.seed} · lathe {document.run.lathe} · onnxruntime {document.run.machine.onnxruntime}
          </pre>
        ) : null}
        {row.kind === 'evaluate' ? null : (
          <section>
            <h3 className={look.section}>
              Recipe <TextAction onClick={openRecipe}>Open</TextAction>
            </h3>
            <pre className={look.well}>{printRecipe(row.recipe)}</pre>
          </section>
        )}
        {document && Object.keys(document.fused).length > 0 ? (
          <section>
            <h3 className={look.section}>What fused</h3>
            <dl className={look.fused}>
              {Object.entries(document.fused).map(([op, times]) => (
                <div key={op}>
                  <dt>{op.replace('com.microsoft:', '')}</dt>
                  <dd>{times}</dd>
                </div>
              ))}
            </dl>
          </section>
        ) : null}
        {kept.length > 0 ? (
          <section>
            <h3 className={look.section}>Kept as they were</h3>
            <ul className={look.kept}>
              {kept.map((layer) => (
                <li key={layer.name}>
                  <span className="mono">{layer.name}</span> {layer.refusal?.sentence}
                </li>
              ))}
            </ul>
          </section>
        ) : null}
        {document && document.notes.length > 0 ? (
          <section>
            <h3 className={look.section}>Notes</h3>
            <ul className={look.kept}>
              {document.notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          </section>
        ) : null}
      </div>
    </Panel>
  );
}
