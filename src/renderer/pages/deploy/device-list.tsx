// The devices, each with what is known of it and whether the model fits.
import { useQueries } from '@tanstack/react-query';
import type { Device, FitDocument } from '../../../contract/words/device';
import { orpc } from '../../api';
import { bytes, plural } from '../../format';
import { Panel } from '../../parts/panel';
import { Status } from '../../parts/status';
import look from './deploy.module.css';

const verdicts = {
  yes: { tone: 'good', word: 'fits' },
  tight: { tone: 'warn', word: 'tight' },
  no: { tone: 'bad', word: 'does not fit' },
} as const;

interface DeviceListProps {
  modelId: string;
  devices: readonly Device[];
  chosen: string | null;
  onChoose(id: string): void;
}

export function DeviceList({ modelId, devices, chosen, onChoose }: DeviceListProps) {
  const fits = useQueries({
    queries: devices.map((device) => orpc.devices.fit.queryOptions({ input: { modelId, deviceId: device.id } })),
  });
  return (
    <Panel title="Devices" clause={plural(devices.length, 'profile')} scroll style={{ flex: 1 }}>
      <ul className={look.devices}>
        {devices.map((device, at) => {
          const fit: FitDocument | undefined = fits[at]?.data;
          return (
            <li key={device.id}>
              <button
                type="button"
                className={look.device}
                aria-current={device.id === chosen || undefined}
                onClick={() => onChoose(device.id)}
              >
                <span className={look.deviceHead}>
                  <b>{device.title}</b>
                  {fit ? <Status tone={verdicts[fit.fits].tone}>{verdicts[fit.fits].word}</Status> : null}
                </span>
                <span className={look.deviceNote}>{device.about}</span>
                {fit ? (
                  <span
                    className={look.gauge}
                    data-fits={fit.fits}
                    role="img"
                    aria-label={`${bytes(fit.footprint.total)} of ${bytes(fit.usableBytes)}`}
                  >
                    <i style={{ width: `${Math.min(100, (fit.footprint.total / fit.usableBytes) * 100)}%` }} />
                  </span>
                ) : null}
              </button>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
