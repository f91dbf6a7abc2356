// Progress: an 8 px square-ended bar, and stages as a row of such bars, as wide as their expected time.
import look from './progress.module.css';

export interface ProgressBarProps {
  /** 0…1; null: under way, share unknown. */
  share: number | null;
  label: string;
  width?: number | string;
}

export const ProgressBar = ({ share, label, width = '100%' }: ProgressBarProps) => (
  <div
    className={look.bar}
    style={{ width }}
    role="progressbar"
    aria-label={label}
    aria-valuemin={0}
    aria-valuemax={100}
    aria-valuenow={share === null ? undefined : Math.round(share * 100)}
  >
    <i style={{ width: share === null ? undefined : `${share * 100}%` }} data-unknown={share === null || undefined} />
  </div>
);

export interface StageBar {
  id: string;
  label: string;
  /** Time taken or expected, printed under the name. */
  time?: string;
  /** Share of the row's width is by seconds. */
  seconds: number;
  state: 'done' | 'now' | 'todo';
  /** 0…1 within the stage that is now. */
  share?: number;
}

/** Done in ink2, now in accent with the tool point, to come dotted. */
export const Stages = ({ stages }: { stages: readonly StageBar[] }) => (
  <ol className={look.stages}>
    {stages.map((stage) => (
      <li
        key={stage.id}
        style={{ flexGrow: Math.max(stage.seconds, 0.001) }}
        data-state={stage.state}
        aria-current={stage.state === 'now' ? 'step' : undefined}
      >
        <div className={look.stage}>
          {stage.state === 'now' ? (
            <>
              <i style={{ width: `${(stage.share ?? 0) * 100}%` }} />
              <svg viewBox="0 0 10 8" style={{ left: `${(stage.share ?? 0) * 100}%` }} aria-hidden="true">
                <path d="M0 0h10L5 8z" />
              </svg>
            </>
          ) : null}
        </div>
        <span className={look.name}>{stage.label}</span>
        <span className={look.time}>{stage.time ?? ''}</span>
      </li>
    ))}
  </ol>
);
