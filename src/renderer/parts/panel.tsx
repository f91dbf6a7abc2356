// Panel: a work surface with a 36 px head (title, a grey clause, tools at the right). No panel inside a panel.
import type { CSSProperties, ReactNode } from 'react';
import { useId } from 'react';
import look from './panel.module.css';

export interface PanelProps {
  title: ReactNode;
  /** Layer names are titles in mono. */
  mono?: boolean;
  clause?: ReactNode;
  tools?: ReactNode;
  /** Padding 12–14 around the body; tables and charts go edge to edge. */
  padded?: boolean;
  /** The body scrolls by itself. */
  scroll?: boolean;
  foot?: ReactNode;
  children: ReactNode;
  style?: CSSProperties;
  className?: string;
}

export function Panel({ title, mono, clause, tools, padded, scroll, foot, children, style, className }: PanelProps) {
  const id = useId();
  return (
    <section className={[look.panel, className].filter(Boolean).join(' ')} style={style} aria-labelledby={id}>
      <header className={look.head}>
        <h2 id={id} className={mono ? `${look.title} ${look.mono} mono` : look.title}>
          {title}
        </h2>
        {clause ? <span className={look.clause}>{clause}</span> : null}
        <span className={look.grow} />
        {tools}
      </header>
      <div
        className={look.body}
        data-padded={padded || undefined}
        data-scroll={scroll || undefined}
        tabIndex={scroll ? 0 : undefined}
      >
        {children}
      </div>
      {foot ? <footer className={look.foot}>{foot}</footer> : null}
    </section>
  );
}
