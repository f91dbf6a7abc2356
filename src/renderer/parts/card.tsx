// Card: a refusal or warning (3 px warn edge) or a failure of ours (bad edge): bold sentence, reason, and the mend as a link that does it.
import type { ReactNode } from 'react';
import type { Refusal } from '../../contract/words/refusal';
import { headAndReason } from '../refusal-words';
import look from './card.module.css';
import { TextAction } from './text-action';

export interface CardProps {
  tone?: 'warn' | 'bad' | 'good';
  title: ReactNode;
  children?: ReactNode;
  mend?: { label: string; act(): void } | null;
}

export const Card = ({ tone = 'warn', title, children, mend }: CardProps) => (
  <div className={look.card} data-tone={tone} role={tone === 'bad' ? 'alert' : undefined}>
    <b>{title}</b>
    {children ? <span className={look.reason}> {children}</span> : null}
    {mend ? (
      <>
        {' '}
        <TextAction onClick={mend.act}>{mend.label}</TextAction>
      </>
    ) : null}
  </div>
);

/** A refusal as the host worded it; `act` does its mend where the page can. */
export function RefusalCard({ refusal, act }: { refusal: Refusal; act?: { label: string; act(): void } | null }) {
  const [head, reason] = headAndReason(refusal);
  const ours = refusal.code === 'failed' || refusal.code === 'engine-died';
  return (
    <Card tone={ours ? 'bad' : 'warn'} title={head} mend={act}>
      {[reason, act ? '' : (refusal.mend ?? '')].filter(Boolean).join(' ')}
      {refusal.place ? <span className={`${look.place} mono`}> {refusal.place}</span> : null}
    </Card>
  );
}
