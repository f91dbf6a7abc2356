// A model as it came: its cut and figures, and where to go from it.
import { Button } from '@mantine/core';
import type { LibraryModel } from '../../../contract/words/model';
import type { Evaluation } from '../../../contract/words/quality';
import { useAddress } from '../../address';
import { cutOfModel, stockOf } from '../../cut/layers';
import { clock, compact, day, plural } from '../../format';
import { isSelfAgreement, latencyFigure, nOf, qualityFigure, sizeFigure } from '../../measures';
import { formatName, metricName } from '../../model-words';
import { Fact, Facts } from '../../parts/fact';
import { Figure } from '../../parts/figure';
import { Panel } from '../../parts/panel';
import { WideCut } from '../runs/wide-cut';
import look from './history.module.css';

export function ModelSheet({ model, evaluation }: { model: LibraryModel; evaluation: Evaluation | null }) {
  const { go } = useAddress();
  const quality = evaluation && !isSelfAgreement(evaluation) ? evaluation : null;
  return (
    <Panel
      style={{ flex: 1 }}
      title={model.name}
      clause={`opened ${day(model.openedAt)}, ${clock(model.openedAt)}`}
      scroll
      padded
      foot={
        <>
          <Button variant="filled" onClick={() => go('/recipe', { model: model.id })}>
            Write a recipe
          </Button>
          <Button onClick={() => go('/inspect', { model: model.id })}>Inspect</Button>
        </>
      }
    >
      <div className={look.sheet}>
        <WideCut height={48} layers={cutOfModel(model.layers)} stock={stockOf(model.layers)} />
        <Facts columns={3}>
          <Fact label="Size" note={`${compact(model.summary.parameters)} parameters`}>
            <Figure {...sizeFigure(model.summary.bytes)} size="readout" />
          </Fact>
          <Fact
            label={quality ? metricName(quality.quality.metric) : 'Quality'}
            note={quality ? nOf(quality) : undefined}
          >
            {quality ? (
              <Figure {...qualityFigure(quality.quality)} half={null} size="readout" />
            ) : (
              <Figure kind="unknown" word="not measured" />
            )}
          </Fact>
          <Fact label="Latency here">
            {evaluation?.latencyMs ? (
              <Figure {...latencyFigure(evaluation.latencyMs)} size="readout" />
            ) : (
              <Figure kind="unknown" word="not measured" />
            )}
          </Fact>
        </Facts>
        <p className={look.nothing}>
          {formatName(model.summary.format)}
          {model.summary.opset ? `, opset ${model.summary.opset}` : ''}, {plural(model.layers.length, 'layer')}
        </p>
        {model.summary.sha256 ? <pre className={look.hash}>sha256 {model.summary.sha256}</pre> : null}
        <pre className={look.well}>{model.summary.path}</pre>
      </div>
    </Panel>
  );
}
