// Text action: a link that does something, or leads somewhere.
import type { MouseEvent, ReactNode } from 'react';
import { Link } from 'wouter';
import look from './text-action.module.css';

interface TextActionProps {
  children: ReactNode;
  onClick?: (event: MouseEvent) => void;
  href?: string;
  danger?: boolean;
  disabled?: boolean;
}

export const TextAction = ({ children, onClick, href, danger, disabled }: TextActionProps) =>
  href ? (
    <Link href={href} className={look.action} onClick={onClick}>
      {children}
    </Link>
  ) : (
    <button
      type="button"
      className={look.action}
      data-danger={danger || undefined}
      onClick={onClick}
      disabled={disabled}
    >
      {children}
    </button>
  );
