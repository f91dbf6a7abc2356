// Why the recipe cannot run: said where the figures would stand, with the mend that does it.
import type { MethodCard } from '../../../contract/words/method';
import type { LibraryModel } from '../../../contract/words/model';
import type { Recipe, RunForecast } from '../../../contract/words/recipe';
import type { Refusal } from '../../../contract/words/refusal';
import { Card, RefusalCard } from '../../parts/card';
import { TextAction } from '../../parts/text-action';
import { headAndReason } from '../../refusal-words';
import { DatasetOffer } from './dataset-offer';
import look from './hero.module.css';
import { mendOf, stepOf } from './mend';

export type Why =
  | { kind: 'empty' }
  /** The machine is short of memory or disk, in the forecast's words. */
  | { kind: 'short'; sentences: readonly string[] }
  | { kind: 'refused'; refusal: Refusal };

/** Null when nothing is known to stand in the way. */
export function whyNot(
  model: LibraryModel,
  recipe: Recipe,
  refusal: Refusal | null,
  forecast: RunForecast | null,
  start: Refusal | null,
): Why | null {
  if (model.refusal) return { kind: 'refused', refusal: model.refusal as Refusal };
  if (recipe.steps.length === 0) return { kind: 'empty' };
  if (start) return { kind: 'refused', refusal: start };
  if (refusal) return { kind: 'refused', refusal };
  if (forecast && !forecast.possible) return { kind: 'short', sentences: forecast.sentences };
  return null;
}

interface WhyNotProps {
  why: Why;
  hasDataset: boolean;
  recipe: Recipe;
  cards: readonly MethodCard[];
  onMend(next: Recipe): void;
  onOpen(step: number): void;
}

export function WhyNot({ why, hasDataset, recipe, cards, onMend, onOpen }: WhyNotProps) {
  switch (why.kind) {
    case 'empty':
      return (
        <Card title="The recipe has no step.">
          Nothing would be done to the model. Add a step, and its effect stands here.
        </Card>
      );
    case 'short':
      return <Card title="This run cannot start here.">{why.sentences.join(' ')}</Card>;
    case 'refused': {
      const mend = mendOf(recipe, why.refusal, cards);
      const step = stepOf(why.refusal.place);
      const [head, reason] = headAndReason(why.refusal);
      return (
        <>
          {why.refusal.code === 'bad-dataset' ? (
            <Card title={head}>
              {hasDataset ? `${reason} ${why.refusal.mend ?? ''} ` : ''}
              <DatasetOffer
                label={hasDataset ? 'Choose another dataset' : 'Choose a dataset'}
                verb={hasDataset ? '' : 'it can learn from'}
              />
            </Card>
          ) : (
            <RefusalCard
              refusal={why.refusal}
              act={mend ? { label: mend.label, act: () => onMend(mend.next) } : null}
            />
          )}
          {step !== null && recipe.steps.length > 1 ? (
            <p className={look.where}>
              <TextAction onClick={() => onOpen(step)}>Open step {step + 1}</TextAction>
            </p>
          ) : null}
        </>
      );
    }
    default:
      return why satisfies never;
  }
}
