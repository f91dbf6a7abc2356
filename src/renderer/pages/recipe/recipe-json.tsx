// The recipe as JSON: always in sight, copied, saved, read back from a file or typed.
import { ActionIcon, Textarea, Tooltip } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconCopy, IconDownload, IconPencil, IconUpload } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import type { Recipe } from '../../../contract/words/recipe';
import { api, refusalOf } from '../../api';
import { TextAction } from '../../parts/text-action';
import { remembered } from '../../remembered';
import look from './recipe.module.css';

/** Short arrays and objects stay on one line. */
export function printRecipe(recipe: Recipe): string {
  return JSON.stringify(recipe, null, 2).replace(/[[{][^[\]{}]*[\]}]/g, (flat) => {
    const one = flat.replace(/\s+/g, ' ');
    return one.length <= 56 ? one : flat;
  });
}

export function RecipeJson({ recipe, onReplace }: { recipe: Recipe; onReplace(next: Recipe): void }) {
  const [open, setOpen] = useState(() => remembered.get('recipe.json') !== 'closed');
  const [draft, setDraft] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const file = useRef<HTMLInputElement>(null);
  const text = printRecipe(recipe);

  const read = async (source: string) => {
    try {
      onReplace(await api.recipes.check({ recipe: JSON.parse(source) }));
      setDraft(null);
      setProblem(null);
    } catch (error) {
      setDraft(source);
      setProblem(error instanceof SyntaxError ? 'This is not JSON.' : refusalOf(error).sentence);
    }
  };
  const save = () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([`${text}\n`], { type: 'application/json' }));
    link.download = 'recipe.json';
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const toggle = () => {
    remembered.set('recipe.json', open ? 'closed' : 'open');
    setOpen(!open);
  };
  return (
    <div className={look.json}>
      <div className={look.jsonHead}>
        <b>recipe.json</b>
        <span>kept in step with the form</span>
        <span className={look.grow} />
        <Tool
          label="Copy the recipe"
          act={() => void navigator.clipboard.writeText(text)}
          icon={<IconCopy size={14} />}
        />
        <Tool label="Save the recipe" act={save} icon={<IconDownload size={14} />} />
        <Tool label="Read a recipe from a file" act={() => file.current?.click()} icon={<IconUpload size={14} />} />
        <Tool label="Type the recipe" act={() => setDraft(text)} icon={<IconPencil size={14} />} />
        <Tool
          label={open ? 'Hide the recipe' : 'Show the recipe'}
          act={toggle}
          icon={open ? <IconChevronDown size={14} /> : <IconChevronUp size={14} />}
        />
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
        <div className={look.jsonEdit}>
          <Textarea
            aria-label="Recipe as JSON"
            classNames={{ input: 'mono' }}
            value={draft}
            autosize
            minRows={6}
            maxRows={14}
            error={problem}
            onChange={(event) => setDraft(event.currentTarget.value)}
          />
          <TextAction onClick={() => void read(draft)}>Use this recipe</TextAction>
          <TextAction
            onClick={() => {
              setDraft(null);
              setProblem(null);
            }}
          >
            Leave it
          </TextAction>
        </div>
      ) : open ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: long recipes scroll, so the keyboard must reach them
        <pre className={look.jsonText} tabIndex={0}>
          {text}
        </pre>
      ) : null}
    </div>
  );
}

const Tool = ({ label, act, icon }: { label: string; act(): void; icon: React.ReactNode }) => (
  <Tooltip label={label}>
    <ActionIcon variant="subtle" size={24} aria-label={label} onClick={act}>
      {icon}
    </ActionIcon>
  </Tooltip>
);
