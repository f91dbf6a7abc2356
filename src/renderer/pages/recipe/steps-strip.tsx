// In narrow windows the steps are a 44 px strip of their numbers; a click opens them over the matrix.
import { IconListNumbers } from '@tabler/icons-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { MethodCard } from '../../../contract/words/method';
import type { Recipe } from '../../../contract/words/recipe';
import look from './recipe.module.css';

interface StripProps {
  recipe: Recipe;
  cards: readonly MethodCard[];
  open: number;
  onOpen(step: number): void;
  /** The steps themselves. */
  children: ReactNode;
}

export function StepsStrip({ recipe, cards, open, onOpen, children }: StripProps) {
  const [out, setOut] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!out) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented) {
        event.preventDefault();
        setOut(false);
      }
    };
    const onPress = (event: PointerEvent) => {
      const inside = event.target instanceof Node && frame.current?.contains(event.target);
      // A menu of the steps lies outside of them.
      const floating = event.target instanceof Element && event.target.closest('[data-portal]');
      if (!inside && !floating) setOut(false);
    };
    window.addEventListener('keydown', onKey, { capture: true });
    window.addEventListener('pointerdown', onPress);
    return () => {
      window.removeEventListener('keydown', onKey, { capture: true });
      window.removeEventListener('pointerdown', onPress);
    };
  }, [out]);
  const title = (method: string) => cards.find((card) => card.id === method)?.title ?? method;
  return (
    <div className={look.strip} ref={frame}>
      <button type="button" aria-expanded={out} aria-label="Steps" onClick={() => setOut(!out)}>
        <IconListNumbers size={16} aria-hidden="true" />
      </button>
      {recipe.steps.map((step, index) => (
        <button
          // biome-ignore lint/suspicious/noArrayIndexKey: a step is its place in the recipe
          key={index}
          type="button"
          data-on={index === open || undefined}
          aria-label={`Step ${index + 1}, ${title(step.method)}`}
          onClick={() => {
            onOpen(index);
            setOut(true);
          }}
        >
          <i>{index + 1}</i>
          <span>{title(step.method)}</span>
        </button>
      ))}
      {out ? <div className={look.stripOut}>{children}</div> : null}
    </div>
  );
}
