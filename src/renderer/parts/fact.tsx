// Fact: a label in ink3 over its value, and a grid of them divided by hairlines.
import type { ReactNode } from 'react';
import look from './fact.module.css';
import { type EvidenceKind, EvidenceMark } from './glyphs';

export const Fact = ({
  label,
  mark,
  children,
  note,
}: {
  label: ReactNode;
  mark?: EvidenceKind;
  children: ReactNode;
  note?: ReactNode;
}) => (
  <div className={look.fact}>
    <dt>
      {mark ? <EvidenceMark kind={mark} /> : null}
      {label}
    </dt>
    <dd>{children}</dd>
    {note ? <dd className={look.note}>{note}</dd> : null}
  </div>
);

export const Facts = ({ columns = 4, children }: { columns?: number; children: ReactNode }) => (
  <dl className={look.facts} style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
    {children}
  </dl>
);
