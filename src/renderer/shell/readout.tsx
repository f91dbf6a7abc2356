// The readout: size, quality, latency here, latency on the device, always in this order, always with evidence marks.
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { LibraryModel } from '../../contract/words/model';
import { api } from '../api';
import { isSelfAgreement, latencyFigure, nOf, qualityFigure, sizeFigure } from '../measures';
import { metricName } from '../model-words';
import { Figure, type FigureProps } from '../parts/figure';
import { EvidenceMark } from '../parts/glyphs';
import { useActiveRuns, useChosenDataset, useChosenDevice, useEvaluation } from '../queries';
import look from './readout.module.css';

const unlabelled: FigureProps = {
  kind: 'unknown',
  word: 'no labels',
  how: 'The samples have no labels: runs are measured by how often they answer as this model does.',
};

export function Readout({ model }: { model: LibraryModel }) {
  const dataset = useChosenDataset();
  const device = useChosenDevice();
  const evaluation = useEvaluation(model, dataset);
  const running = useActiveRuns().some((run) => run.kind === 'evaluate' && run.modelId === model.id);
  const measure = useMutation({
    mutationFn: (datasetId: string) => api.runs.evaluate({ modelId: model.id, datasetId }),
  });

  const offer =
    dataset && !running ? { label: `Measure on ${dataset.summary.name}`, act: () => measure.mutate(dataset.id) } : null;
  const missing: FigureProps = {
    kind: 'unknown',
    word: running ? 'measuring' : 'not measured',
    offer,
    how: dataset ? undefined : 'Choose a dataset to measure on.',
  };
  const quality = evaluation && !isSelfAgreement(evaluation) ? evaluation : null;
  const latency = evaluation?.latencyMs ?? null;
  return (
    <dl className={look.readout}>
      <Slot label="Size" figure={sizeFigure(model.summary.bytes)} />
      <Slot
        label={quality ? `${metricName(quality.quality.metric)}, ${nOf(quality)}` : 'Quality'}
        figure={quality ? qualityFigure(quality.quality) : evaluation ? unlabelled : missing}
      />
      <Slot label="Latency here, p50" figure={latency ? latencyFigure(latency) : missing} className={look.here} />
      {device ? (
        <Slot
          label={`On ${device.title}`}
          figure={{
            kind: 'unknown',
            word: 'speed unknown',
            how: `No timing of ${device.title} is known to Lathe yet.`,
          }}
        />
      ) : null}
    </dl>
  );
}

function Slot({ label, figure, className }: { label: ReactNode; figure: FigureProps; className?: string | undefined }) {
  return (
    <div className={[look.slot, className].filter(Boolean).join(' ')}>
      <dt>
        <EvidenceMark kind={figure.kind} />
        {label}
      </dt>
      <dd>
        <Figure {...figure} size="readout" />
      </dd>
    </div>
  );
}
