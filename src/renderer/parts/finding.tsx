// Finding: the page's one h1, in words, with the one action beside it.
import type { ReactNode } from 'react';
import look from './finding.module.css';

export const Finding = ({
  children,
  aside,
  actions,
}: {
  children: ReactNode;
  aside?: ReactNode;
  actions?: ReactNode;
}) => (
  <div className={look.finding}>
    <h1>{children}</h1>
    <span className={look.grow} />
    {aside ? <div className={look.aside}>{aside}</div> : null}
    {actions ? <div className={look.actions}>{actions}</div> : null}
  </div>
);
