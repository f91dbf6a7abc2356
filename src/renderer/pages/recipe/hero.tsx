// First glance of the page: the cut as it will be, before → after, what the run needs, and the run. What stands in its way takes the figures' place.
import { Button } from '@mantine/core';
import { IconAlertTriangle, IconPlayerPlay } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { LibraryDataset } from '../../../contract/words/dataset';
import type { LibraryModel } from '../../../contract/words/model';
import type { LayerPlan, RunForecast } from '../../../contract/words/recipe';
import { Cut } from '../../cut/cut';
import { stockOf } from '../../cut/layers';
import { bytes, percent, roughBytes, roughDuration } from '../../format';
import { isSelfAgreement, qualityText } from '../../measures';
import { metricName } from '../../model-words';
import { Figure } from '../../parts/figure';
import { Arrow, EvidenceMark } from '../../parts/glyphs';
import { useEvaluation } from '../../queries';
import { useNarrow, useTight, useWide } from '../../window-size';
import { CutScale } from './cut-scale';
import { DatasetOffer } from './dataset-offer';
import look from './hero.module.css';

interface HeroProps {
  model: LibraryModel;
  dataset: LibraryDataset | null;
  plans: ReadonlyMap<string, LayerPlan>;
  forecast: RunForecast | null;
  stale: boolean;
  selected: readonly string[];
  hovered: string | null;
  onHover(name: string | null): void;
  onSelect(name: string, keys: { add: boolean; extend: boolean }): void;
  /** Why the run cannot start, with what can be done about it. */
  blocked: ReactNode;
  starting: boolean;
  onRun(): void;
}

export function Hero(props: HeroProps) {
  const { model, dataset, plans, forecast, stale, selected, hovered, onHover, onSelect, blocked } = props;
  const narrow = useNarrow();
  const tight = useTight();
  const wide = useWide();
  const width = wide ? 820 : narrow ? 290 : tight ? 440 : 576;
  const after = forecast?.bytesAfter ?? null;
  const layers = model.layers.map((layer) => {
    const plan = plans.get(layer.name);
    return {
      name: layer.name,
      parameters: layer.tiedTo ? 0 : layer.parameters,
      bits: plan?.methods.length ? plan.bitsAfter : layer.bits,
    };
  });
  return (
    <section className={look.hero} aria-label="The cut">
      <div className={look.cut}>
        <div className={look.cutHead}>
          <span>
            <b>The cut</b> · length = parameters{narrow ? '' : ', diameter = bits, area = bytes'}
          </span>
          <span>hatched: removed</span>
        </div>
        <Cut
          size="hero"
          width={width}
          layers={layers}
          stock={stockOf(model.layers)}
          selected={selected}
          hovered={hovered}
          onHover={onHover}
          onSelect={onSelect}
          bytesShare={after === null ? null : after / model.summary.bytes}
        >
          {(geometry) => <CutScale geometry={geometry} />}
        </Cut>
      </div>
      {blocked ? (
        <div className={look.blocked}>{blocked}</div>
      ) : (
        <div className={look.told}>
          <Changes model={model} dataset={dataset} forecast={forecast} stale={stale} narrow={narrow} />
          {(forecast?.sentences ?? []).map((sentence) => (
            <p key={sentence} className={look.warning}>
              <IconAlertTriangle size={14} aria-label="Warning" />
              <span>{sentence}</span>
            </p>
          ))}
        </div>
      )}
      <div className={look.actions}>
        <Button
          variant="filled"
          size="sm"
          fullWidth
          leftSection={<IconPlayerPlay size={16} />}
          disabled={Boolean(blocked)}
          loading={props.starting}
          onClick={props.onRun}
        >
          Run
        </Button>
      </div>
    </section>
  );
}

interface ChangesProps {
  model: LibraryModel;
  dataset: LibraryDataset | null;
  forecast: RunForecast | null;
  stale: boolean;
  narrow: boolean;
}

/** Before → after, every figure of after predicted; and what making it takes. */
function Changes({ model, dataset, forecast, stale, narrow }: ChangesProps) {
  const evaluation = useEvaluation(model, dataset);
  const was =
    evaluation && !isSelfAgreement(evaluation) && qualityText(evaluation.quality.metric, evaluation.quality.value);
  const before = model.summary.bytes;
  const size = narrow ? 'large' : 'hero';
  return (
    <dl className={look.changes}>
      <div>
        <dt>
          <EvidenceMark kind="predicted" /> Size
        </dt>
        <dd>
          <span className={look.was}>{bytes(before)}</span>
          <Arrow />
          {forecast ? (
            <Figure
              kind="predicted"
              size={size}
              text={roughBytes(forecast.bytesAfter, 3)}
              stale={stale}
              figures={7}
              how="Every tensor as it will be stored, summed."
            />
          ) : (
            <Figure kind="unknown" size={size} word="working it out" figures={7} />
          )}
        </dd>
        <dd className={look.under}>{forecast ? `${percent(forecast.bytesAfter / before, 0)} of the bytes` : ''}</dd>
      </div>
      <div>
        <dt>
          <EvidenceMark kind="unknown" /> {evaluation ? metricName(evaluation.quality.metric) : 'Quality'}
          {narrow && was ? `, ${was} before` : ''}
        </dt>
        <dd>
          {was && !narrow ? (
            <>
              <span className={look.was}>{was}</span>
              <Arrow />
            </>
          ) : null}
          <Figure kind="unknown" size={size} word="not measured" />
        </dd>
        <dd className={look.under}>
          {dataset ? `Needs the run, on ${dataset.summary.name}` : <DatasetOffer verb="to measure it" />}
        </dd>
      </div>
      <div>
        <dt>
          <EvidenceMark kind="predicted" /> The run
        </dt>
        <dd>
          {forecast ? (
            <Figure
              kind="predicted"
              size={size}
              text={roughDuration(forecast.seconds)}
              stale={stale}
              figures={5}
              how={
                dataset ? 'From reading the model to the last measurement.' : 'From reading the model to the artifact.'
              }
            />
          ) : (
            <Figure kind="unknown" size={size} word="working it out" figures={5} />
          )}
        </dd>
        <dd className={look.under}>
          {forecast ? `${roughBytes(forecast.peakBytes)} of memory, ${roughBytes(forecast.diskBytes)} of disk` : ''}
        </dd>
      </div>
    </dl>
  );
}
