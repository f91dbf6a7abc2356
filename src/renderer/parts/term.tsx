// Term: a word of the trade with its one sentence where it stands; the formula is one click further.
import { Popover } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { termOf } from '../words';
import look from './term.module.css';
import { TextAction } from './text-action';

export function Term({ id, children }: { id: string; children?: ReactNode }) {
  const term = termOf(id);
  const [formula, setFormula] = useState(false);
  if (!term) return children;
  return (
    <Popover width={280} position="bottom-start" offset={4} onClose={() => setFormula(false)} withinPortal>
      <Popover.Target>
        <button type="button" className={look.term}>
          {children ?? term.term}
        </button>
      </Popover.Target>
      <Popover.Dropdown className={look.card}>
        <div className={look.head}>
          <b>{term.term}</b>
          {term.formula && !formula ? <TextAction onClick={() => setFormula(true)}>formula</TextAction> : null}
        </div>
        <p className={look.text}>{term.sentence}</p>
        {formula ? <p className={`${look.formula} mono`}>{term.formula}</p> : null}
      </Popover.Dropdown>
    </Popover>
  );
}
