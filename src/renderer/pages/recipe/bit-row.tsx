// A row of the bit matrix: five widths on one line, the chosen one in its precision's colour. A radio group; only the chosen row is a stop for Tab.
import type { KeyboardEvent, PointerEvent } from 'react';
import type { Layer } from '../../../contract/words/model';
import type { LayerPlan } from '../../../contract/words/recipe';
import { onPrecision, precisionOf } from '../../precision';
import look from './matrix.module.css';

export const bitColumns = [32, 16, 8, 4, 2] as const;

/** The nearest column of a width: 32 for what is kept in float. */
const columnOf = (bits: number) =>
  bitColumns.reduce((best, each) => (Math.abs(each - bits) < Math.abs(best - bits) ? each : best));

interface BitRowProps {
  layer: Layer;
  /** Undefined while it is being worked out; null where the recipe is refused and nothing will be done. */
  plan: LayerPlan | null | undefined;
  /** The row Tab leads to. */
  stop: boolean;
  canTake(bits: number): boolean;
  onPick(bits: number): void;
  /** The pointer went down on a cell: a way down the column paints the rows it passes. */
  onPaint(bits: number): void;
  onPass(): void;
}

export function BitRow({ layer, plan, stop, canTake, onPick, onPaint, onPass }: BitRowProps) {
  const after = plan?.methods.length ? plan.bitsAfter : layer.bits;
  const chosen = plan === undefined ? null : columnOf(after);

  const walk = (event: KeyboardEvent<HTMLElement>) => {
    const aside = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const down = { ArrowUp: 'previousElementSibling', ArrowDown: 'nextElementSibling' }[event.key];
    if (aside && chosen !== null) {
      const from = bitColumns.indexOf(chosen);
      const next = bitColumns.filter((bits, at) => (at - from) * aside > 0 && canTake(bits));
      const to = aside > 0 ? next[0] : next.at(-1);
      if (to !== undefined) onPick(to);
    } else if (down) {
      const row = event.currentTarget.closest('tr')?.[down as 'nextElementSibling'];
      const radio = row?.querySelector<HTMLElement>('[role="radio"][aria-checked="true"]');
      radio?.focus();
      row?.querySelector<HTMLElement>('th')?.click();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const press = (bits: number) => (event: PointerEvent) => {
    if (event.button !== 0) return;
    event.currentTarget.releasePointerCapture(event.pointerId);
    onPaint(bits);
  };

  return (
    <div
      className={look.bits}
      role="radiogroup"
      aria-label={`Bits of ${layer.name}`}
      onKeyDown={walk}
      onPointerEnter={onPass}
    >
      {bitColumns.map((bits) => {
        const on = bits === chosen;
        return (
          // biome-ignore lint/a11y/useSemanticElements: a radio drawn as a cell of the matrix
          <button
            key={bits}
            type="button"
            role="radio"
            aria-checked={on}
            aria-label={bits === 32 ? 'Keep as it is' : `${bits} bits`}
            tabIndex={on && stop ? 0 : -1}
            disabled={!on && !canTake(bits)}
            onPointerDown={press(bits)}
            onClick={(event) => {
              event.stopPropagation();
              if (!on) onPick(bits);
            }}
          >
            {on ? (
              <i style={{ background: `var(--l-${precisionOf(bits)})`, color: onPrecision(precisionOf(bits)) }}>
                {Math.round(after)}
              </i>
            ) : (
              <i data-tick />
            )}
          </button>
        );
      })}
    </div>
  );
}
