// Keys and palette of the Recipe page: run, undo, the five widths for the selection, steps to add.
import { useMemo } from 'react';
import type { MethodCard } from '../../../contract/words/method';
import type { RunForecast } from '../../../contract/words/recipe';
import { type Action, useActions } from '../../actions';
import { plural, roughDuration } from '../../format';
import { useShortcut } from '../../keys';
import { bitColumns } from './bit-row';
import { addStep, setBits, widthsOf } from './document';
import type { RecipeEditing } from './use-recipe';

interface KeysProps {
  editing: RecipeEditing;
  cards: readonly MethodCard[];
  /** The step the keys write to; -1 when there is none. */
  worked: number;
  chosen: readonly string[];
  forecast: RunForecast | null;
  blocked: boolean;
  run(): void;
  onOpen(step: number): void;
}

export function useRecipeKeys(props: KeysProps): void {
  const { editing, cards, worked, chosen, forecast, blocked, run, onOpen } = props;
  const { recipe, set } = editing;
  const card = cards.find((each) => each.id === recipe.steps[worked]?.method);
  useShortcut('r', 'Run the recipe', run, !blocked);
  useShortcut('mod+z', 'Undo', () => editing.undo?.());
  useShortcut('mod+shift+z', 'Redo', () => editing.redo?.());
  const widths = widthsOf(card);
  const put = (bits: number) => {
    if (card && chosen.length > 0) set(setBits(recipe, worked, card, chosen, bits));
  };
  const can = (bits: number) => card !== undefined && (bits === 32 || widths.includes(bits));
  const [one, two, three, four, five] = bitColumns;
  useShortcut('1', 'Keep the selection as it is', () => put(one), can(one));
  useShortcut('2', 'Selection in 16 bits', () => put(two), can(two));
  useShortcut('3', 'Selection in 8 bits', () => put(three), can(three));
  useShortcut('4', 'Selection in 4 bits', () => put(four), can(four));
  useShortcut('5', 'Selection in 2 bits', () => put(five), can(five));

  const actions = useMemo((): Action[] => {
    const which = chosen.length > 1 ? `these ${chosen.length} layers` : (chosen[0] ?? '');
    const taken = bitColumns
      .map((bits, at) => ({ bits, key: String(at + 1) }))
      .filter(({ bits }) => card && chosen.length > 0 && (bits === 32 || widthsOf(card).includes(bits)));
    return [
      ...(blocked
        ? []
        : [
            {
              id: 'recipe.run',
              group: 'Actions',
              label: 'Run the recipe',
              ...(forecast ? { detail: `about ${roughDuration(forecast.seconds)}` } : {}),
              keys: 'r',
              run,
            },
          ]),
      ...taken.map(({ bits, key }) => ({
        id: `recipe.bits.${bits}`,
        group: 'Layers',
        label: bits === 32 ? `Keep ${which} as it is` : `Put ${which} in ${bits} bits`,
        detail: `step ${worked + 1}`,
        keys: key,
        run: () => card && set(setBits(recipe, worked, card, chosen, bits)),
      })),
      ...cards.map((each) => ({
        id: `recipe.add.${each.id}`,
        group: 'Actions',
        label: `Add the step ${each.title}`,
        detail: plural(recipe.steps.length, 'step'),
        run: () => {
          set(addStep(recipe, each));
          onOpen(recipe.steps.length);
        },
      })),
    ];
  }, [blocked, forecast, run, chosen, card, worked, recipe, set, cards, onOpen]);
  useActions(actions);
}
