// The steps of the recipe in their order: moved by drag or arrow keys, added, removed, undone; and the recipe's name.
import { ActionIcon, Button, Menu, TextInput, Tooltip } from '@mantine/core';
import { IconArrowBackUp, IconArrowForwardUp, IconPlus } from '@tabler/icons-react';
import { type DragEvent, useEffect, useRef, useState } from 'react';
import type { MethodCard } from '../../../contract/words/method';
import type { Recipe, RunForecast } from '../../../contract/words/recipe';
import { plural } from '../../format';
import { keyCaps } from '../../keys';
import { Panel } from '../../parts/panel';
import { addStep, moveStep, removeStep, setName, whatItDoes } from './document';
import { firstSentence, StepForm, StepHead, type StepWarning } from './step-card';
import look from './steps.module.css';
import type { RecipeEditing } from './use-recipe';

interface StepsProps {
  editing: RecipeEditing;
  cards: readonly MethodCard[];
  forecast: RunForecast | null;
  open: number;
  onOpen(index: number): void;
}

const families: Record<MethodCard['family'], string> = {
  quantize: 'Quantize',
  precondition: 'Prepare',
  prune: 'Prune',
  factorise: 'Factorise',
  adapt: 'Adapt',
  train: 'Train',
};

export function Steps({ editing, cards, forecast, open, onOpen }: StepsProps) {
  const { recipe, set } = editing;
  const [dragged, setDragged] = useState<number | null>(null);
  const [over, setOver] = useState<number | null>(null);
  const [said, setSaid] = useState('');
  // The grip that was moved by keyboard keeps the focus at its new place.
  const [moved, setMoved] = useState<number | null>(null);
  const grip = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (moved !== null) grip.current?.focus();
  }, [moved]);

  const move = (from: number, to: number, byKey: boolean) => {
    if (to < 0 || to >= recipe.steps.length) return;
    set(moveStep(recipe, from, to));
    // The open step stays open wherever it goes.
    if (open === from) onOpen(to);
    else if (open > from && open <= to) onOpen(open - 1);
    else if (open < from && open >= to) onOpen(open + 1);
    setMoved(byKey ? to : null);
    setSaid(`Step ${from + 1} is now step ${to + 1} of ${recipe.steps.length}.`);
  };
  const drop = (at: number) => (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    if (dragged !== null && dragged !== at) move(dragged, at, false);
    setDragged(null);
    setOver(null);
  };
  return (
    <Panel title="Steps" tools={<UndoRedo editing={editing} />} foot={<Name editing={editing} cards={cards} />}>
      <div className={look.well}>
        <ol className={look.steps}>
          {recipe.steps.map((step, index) => {
            const card = cards.find((each) => each.id === step.method);
            return (
              <li
                // biome-ignore lint/suspicious/noArrayIndexKey: a step is its place in the recipe
                key={index}
                data-open={index === open || undefined}
                data-over={dragged !== null && over === index && over !== dragged ? sideOf(dragged, index) : undefined}
                className={look.step}
                onDragOver={(event) => {
                  if (dragged === null) return;
                  event.preventDefault();
                  setOver(index);
                }}
                onDrop={drop(index)}
              >
                <StepHead
                  index={index}
                  step={step}
                  card={card}
                  open={index === open}
                  summary={summaryOf(recipe, index, forecast)}
                  grip={index === moved ? grip : null}
                  onToggle={() => onOpen(index === open ? -1 : index)}
                  onMove={(by) => move(index, index + by, true)}
                  onDrag={(on) => setDragged(on ? index : null)}
                />
                {index === open && card ? (
                  <StepForm
                    recipe={recipe}
                    index={index}
                    card={card}
                    warnings={warningsOf(forecast, card.id)}
                    suggestions={forecast?.suggestions ?? []}
                    onChange={set}
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
        {recipe.steps.length === 0 ? (
          <p className={look.none}>No step yet. Each step is one method; they are taken in their order.</p>
        ) : null}
        <AddStep
          cards={cards}
          onAdd={(card) => {
            set(addStep(recipe, card));
            onOpen(recipe.steps.length);
          }}
        />
        <span className="sr" aria-live="polite">
          {said}
        </span>
      </div>
    </Panel>
  );
}

const sideOf = (from: number, to: number) => (to > from ? 'after' : 'before');

function UndoRedo({ editing }: { editing: RecipeEditing }) {
  const keys = (text: string) => keyCaps(text).join(' ');
  return (
    <>
      <Tooltip label={`Undo, ${keys('mod+z')}`}>
        <ActionIcon aria-label="Undo" disabled={!editing.undo} onClick={() => editing.undo?.()}>
          <IconArrowBackUp size={16} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label={`Redo, ${keys('mod+shift+z')}`}>
        <ActionIcon aria-label="Redo" disabled={!editing.redo} onClick={() => editing.redo?.()}>
          <IconArrowForwardUp size={16} />
        </ActionIcon>
      </Tooltip>
    </>
  );
}

function Name({ editing, cards }: { editing: RecipeEditing; cards: readonly MethodCard[] }) {
  const { recipe, set } = editing;
  return (
    <TextInput
      className={look.name ?? ''}
      aria-label="Name of the recipe"
      leftSection={<span className={look.nameLabel}>Name</span>}
      leftSectionWidth={52}
      placeholder={whatItDoes(recipe, cards) || 'by what it does'}
      maxLength={200}
      value={recipe.name ?? ''}
      onChange={(event) => set(setName(recipe, event.currentTarget.value), 'name')}
    />
  );
}

function AddStep({ cards, onAdd }: { cards: readonly MethodCard[]; onAdd(card: MethodCard): void }) {
  return (
    <Menu position="bottom-start" width="target">
      <Menu.Target>
        <Button fullWidth className={look.add ?? ''} leftSection={<IconPlus size={16} />}>
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
                <Menu.Item key={card.id} onClick={() => onAdd(card)}>
                  <b>{card.title}</b>
                  <div className={look.menuHelp}>{firstSentence(card.help)}</div>
                </Menu.Item>
              ))}
            </div>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}

/** *21 layers; 6 apart; 2 left out* */
function summaryOf(recipe: Recipe, index: number, forecast: RunForecast | null): string {
  const step = recipe.steps[index];
  if (!step) return '';
  const own = Object.keys(step.overrides ?? {}).length;
  const taken = forecast?.layers.filter((layer) => layer.methods.includes(step.method)).length;
  const refused = forecast?.layers.filter((layer) => layer.methods.length === 0 && layer.refusal).length ?? 0;
  const words = [
    taken === undefined ? null : plural(taken, 'layer'),
    own > 0 ? `${own} with their own settings` : null,
    refused > 0 && recipe.steps.length === 1 ? `${refused} kept` : null,
  ];
  return words.filter(Boolean).join('; ') || '\u00a0';
}

/** Warnings the forecast gives for layers this method acts on, each once, with the layers it is about. */
function warningsOf(forecast: RunForecast | null, method: string): StepWarning[] {
  const warnings = new Map<string, string[]>();
  for (const layer of forecast?.layers ?? [])
    if (layer.methods.includes(method))
      for (const text of layer.warnings) warnings.set(text, [...(warnings.get(text) ?? []), layer.name]);
  return [...warnings].map(([text, layers]) => ({ text, layers }));
}
