// The steps of the recipe: method cards that open into forms, can be reordered, and a menu of methods to add.
import { ActionIcon, Button, Menu } from '@mantine/core';
import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconChevronDown,
  IconChevronUp,
  IconGripVertical,
  IconPlus,
  IconTrash,
} from '@tabler/icons-react';
import { type DragEvent, useState } from 'react';
import type { MethodCard } from '../../../contract/words/method';
import type { Recipe, RunForecast, Step } from '../../../contract/words/recipe';
import { plural } from '../../format';
import { Card } from '../../parts/card';
import { Panel } from '../../parts/panel';
import { TextAction } from '../../parts/text-action';
import { addStep, isShown, moveStep, removeStep, setParameter, settingOf } from './document';
import { ParameterField } from './parameter-field';
import look from './recipe.module.css';
import type { RecipeEditing } from './use-recipe';

interface StepsProps {
  editing: RecipeEditing;
  cards: readonly MethodCard[];
  forecast: RunForecast | null;
  open: number;
  onOpen(index: number): void;
  foot: string;
}

const families: Record<MethodCard['family'], string> = {
  quantize: 'Quantize',
  precondition: 'Prepare',
  prune: 'Prune',
  factorise: 'Factorise',
  adapt: 'Adapt',
  train: 'Train',
};

export function Steps({ editing, cards, forecast, open, onOpen, foot }: StepsProps) {
  const { recipe, set } = editing;
  const [dragged, setDragged] = useState<number | null>(null);
  const move = (from: number, to: number) => {
    set(moveStep(recipe, from, to));
    onOpen(to);
  };
  const drop = (at: number) => (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    if (dragged !== null && dragged !== at) move(dragged, at);
    setDragged(null);
  };
  return (
    <Panel
      title="Steps"
      tools={
        <>
          <ActionIcon
            variant="subtle"
            size={24}
            aria-label="Undo"
            disabled={!editing.undo}
            onClick={() => editing.undo?.()}
          >
            <IconArrowBackUp size={16} />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            size={24}
            aria-label="Redo"
            disabled={!editing.redo}
            onClick={() => editing.redo?.()}
          >
            <IconArrowForwardUp size={16} />
          </ActionIcon>
        </>
      }
      foot={foot}
    >
      <div className={look.well}>
        <ol className={look.steps}>
          {recipe.steps.map((step, index) => {
            const card = cards.find((each) => each.id === step.method);
            return (
              <li
                // biome-ignore lint/suspicious/noArrayIndexKey: a step is its place in the recipe
                key={index}
                data-open={index === open || undefined}
                className={look.step}
                onDragOver={(event) => dragged !== null && event.preventDefault()}
                onDrop={drop(index)}
              >
                <StepHead
                  index={index}
                  step={step}
                  card={card}
                  open={index === open}
                  summary={summaryOf(recipe, index, forecast)}
                  onToggle={() => onOpen(index === open ? -1 : index)}
                  onMove={(by) => move(index, index + by)}
                  onDrag={(on) => setDragged(on ? index : null)}
                />
                {index === open && card ? (
                  <StepForm
                    step={step}
                    card={card}
                    warnings={warningsOf(forecast, card.id)}
                    onChange={(parameter, value) =>
                      set(setParameter(recipe, index, parameter, value), `${index}.${parameter.id}`)
                    }
                    onRemove={() => {
                      set(removeStep(recipe, index));
                      onOpen(Math.max(0, index - 1));
                    }}
                  />
                ) : null}
              </li>
            );
          })}
        </ol>
        <Menu position="bottom-start" width="target">
          <Menu.Target>
            <Button fullWidth className={look.add} leftSection={<IconPlus size={16} />}>
              Add a step
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {Object.entries(families).map(([family, title]) => {
              const members = cards.filter((card) => card.family === family);
              return members.length === 0 ? null : (
                <div key={family}>
                  <Menu.Label>{title}</Menu.Label>
                  {members.map((card) => (
                    <Menu.Item
                      key={card.id}
                      onClick={() => {
                        set(addStep(recipe, card));
                        onOpen(recipe.steps.length);
                      }}
                    >
                      <b>{card.title}</b>
                      <div className={look.menuHelp}>{card.help}</div>
                    </Menu.Item>
                  ))}
                </div>
              );
            })}
          </Menu.Dropdown>
        </Menu>
      </div>
    </Panel>
  );
}

/** *21 layers; 6 with their own settings; 2 kept* */
function summaryOf(recipe: Recipe, index: number, forecast: RunForecast | null): string {
  const step = recipe.steps[index];
  if (!step) return '';
  const own = Object.keys(step.overrides ?? {}).length;
  const taken = forecast?.layers.filter((layer) => layer.methods.includes(step.method)).length;
  const words = [
    taken === undefined ? null : plural(taken, 'layer'),
    own > 0 ? `${own} with their own settings` : null,
  ];
  return words.filter(Boolean).join('; ');
}

/** Warnings the forecast gives for layers this method acts on, each once. */
function warningsOf(forecast: RunForecast | null, method: string): string[] {
  const all = (forecast?.layers ?? [])
    .filter((layer) => layer.methods.includes(method))
    .flatMap((layer) => layer.warnings);
  return [...new Set(all)];
}

interface StepHeadProps {
  index: number;
  step: Step;
  card: MethodCard | undefined;
  open: boolean;
  summary: string;
  onToggle(): void;
  onMove(by: number): void;
  onDrag(on: boolean): void;
}

function StepHead({ index, step, card, open, summary, onToggle, onMove, onDrag }: StepHeadProps) {
  const title = card?.title ?? step.method;
  return (
    <div className={look.stepHead}>
      <button
        type="button"
        className={look.grip}
        draggable
        aria-label={`Move step ${index + 1}, ${title}: arrow keys`}
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
const firstSentence = (text: string): string => /^.*?[.:](?=\s|$)/.exec(text)?.[0] ?? text;

interface StepFormProps {
  step: Step;
  card: MethodCard;
  warnings: readonly string[];
  onChange(parameter: MethodCard['params'][number], value: number | string | boolean): void;
  onRemove(): void;
}

function StepForm({ step, card, warnings, onChange, onRemove }: StepFormProps) {
  const overridden = (id: string) => Object.values(step.overrides ?? {}).filter((own) => own[id] !== undefined).length;
  return (
    <div className={look.form}>
      <p className={look.help}>{card.help}</p>
      {card.params
        .filter((parameter) => isShown(step, parameter, card))
        .map((parameter) => (
          <ParameterField
            key={parameter.id}
            parameter={parameter}
            value={settingOf(step, parameter)}
            note={overridden(parameter.id) > 0 ? `${plural(overridden(parameter.id), 'layer')} overridden` : null}
            onChange={(value) => onChange(parameter, value)}
          />
        ))}
      {warnings.map((warning) => (
        <Card key={warning} title={firstSentence(warning)}>
          {warning.slice(firstSentence(warning).length).trim()}
        </Card>
      ))}
      <div className={look.formFoot}>
        <TextAction danger onClick={onRemove}>
          <IconTrash size={14} aria-hidden="true" /> Remove this step
        </TextAction>
      </div>
    </div>
  );
}
