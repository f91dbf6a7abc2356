// The samples A and B answer differently: what is true where that is known, and what each says.

import { useState } from 'react';
import type { LibraryDataset } from '../../../contract/words/dataset';
import { count } from '../../format';
import { TextAction } from '../../parts/text-action';
import { type Point, pairOf } from './front';
import look from './pair.module.css';

const few = 5;
const most = 200;

export function ChangedAnswers({ a, b, dataset }: { a: Point; b: Point; dataset: LibraryDataset | null }) {
  const [all, setAll] = useState(false);
  const pair = pairOf(a, b);
  if (!pair || pair.sides.length === 0) return null;
  const names = dataset?.summary.classNames;
  const named = (answer: number) => names?.[answer] ?? String(answer);
  const shown = pair.sides.slice(0, all ? most : few);
  return (
    <section>
      <h3 className={look.section}>
        Answers that changed
        <span>
          {count(pair.sides.length)} of {count(pair.n)}
          {pair.sides.length > few ? (
            <>
              {' · '}
              <TextAction onClick={() => setAll(!all)}>{all ? 'fewer' : 'see all'}</TextAction>
            </>
          ) : null}
        </span>
      </h3>
      <table className={look.answers}>
        <thead>
          <tr>
            <th scope="col">Sample</th>
            {pair.labelled ? <th scope="col">Truth</th> : null}
            <th scope="col">A says</th>
            <th scope="col">B says</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((side) => (
            <tr key={side.index}>
              <th scope="row">{count(side.index)}</th>
              {pair.labelled ? <td>{side.label === null ? '' : named(side.label)}</td> : null}
              <td>
                <Answer text={named(side.a)} right={pair.labelled ? side.aRight : null} />
              </td>
              <td>
                <Answer text={named(side.b)} right={pair.labelled ? side.bRight : null} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {all && pair.sides.length > most ? <p className={look.more}>{count(pair.sides.length - most)} more.</p> : null}
    </section>
  );
}

const Answer = ({ text, right }: { text: string; right: boolean | null }) =>
  right === null ? (
    text
  ) : (
    <span className={look.answer} data-right={right}>
      {right ? '✓' : '✗'} {text}
      <span className="sr">{right ? ', right' : ', wrong'}</span>
    </span>
  );
