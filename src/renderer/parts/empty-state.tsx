// Empty state: what is not there yet, why that is fine, and the one thing to do about it.
import type { ReactNode } from 'react';
import look from './empty-state.module.css';

export const EmptyState = ({
  picture,
  title,
  children,
  actions,
}: {
  picture?: ReactNode;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}) => (
  <div className={look.empty}>
    {picture ? <div className={look.picture}>{picture}</div> : null}
    <p className={look.title}>{title}</p>
    {children ? <p className={look.text}>{children}</p> : null}
    {actions ? <div className={look.actions}>{actions}</div> : null}
  </div>
);
