// Dial: a slider with engraved ticks, longer ones at the stops, the tool point as thumb, the value in bold at the right above.
import { type KeyboardEvent, type PointerEvent, type ReactNode, useId, useRef, useState } from 'react';
import look from './dial.module.css';
import { clampToStep, positionOf, type Scale, ticksOf, typedValue, valueAt } from './dial-scale';

export interface DialProps {
  /** A word, or a word with its help. */
  label: ReactNode;
  scale: Scale;
  value: number;
  onChange(value: number): void;
  /** Double click returns to it. */
  standard: number;
  /** The value as printed at the right above: *32 weights share a scale*. */
  children: ReactNode;
  /** The value as spoken. */
  valueText: string;
  disabled?: boolean;
  /** Marked on the track. */
  suggested?: number | null;
  onRelease?(): void;
}

/** Inset of the track, so that the thumb never leaves the drawing. */
const inset = 8;

export function Dial(props: DialProps) {
  const { label, scale, value, onChange, standard, children, valueText, disabled, suggested, onRelease } = props;
  const id = useId();
  const track = useRef<HTMLDivElement>(null);
  const [typed, setTyped] = useState('');
  const at = positionOf(scale, value);
  const stops = scale.stops;

  const follow = (event: PointerEvent) => {
    const box = track.current?.getBoundingClientRect();
    if (!box) return;
    const share = (event.clientX - box.left - inset) / (box.width - 2 * inset);
    onChange(valueAt(scale, Math.min(1, Math.max(0, share))));
  };

  const walk = (event: KeyboardEvent) => {
    if (/^[0-9.]$/.test(event.key) || (typed && /^[e-]$/.test(event.key))) {
      setTyped((text) => text + event.key);
      return;
    }
    if (event.key === 'Enter' && typed) {
      const value = typedValue(scale, typed);
      if (value !== null) onChange(value);
      setTyped('');
      event.preventDefault();
      return;
    }
    if (event.key === 'Escape' && typed) {
      setTyped('');
      event.stopPropagation();
      return;
    }
    const step = event.shiftKey ? 10 : 1;
    const moves: Record<string, number> = {
      ArrowRight: step,
      ArrowUp: step,
      ArrowLeft: -step,
      ArrowDown: -step,
      PageUp: 10,
      PageDown: -10,
    };
    const move = moves[event.key];
    if (event.key === 'Home') onChange(valueAt(scale, 0));
    else if (event.key === 'End') onChange(valueAt(scale, 1));
    else if (move) onChange(clampToStep(scale, value, move));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  // On a scale of decades the place is told in hundredths: ARIA's numbers know no exponent. The text says the value.
  const values = stops.map((stop) => stop.value);
  const spoken =
    scale.kind === 'rounds'
      ? { min: 0, max: 100, now: Math.round(at * 100) }
      : { min: Math.min(...values), max: Math.max(...values), now: value };

  return (
    <div className={look.dial} data-disabled={disabled || undefined}>
      <div className={look.head}>
        <span id={id}>{label}</span>
        <span className={look.value}>{typed ? <b>{typed}_</b> : children}</span>
      </div>
      <div
        ref={track}
        className={look.track}
        role="slider"
        tabIndex={disabled ? -1 : 0}
        aria-labelledby={id}
        aria-valuemin={spoken.min}
        aria-valuemax={spoken.max}
        aria-valuenow={spoken.now}
        aria-valuetext={valueText}
        aria-disabled={disabled}
        onKeyDown={disabled ? undefined : walk}
        onBlur={() => setTyped('')}
        onDoubleClick={disabled ? undefined : () => onChange(standard)}
        onPointerDown={
          disabled
            ? undefined
            : (event) => {
                event.currentTarget.setPointerCapture(event.pointerId);
                follow(event);
              }
        }
        onPointerMove={(event) => {
          if (!disabled && event.currentTarget.hasPointerCapture(event.pointerId)) follow(event);
        }}
        onPointerUp={() => onRelease?.()}
      >
        <div className={look.ticks}>
          {ticksOf(scale).map((place) => (
            <i key={place} style={{ left: `${place * 100}%` }} />
          ))}
          {stops.map((stop) => (
            <i key={stop.value} className={look.long} style={{ left: `${positionOf(scale, stop.value) * 100}%` }} />
          ))}
          {suggested === undefined || suggested === null ? null : (
            <i className={look.suggested} style={{ left: `${positionOf(scale, suggested) * 100}%` }} />
          )}
          <span className={look.line} />
          <span className={look.done} style={{ width: `${at * 100}%` }} />
          <svg className={look.thumb} style={{ left: `${at * 100}%` }} viewBox="0 0 12 13" aria-hidden="true">
            <path d="M6 0l6 7v6H0V7z" />
          </svg>
        </div>
      </div>
      <div className={look.names}>
        {stops.map((stop) => (
          <span
            key={stop.value}
            style={{ left: `${positionOf(scale, stop.value) * 100}%` }}
            data-on={Math.abs(positionOf(scale, stop.value) - at) < 0.005 || undefined}
          >
            {stop.label}
          </span>
        ))}
      </div>
    </div>
  );
}
