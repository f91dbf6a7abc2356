// The Deploy page: does it fit the device, by how much, and the bundle that proves it.
import { useQuery } from '@tanstack/react-query';
import type { Device } from '../../../contract/words/device';
import type { LibraryModel } from '../../../contract/words/model';
import { useAddress } from '../../address';
import { orpc, refusalOf } from '../../api';
import { quantity, roughBytes } from '../../format';
import { RefusalCard } from '../../parts/card';
import { EmptyState } from '../../parts/empty-state';
import { Figure } from '../../parts/figure';
import { Panel } from '../../parts/panel';
import { SkeletonRows } from '../../parts/skeleton';
import { Split } from '../../parts/split';
import { useDevices, useModel, useOpenModel, useRuns } from '../../queries';
import look from './deploy.module.css';
import { DeviceList } from './device-list';
import { ExportPanel } from './export-panel';
import { FootprintScale } from './footprint-scale';

export default function DeployPage() {
  const { device, run, set } = useAddress();
  const open = useOpenModel();
  // A run's artifact is what is exported, wherever one came from.
  const row = useRuns().data?.find((each) => each.id === run && each.state === 'done');
  const artifact = useModel(row?.artifactModelId ?? null);
  const model = artifact ?? open;
  const { data: devices } = useDevices();
  if (!model)
    return <EmptyState title="No model is open.">Open a model, or a run of one, to make a bundle of it.</EmptyState>;
  if (!devices) return <SkeletonRows rows={4} height={68} />;
  const chosen = devices.find((each) => each.id === device) ?? devices[0] ?? null;
  return (
    <Split
      id="deploy"
      fixed="start"
      size={330}
      min={{ start: 240, end: 560 }}
      start={
        <DeviceList
          modelId={model.id}
          devices={devices}
          chosen={chosen?.id ?? null}
          onChoose={(id) => set({ device: id })}
        />
      }
      end={chosen ? <Chosen model={model} device={chosen} /> : null}
    />
  );
}

function Chosen({ model, device }: { model: LibraryModel; device: Device }) {
  const fit = useQuery(orpc.devices.fit.queryOptions({ input: { modelId: model.id, deviceId: device.id } }));
  return (
    <div className={look.chosen}>
      <section className={look.verdict} aria-label="Does it fit">
        {fit.error ? <RefusalCard refusal={refusalOf(fit.error)} /> : null}
        {fit.data ? (
          <>
            <h1>{fit.data.sentence}</h1>
            <p className={look.total}>
              <Figure
                kind="predicted"
                mark
                text={roughBytes(fit.data.footprint.total)}
                how="Weights, the largest activations alive at once, and the runtime itself."
              />{' '}
              in all, of {roughBytes(fit.data.usableBytes)} a model may use there
            </p>
            <FootprintScale fit={fit.data} device={device} />
          </>
        ) : null}
      </section>
      <div className={look.below}>
        <Panel title={device.title} clause="the data sheet" scroll>
          <table className={look.sheet}>
            <thead>
              <tr>
                <th scope="col">Figure</th>
                <th scope="col">Value</th>
                <th scope="col">How sure, and from where</th>
              </tr>
            </thead>
            <tbody>
              {device.figures.map((figure) => (
                <tr key={figure.name}>
                  <th scope="row">{figure.name}</th>
                  <td>
                    {figure.value === null ? (
                      <Figure kind="unknown" size="table" word="unknown" />
                    ) : (
                      quantity(figure.value, figure.unit)
                    )}
                  </td>
                  <td className={look.source}>
                    {figure.certainty}. {figure.source}
                  </td>
                </tr>
              ))}
              <tr>
                <th scope="row">Runtimes</th>
                <td colSpan={2}>{device.runtimes.join(', ')}</td>
              </tr>
            </tbody>
          </table>
        </Panel>
        <ExportPanel key={`${model.id}.${device.id}`} model={model} device={device} />
      </div>
    </div>
  );
}
