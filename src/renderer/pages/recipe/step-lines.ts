// A recipe in lines a person compares: every step with its settings, defaults filled in; what it leaves out and sets apart.
import type { MethodCard, ParameterValue } from '../../../contract/words/method';
import type { Recipe, Step } from '../../../contract/words/recipe';
import { isShown, settingOf } from './document';

const printed = (id: string, value: ParameterValue): string =>
  typeof value === 'boolean' ? (value ? id : `not ${id}`) : `${id} ${value}`;

function settings(step: Step, card: MethodCard | undefined): string {
  if (!card)
    return Object.entries(step.params)
      .map(([id, value]) => printed(id, value))
      .join(' · ');
  return card.params
    .filter((parameter) => isShown(step, parameter, card))
    .map((parameter) => printed(parameter.id, settingOf(step, parameter)))
    .join(' · ');
}

/** *weight-only  bits 4 · groupSize 32*, then one line for each pattern. */
export function stepLines(recipe: Recipe, cards: readonly MethodCard[]): string[] {
  return recipe.steps.flatMap((step) => {
    const card = cards.find((each) => each.id === step.method);
    const { include, exclude = [] } = step.layers ?? {};
    return [
      `${step.method}  ${settings(step, card)}`.trimEnd(),
      ...(include ? [`  only ${include.join(', ')}`] : []),
      ...exclude.map((glob) => `  without ${glob}`),
      ...Object.entries(step.overrides ?? {}).map(
        ([glob, own]) =>
          `  ${glob}  ${Object.entries(own)
            .map(([id, value]) => printed(id, value))
            .join(' · ')}`,
      ),
    ];
  });
}
