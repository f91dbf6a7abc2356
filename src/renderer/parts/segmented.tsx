// Segmented control: up to five choices. Selected is ink on surface; when it picks a precision, selected takes that precision's colour.
import { type KeyboardEvent, type ReactNode, useRef } from 'react';
import { onPrecision, precisionOf } from '../precision';
import look from './segmented.module.css';

export interface Segment<Value extends string | number> {
  value: Value;
  label: ReactNode;
  disabled?: boolean;
  /** Spoken name where the label is short. */
  name?: string;
}

export interface SegmentedProps<Value extends string | number> {
  label: string;
  segments: readonly Segment<Value>[];
  value: Value | null;
  onChange(value: Value): void;
  /** The values are bits: colour the chosen one as its precision. */
  precision?: boolean;
  disabled?: boolean;
}

export function Segmented<Value extends string | number>(props: SegmentedProps<Value>) {
  const { label, segments, value, onChange, precision, disabled } = props;
  const group = useRef<HTMLDivElement>(null);
  const chosen = segments.findIndex((segment) => segment.value === value);

  const walk = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    for (let at = chosen + step; at >= 0 && at < segments.length; at += step) {
      const next = segments[at];
      if (!next || next.disabled) continue;
      onChange(next.value);
      group.current?.querySelectorAll('button')[at]?.focus();
      return;
    }
  };

  return (
    <div className={look.group} role="radiogroup" aria-label={label} ref={group} onKeyDown={walk}>
      {segments.map((segment, at) => {
        const on = at === chosen;
        const bits = precision && on ? precisionOf(Number(segment.value)) : null;
        return (
          // biome-ignore lint/a11y/useSemanticElements: a radio drawn as a segment; arrow keys walk as ARIA asks
          <button
            key={String(segment.value)}
            type="button"
            role="radio"
            aria-checked={on}
            aria-label={segment.name}
            tabIndex={on || (chosen < 0 && at === 0) ? 0 : -1}
            disabled={disabled || segment.disabled}
            className={look.segment}
            style={bits ? { background: `var(--l-${bits})`, color: onPrecision(bits) } : undefined}
            onClick={() => onChange(segment.value)}
          >
            {segment.label}
          </button>
        );
      })}
    </div>
  );
}
