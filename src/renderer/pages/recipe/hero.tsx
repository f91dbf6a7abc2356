// First glance of the page: the cut as it will be, before → after, and the run.
import { Button } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import type { LibraryDataset } from '../../../contract/words/dataset';
import type { LibraryModel } from '../../../contract/words/model';
import type { LayerPlan, RunForecast } from '../../../contract/words/recipe';
import { Cut } from '../../cut/cut';
import { stockOf } from '../../cut/layers';
import { bytes, percent, roughBytes, roughDuration } from '../../format';
import { Figure } from '../../parts/figure';
import { Arrow } from '../../parts/glyphs';
import { useEvaluation } from '../../queries';
import look from './recipe.module.css';

interface HeroProps {
  model: LibraryModel;
  dataset: LibraryDataset | null;
  plans: ReadonlyMap<string, LayerPlan>;
  forecast: RunForecast | null;
  stale: boolean;
  selected: readonly string[];
  onSelect(name: string, keys: { add: boolean; extend: boolean }): void;
  starting: boolean;
  onRun(): void;
}

export function Hero(props: HeroProps) {
  const { model, dataset, plans, forecast, stale, selected, onSelect, starting, onRun } = props;
  const evaluation = useEvaluation(model, dataset);
  const before = model.summary.bytes;
  const after = forecast ? forecast.bytesAfter : null;
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
      <div className={look.heroCut}>
        <div className={look.heroLabel}>
          <span>
            <b>The cut</b> · length = parameters, diameter = bits, area = bytes
          </span>
          <span>hatched: removed</span>
        </div>
        <Cut
          size="hero"
          layers={layers}
          stock={stockOf(model.layers)}
          selected={selected}
          onSelect={onSelect}
          bytesShare={after === null ? null : after / before}
        />
      </div>
      <dl className={look.changes}>
        <div>
          <dt>Size</dt>
          <dd>
            <span className={look.was}>{bytes(before)}</span>
            <Arrow />
            {after === null ? (
              <Figure kind="unknown" size="large" word="no recipe yet" />
            ) : (
              <Figure
                kind="predicted"
                size="large"
                text={roughBytes(after, 3)}
                stale={stale}
                figures={8}
                how="Every tensor as it will be stored, summed."
              />
            )}
          </dd>
          <dd className={look.under}>{after === null ? '' : `${percent(after / before, 0)} of the bytes`}</dd>
        </div>
        <div>
          <dt>Quality</dt>
          <dd>
            {evaluation ? (
              <>
                <span className={look.was}>{percent(evaluation.quality.value)}</span>
                <Arrow />
              </>
            ) : null}
            <Figure kind="unknown" size="large" word="not measured" />
          </dd>
          <dd className={look.under}>
            {dataset
              ? forecast
                ? `Needs a run, about ${roughDuration(forecast.seconds)}`
                : ''
              : 'Choose a dataset to measure it'}
          </dd>
        </div>
      </dl>
      <div className={look.heroActions}>
        <Button
          variant="filled"
          size="md"
          leftSection={<IconPlayerPlay size={16} />}
          disabled={!forecast?.possible || stale}
          loading={starting}
          onClick={onRun}
        >
          Run
        </Button>
      </div>
    </section>
  );
}
