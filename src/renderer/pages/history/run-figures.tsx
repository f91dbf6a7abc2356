// Size, quality and latency of a run, each with how it stands to its parent.
import type { LibraryModel } from '../../../contract/words/model';
import type { RunRow } from '../../../contract/words/run';
import { count, percent, significant } from '../../format';
import { isSelfAgreement, latencyFigure, qualityFigure, qualityText, sizeFigure } from '../../measures';
import { metricName } from '../../model-words';
import { Fact, Facts } from '../../parts/fact';
import { Figure } from '../../parts/figure';
import { pointOf } from '../compare/front';
import { pointOfParent } from '../compare/points';
import { difference, latencyDifference } from '../compare/verdict';
import { shareLeft } from '../runs/words';
import look from './history.module.css';

export function RunFigures({ row, model }: { row: RunRow; model: LibraryModel | null }) {
  const measured = row.document?.compressed;
  const share = shareLeft(row, model?.summary.bytes ?? null);
  const { quality, speed } = againstParent(row, model);
  return (
    <Facts columns={3}>
      <Fact label="Size" note={share === null ? undefined : `${percent(share, 1)} of the bytes`}>
        {row.bytes === null ? (
          <Figure kind="unknown" word="nothing written" />
        ) : (
          <Figure {...sizeFigure(row.bytes)} size="readout" />
        )}
      </Fact>
      <Fact
        label={row.metric ? metricName(row.metric) : 'Quality'}
        note={quality ?? (measured ? `n = ${count(measured.quality.n)}` : undefined)}
      >
        {measured && !isSelfAgreement(measured) ? (
          <Figure {...qualityFigure(measured.quality)} half={null} size="readout" />
        ) : row.metric && row.value !== null && row.metric !== 'agreement' ? (
          <Figure kind="measured" size="readout" text={qualityText(row.metric, row.value)} />
        ) : (
          <Figure kind="unknown" word="not measured" />
        )}
      </Fact>
      <Fact label="Latency here" note={speed}>
        {measured?.latencyMs ? (
          <Figure {...latencyFigure(measured.latencyMs)} size="readout" />
        ) : (
          <Figure kind="unknown" word="not measured" />
        )}
      </Fact>
    </Facts>
  );
}

/** *−0.08, not told apart* and *2.3× faster*, where the run measured its parent, too. */
function againstParent(row: RunRow, model: LibraryModel | null) {
  const baseline = row.document?.baseline;
  const run = pointOf(row, '');
  if (!baseline || !run || !model) return {};
  const parent = pointOfParent(model, baseline);
  const change = parent.reference ? null : difference(run, parent, baseline.quality.metric);
  const time = latencyDifference(run, parent);
  const ratio = run.latencyMs && parent.latencyMs ? parent.latencyMs / run.latencyMs : null;
  return {
    quality: change ? (
      <span className={look.change} data-tone={change.tone}>
        {change.text}
        {change.tone === 'same' ? ', not told apart' : ''}
      </span>
    ) : undefined,
    speed:
      time && ratio ? (
        <span className={look.change} data-tone={time.tone}>
          {time.tone === 'same'
            ? 'as fast'
            : ratio > 1
              ? `${significant(ratio, 2)}× faster`
              : `${significant(1 / ratio, 2)}× slower`}
        </span>
      ) : undefined,
  };
}
