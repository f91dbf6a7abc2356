// A step as a card: its head with grip and number, and, when open, the form its method's card describes.
import { IconChevronDown, IconChevronUp, IconGripVertical, IconTrash } from '@tabler/icons-react';
import { type RefObject, useState } from 'react';
import type { MethodCard } from '../../../contract/words/method';
import type { Recipe, Step, Suggestion } from '../../../contract/words/recipe';
import { plural } from '../../format';
import { Card } from '../../parts/card';
import { TextAction } from '../../parts/text-action';
import { isShown, setParameter, settingOf } from './document';
import { ParameterField } from './parameter-field';
import { StepLayers } from './step-layers';
import look from './steps.module.css';

interface StepHeadProps {
  index: number;
  step: Step;
  card: MethodCard | undefined;
  open: boolean;
  summary: string;
  grip: RefObject<HTMLButtonElement | null> | null;
  onToggle(): void;
  onMove(by: number): void;
  onDrag(on: boolean): void;
}

export function StepHead({ index, step, card, open, summary, grip, onToggle, onMove, onDrag }: StepHeadProps) {
  const title = card?.title ?? step.method;
  return (
    <div className={look.stepHead}>
      <button
        ref={grip}
        type="button"
        className={look.grip}
        draggable
        aria-label={`Move step ${index + 1}, ${title}, with the arrow keys`}
        onDragStart={() => onDrag(true)}
        onDragEnd={() => onDrag(false)}
        onKeyDown={(event) => {
          const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
          if (!by) return;
          event.preventDefault();
          event.stopPropagation();
          onMove(by);
        }}
      >
        <IconGripVertical size={14} aria-hidden="true" />
      </button>
      <span className={look.number} aria-hidden="true">
        {index + 1}
      </span>
      <button type="button" className={look.stepTitle} aria-expanded={open} onClick={onToggle}>
        <span>
          <b>{title}</b>
          <small>{summary}</small>
        </span>
        {open ? <IconChevronUp size={14} aria-hidden="true" /> : <IconChevronDown size={14} aria-hidden="true" />}
      </button>
    </div>
  );
}

/** Up to the first full stop or colon. */
export const firstSentence = (text: string): string => /^.*?[.:](?=\s|$)/.exec(text)?.[0] ?? text;

/** What the method does in a sentence; the rest is one click further. */
function MethodHelp({ card }: { card: MethodCard }) {
  const [whole, setWhole] = useState(false);
  const first = firstSentence(card.help);
  return (
    <p className={look.help}>
      {whole ? card.help : first}{' '}
      {first.length < card.help.length ? (
        <TextAction onClick={() => setWhole(!whole)}>{whole ? 'less' : 'more'}</TextAction>
      ) : null}
    </p>
  );
}

/** *conv_1*, *conv_1 and 12 more* */
const named = ([first, ...others]: readonly string[]): string =>
  others.length > 0 ? `${first} and ${others.length} more` : (first ?? '');

/** Warnings beyond these are counted in one line. */
const mostWarnings = 3;

export interface StepWarning {
  text: string;
  layers: readonly string[];
}

interface StepFormProps {
  recipe: Recipe;
  index: number;
  card: MethodCard;
  warnings: readonly StepWarning[];
  suggestions: readonly Suggestion[];
  onChange(next: Recipe, key?: string): void;
  onRemove(): void;
}

export function StepForm({ recipe, index, card, warnings, suggestions, onChange, onRemove }: StepFormProps) {
  const step = recipe.steps[index];
  if (!step) return null;
  const apart = (id: string) => Object.values(step.overrides ?? {}).filter((own) => own[id] !== undefined).length;
  return (
    <div className={look.form}>
      <MethodHelp card={card} />
      {card.params
        .filter((parameter) => isShown(step, parameter, card))
        .map((parameter) => (
          <ParameterField
            key={parameter.id}
            parameter={parameter}
            value={settingOf(step, parameter)}
            note={apart(parameter.id) > 0 ? `${plural(apart(parameter.id), 'layer')} overridden` : null}
            suggestion={suggestions.find((each) => each.step === index && each.parameter === parameter.id) ?? null}
            onChange={(value) => onChange(setParameter(recipe, index, parameter, value), `${index}.${parameter.id}`)}
          />
        ))}
      <StepLayers recipe={recipe} index={index} card={card} onChange={onChange} />
      {warnings.slice(0, mostWarnings).map((warning) => (
        <Card key={warning.text} title={firstSentence(warning.text)}>
          {warning.text.slice(firstSentence(warning.text).length).trim()}{' '}
          <span className={look.warned}>{named(warning.layers)}</span>
        </Card>
      ))}
      {warnings.length > mostWarnings ? (
        <p className={look.help}>{plural(warnings.length - mostWarnings, 'more warning')}, at their layers.</p>
      ) : null}
      <div className={look.formFoot}>
        <TextAction danger onClick={onRemove}>
          <IconTrash size={14} aria-hidden="true" /> Remove this step
        </TextAction>
      </div>
    </div>
  );
}
