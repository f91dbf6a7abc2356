// Which layers a step takes, leaves out or treats apart, as the recipe says it; each mark can be taken away.
import { IconX } from '@tabler/icons-react';
import type { MethodCard, ParameterValue } from '../../../contract/words/method';
import type { Recipe } from '../../../contract/words/recipe';
import { TextAction } from '../../parts/text-action';
import { dropExclude, dropInclude, dropOverride } from './document';
import look from './steps.module.css';

interface StepLayersProps {
  recipe: Recipe;
  index: number;
  card: MethodCard;
  onChange(next: Recipe): void;
}

/** More marks than this are counted instead. */
const mostMarks = 8;

export function StepLayers({ recipe, index, card, onChange }: StepLayersProps) {
  const step = recipe.steps[index];
  const include = step?.layers?.include ?? [];
  const exclude = step?.layers?.exclude ?? [];
  const overrides = Object.entries(step?.overrides ?? {});
  return (
    <>
      <Marks
        label="Only"
        marks={include.map((glob) => ({ glob, drop: () => onChange(dropInclude(recipe, index, glob)) }))}
        onClear={() => onChange(include.reduce((next, glob) => dropInclude(next, index, glob), recipe))}
      />
      <Marks
        label="Leaves out"
        marks={exclude.map((glob) => ({ glob, drop: () => onChange(dropExclude(recipe, index, glob)) }))}
        onClear={() => onChange(exclude.reduce((next, glob) => dropExclude(next, index, glob), recipe))}
      />
      <Marks
        label="Apart"
        marks={overrides.map(([glob, own]) => ({
          glob,
          says: saying(own, card),
          drop: () => onChange(dropOverride(recipe, index, glob)),
        }))}
        onClear={() => onChange(overrides.reduce((next, [glob]) => dropOverride(next, index, glob), recipe))}
      />
    </>
  );
}

/** *8 bits, group size 64* */
function saying(own: Record<string, ParameterValue>, card: MethodCard): string {
  return Object.entries(own)
    .map(([id, value]) => {
      const parameter = card.params.find((each) => each.id === id);
      return parameter?.kind === 'choice' && parameter.precision
        ? `${value} bits`
        : `${(parameter?.label ?? id).toLowerCase()} ${value}`;
    })
    .join(', ');
}

interface Mark {
  glob: string;
  says?: string;
  drop(): void;
}

function Marks({ label, marks, onClear }: { label: string; marks: readonly Mark[]; onClear(): void }) {
  if (marks.length === 0) return null;
  const shown = marks.slice(0, mostMarks);
  return (
    <div className={look.marks}>
      <div className={look.fieldHead}>
        <span>{label}</span>
        {marks.length > 1 ? <TextAction onClick={onClear}>all {marks.length} back</TextAction> : null}
      </div>
      <ul>
        {shown.map((mark) => (
          <li key={mark.glob}>
            <span className="mono">{mark.glob}</span>
            {mark.says ? <span>{mark.says}</span> : null}
            <button type="button" aria-label={`${label}, ${mark.glob}: take it away`} onClick={mark.drop}>
              <IconX size={14} aria-hidden="true" />
            </button>
          </li>
        ))}
        {marks.length > shown.length ? <li>and {marks.length - shown.length} more</li> : null}
      </ul>
    </div>
  );
}
