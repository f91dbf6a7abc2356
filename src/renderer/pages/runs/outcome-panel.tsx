// What came of a finished run: its cut, before → after, and every layer with what was done to it.

import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { LibraryModel } from '../../../contract/words/model';
import type { Evaluation } from '../../../contract/words/quality';
import type { RunDocument, RunRow } from '../../../contract/words/run';
import { orpc } from '../../api';
import { cutOfRun, stockOf } from '../../cut/layers';
import { bytes, count, milliseconds, percent, significant } from '../../format';
import { isSelfAgreement, latencyFigure, nOf, qualityFigure, qualityText, sizeFigure } from '../../measures';
import { metricName } from '../../model-words';
import { Card } from '../../parts/card';
import { Figure } from '../../parts/figure';
import { Arrow, EvidenceMark } from '../../parts/glyphs';
import { Panel } from '../../parts/panel';
import look from './detail.module.css';
import { LayerOutcomes } from './layer-outcomes';
import { WideCut } from './wide-cut';
import { coverage, originalOf, shareLeft } from './words';

interface OutcomePanelProps {
  row: RunRow;
  document: RunDocument;
  rows: readonly RunRow[];
  model: LibraryModel | null;
  tools?: ReactNode;
}

export function OutcomePanel({ row, document, rows, model, tools }: OutcomePanelProps) {
  const before = document.baseline?.bytes ?? model?.summary.bytes ?? null;
  const original = originalOf(row, rows);
  const share = shareLeft(row, before);
  return (
    <Panel title="What came of it" clause={coverage(row) ?? ''} tools={tools} scroll>
      <div className={look.outcome}>
        {model && document.layers.length > 0 ? (
          <WideCut
            layers={cutOfRun(document.layers, model.layers)}
            stock={stockOf(model.layers)}
            height={64}
            bytesShare={share}
            settle
          />
        ) : null}
        <dl className={look.changes}>
          <Change
            label="Size"
            was={before === null ? null : bytes(before)}
            under={share === null ? '' : `${percent(share, share < 0.1 ? 1 : 0)} of the bytes`}
          >
            <Figure {...sizeFigure(document.artifact.bytes)} size="large" />
          </Change>
          <Measures before={document.baseline ?? null} after={document.compressed ?? null} />
        </dl>
        {document.agreement ? <Agreement agreement={document.agreement} /> : null}
        {original ? <Replayed row={row} original={original} /> : null}
      </div>
      <LayerOutcomes modelId={row.modelId} layers={document.layers} />
    </Panel>
  );
}

const Change = ({
  label,
  was,
  under,
  children,
}: {
  label: string;
  was: string | null;
  under: string;
  children: ReactNode;
}) => (
  <div>
    <dt>
      <EvidenceMark kind="measured" /> {label}
    </dt>
    <dd>
      {was ? (
        <>
          <span className={look.was}>{was}</span>
          <Arrow />
        </>
      ) : null}
      {children}
    </dd>
    <dd className={look.under}>{under}</dd>
  </div>
);

/** Quality and latency, each beside the parent's. Agreement of a parent with itself is no measurement. */
function Measures({ before, after }: { before: Evaluation | null; after: Evaluation | null }) {
  if (!after)
    return (
      <Change label="Quality" was={null} under="No dataset was chosen for this run">
        <Figure kind="unknown" size="large" word="not measured" />
      </Change>
    );
  const { metric } = after.quality;
  const parent = metric === 'agreement' ? null : before;
  return (
    <>
      <Change
        label={
          metric === 'agreement' ? `Agreement with the parent, ${nOf(after)}` : `${metricName(metric)}, ${nOf(after)}`
        }
        was={parent ? qualityText(parent.quality.metric, parent.quality.value) : null}
        under={
          after.quality.correct === undefined ? '' : `${count(after.quality.correct)} of ${count(after.quality.n)}`
        }
      >
        <Figure {...qualityFigure(after.quality)} size="large" />
      </Change>
      <Change
        label="Latency here, p50"
        was={before?.latencyMs ? milliseconds(before.latencyMs.p50) : null}
        under={after.latencyMs ? `batch ${after.latencyMs.batch}, ${after.latencyMs.threads} threads` : ''}
      >
        {after.latencyMs ? (
          <Figure {...latencyFigure(after.latencyMs)} size="large" />
        ) : (
          <Figure kind="unknown" size="large" word="not measured" />
        )}
      </Change>
    </>
  );
}

function Agreement({ agreement }: { agreement: NonNullable<RunDocument['agreement']> }) {
  const { flips, n, top1, klDivergence } = agreement;
  return (
    <p className={look.sentence}>
      {count(flips)} of {count(n)} answers differ from the parent’s
      {top1 === undefined ? '' : `, ${percent(top1)} agree`}
      {klDivergence === undefined ? '' : `; KL ${significant(klDivergence, 2)}`}.
    </p>
  );
}

function Replayed({ row, original }: { row: RunRow; original: RunRow }) {
  const same = row.document?.artifact.sha256 === original.document?.artifact.sha256;
  return (
    <Card
      tone={same ? 'good' : 'warn'}
      title={`A replay of run ${original.number}: ${same ? 'the same bytes' : 'other bytes'}.`}
    >
      {same ? 'The recipe, the model and the seed make this artifact, wherever they are run like this.' : ''}
    </Card>
  );
}

/** An evaluation of a model as it is: its figures, and what was said aloud. */
export function MeasuredPanel({ row }: { row: RunRow }) {
  const evaluation = useQuery(orpc.runs.evaluation.queryOptions({ input: { id: row.id } })).data;
  return (
    <Panel title="Measured as it is" clause={row.dataset ?? ''} padded scroll>
      <dl className={look.changes}>
        <Change label="Size" was={null} under="">
          {row.bytes === null ? (
            <Figure kind="unknown" word="not known" />
          ) : (
            <Figure {...sizeFigure(row.bytes)} size="large" />
          )}
        </Change>
        {evaluation && isSelfAgreement(evaluation) ? (
          <Change label="Quality" was={null} under="The samples have no labels, and there is no parent to agree with">
            <Figure kind="unknown" size="large" word="nothing to measure against" />
          </Change>
        ) : (
          <Measures before={null} after={evaluation ?? null} />
        )}
      </dl>
      <ul className={look.notes}>
        {(evaluation?.notes ?? []).map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </Panel>
  );
}
