// The footprint in its parts on the device's memory: weights, activations, cache, runtime; the system's share at the end.
import type { Device, FitDocument } from '../../../contract/words/device';
import { bytes, roughBytes } from '../../format';
import { Figure } from '../../parts/figure';
import look from './deploy.module.css';

const parts = [
  { id: 'weights', label: 'weights', color: 'var(--l-ink2)' },
  { id: 'kvCache', label: 'KV cache', color: 'var(--l-accent-fill)' },
  { id: 'activations', label: 'activations', color: 'var(--l-accent-line)' },
  { id: 'runtime', label: 'runtime', color: 'var(--l-fp32)' },
] as const;

export function FootprintScale({ fit, device }: { fit: FitDocument; device: Device }) {
  const whole = Math.max(device.memoryBytes, fit.footprint.total);
  const shown = parts.filter((part) => fit.footprint[part.id] > 0);
  return (
    <div>
      <div
        className={look.scale}
        role="img"
        aria-label={`${roughBytes(fit.footprint.total)} of ${bytes(fit.usableBytes)} usable.`}
      >
        {shown.map((part) => (
          <i
            key={part.id}
            style={{ width: `${(fit.footprint[part.id] / whole) * 100}%`, minWidth: 2, background: part.color }}
          />
        ))}
        <span className={look.grow} />
        <span className={look.system} style={{ width: `${((device.memoryBytes - fit.usableBytes) / whole) * 100}%` }}>
          system
        </span>
      </div>
      <div className={look.scaleEnds}>
        <span>0</span>
        <span>{bytes(device.memoryBytes)}</span>
      </div>
      <ul className={look.parts}>
        {shown.map((part) => (
          <li key={part.id}>
            <i style={{ background: part.color }} /> {part.label}{' '}
            <Figure kind="predicted" size="table" text={roughBytes(fit.footprint[part.id], 3)} />
          </li>
        ))}
      </ul>
    </div>
  );
}
