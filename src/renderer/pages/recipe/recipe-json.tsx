// The recipe as JSON: always in step with the form; copied, saved, read back from a file or typed. A refusal points at its place.
import { ActionIcon, Textarea, Tooltip } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconCopy, IconDownload, IconPencil, IconUpload } from '@tabler/icons-react';
import { type ReactNode, useRef, useState } from 'react';
import type { Recipe } from '../../../contract/words/recipe';
import type { Refusal } from '../../../contract/words/refusal';
import { api, refusalOf } from '../../api';
import { saveText } from '../../download';
import { RefusalCard } from '../../parts/card';
import { TextAction } from '../../parts/text-action';
import { remembered } from '../../remembered';
import { useLow } from '../../window-size';
import look from './json.module.css';
import { lineAndColumn, rangeOf } from './place-in-json';
import { printRecipe, tokensOf } from './print-recipe';

interface RecipeJsonProps {
  recipe: Recipe;
  /** Lines that name this layer are marked. */
  layer: string | null;
  onReplace(next: Recipe): void;
}

interface Problem extends Refusal {
  /** Start and end in the text, where it could be found. */
  range: [number, number] | null;
}

/** What the parser said, as a refusal: where it stopped, if it tells. */
function notJson(source: string, error: SyntaxError): Problem {
  const at = Number(/position (\d+)/.exec(error.message)?.[1] ?? Number.NaN);
  const found = Number.isFinite(at);
  const { line, column } = lineAndColumn(source, found ? at : source.length);
  return {
    code: 'bad-recipe',
    sentence: `This is not JSON. Line ${line}, column ${column} cannot be read.`,
    range: [found ? at : source.length, found ? at + 1 : source.length],
  };
}

export function RecipeJson({ recipe, layer, onReplace }: RecipeJsonProps) {
  const low = useLow();
  const [open, setOpen] = useState(() => (remembered.get('recipe.json') ?? (low ? 'closed' : 'open')) !== 'closed');
  const [draft, setDraft] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const file = useRef<HTMLInputElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const text = printRecipe(recipe);

  const show = (range: [number, number] | null) => {
    if (!range) return;
    field.current?.focus();
    field.current?.setSelectionRange(...range);
  };
  const refuse = (source: string, found: Problem) => {
    setDraft(source);
    setProblem(found);
    requestAnimationFrame(() => show(found.range));
  };
  const read = async (source: string) => {
    try {
      onReplace(await api.recipes.check({ recipe: JSON.parse(source) }));
      setDraft(null);
      setProblem(null);
    } catch (error) {
      if (error instanceof SyntaxError) return refuse(source, notJson(source, error));
      const refusal = refusalOf(error);
      refuse(source, { ...refusal, range: refusal.place ? rangeOf(source, refusal.place) : null });
    }
  };
  const leave = () => {
    setDraft(null);
    setProblem(null);
  };
  const toggle = () => {
    remembered.set('recipe.json', open ? 'closed' : 'open');
    setOpen(!open);
  };
  const tool = (label: string, icon: ReactNode, act: () => void) => (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} onClick={act}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
  return (
    <section className={look.json} aria-label="The recipe as JSON">
      <div className={look.head}>
        <b>recipe.json</b>
        <span className={look.clause}>kept in step with the form</span>
        <span className={look.grow} />
        {tool('Copy the recipe', <IconCopy size={14} />, () => void navigator.clipboard.writeText(text))}
        {tool('Save the recipe', <IconDownload size={14} />, () =>
          saveText('recipe.json', `${text}\n`, 'application/json'),
        )}
        {tool('Read a recipe from a file', <IconUpload size={14} />, () => file.current?.click())}
        {tool('Type the recipe', <IconPencil size={14} />, () => setDraft(text))}
        {tool(
          open ? 'Hide the recipe' : 'Show the recipe',
          open ? <IconChevronDown size={14} /> : <IconChevronUp size={14} />,
          toggle,
        )}
        <input
          ref={file}
          type="file"
          accept=".json,application/json"
          hidden
          onChange={async (event) => {
            const chosen = event.currentTarget.files?.[0];
            event.currentTarget.value = '';
            if (chosen) await read(await chosen.text());
          }}
        />
      </div>
      {draft !== null ? (
        <div className={look.edit}>
          <Textarea
            ref={field}
            aria-label="Recipe as JSON"
            aria-invalid={problem !== null}
            classNames={{ input: 'mono' }}
            value={draft}
            autosize
            minRows={6}
            maxRows={12}
            spellCheck={false}
            onChange={(event) => setDraft(event.currentTarget.value)}
          />
          {problem ? (
            <div role="alert">
              <RefusalCard
                refusal={problem}
                act={problem.range ? { label: 'Show the place', act: () => show(problem.range) } : null}
              />
            </div>
          ) : null}
          <div className={look.choices}>
            <TextAction onClick={() => void read(draft)}>Use this recipe</TextAction>
            <TextAction onClick={leave}>Leave it</TextAction>
          </div>
        </div>
      ) : open ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: long recipes scroll, so the keyboard must reach them
        <pre className={look.text} tabIndex={0}>
          {text.split('\n').map((line, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
            <span key={at} data-here={(layer && line.includes(JSON.stringify(layer))) || undefined}>
              {tokensOf(line).map((token, place) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a word is its place
                <i key={place} data-kind={token.kind}>
                  {token.text}
                </i>
              ))}
            </span>
          ))}
        </pre>
      ) : null}
    </section>
  );
}
