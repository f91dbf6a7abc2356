// Where two recipes differ, line by line; against the parent, what the recipe does.
import type { MethodCard } from '../../../contract/words/method';
import { plural } from '../../format';
import { stepLines } from '../recipe/step-lines';
import { lineDifference } from './line-difference';
import look from './pair.module.css';
import type { Marked } from './pair-panel';

interface DifferenceProps {
  a: Marked | null;
  b: Marked;
  cards: readonly MethodCard[];
}

export function RecipeDifference({ a, b, cards }: DifferenceProps) {
  const linesOf = (marked: Marked | null) => (marked?.row ? stepLines(marked.row.recipe, cards) : []);
  const [inA, inB] = [linesOf(a), linesOf(b)];
  if (inA.length === 0 || inB.length === 0) {
    const [letter, only] = inB.length > 0 ? ['B', inB] : ['A', inA];
    if (only.length === 0) return null;
    return (
      <section>
        <h3 className={look.section}>The recipe of {letter}</h3>
        <pre className={look.recipe}>{only.join('\n')}</pre>
      </section>
    );
  }
  const lines = lineDifference(inA, inB);
  return (
    <section>
      <h3 className={look.section}>
        {lines.length === 0 ? 'The recipes are the same' : `Recipes differ in ${plural(lines.length, 'line')}`}
      </h3>
      {lines.length > 0 ? (
        <pre className={look.recipe}>
          {lines.map((line, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
            <span key={at} data-sign={line.sign}>
              {line.sign} {line.text}
            </span>
          ))}
        </pre>
      ) : null}
    </section>
  );
}
