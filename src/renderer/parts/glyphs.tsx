// Signs the web subset of the typeface lacks, drawn as wide as a figure, and the marks of evidence.
import look from './glyphs.module.css';

/** ≈ */
export const Approx = () => (
  <svg className={look.glyph} viewBox="0 0 7 10" aria-hidden="true">
    <path d="M.6 4.1c.9-1.5 1.9-1.5 2.9-.7s2 .8 2.9-.7M.6 7.3c.9-1.5 1.9-1.5 2.9-.7s2 .8 2.9-.7" />
  </svg>
);

/** → */
export const Arrow = () => (
  <svg className={look.arrow} viewBox="0 0 12 10" aria-hidden="true">
    <path d="M.8 5.5h10M7.6 2.6l3.2 2.9-3.2 2.9" />
  </svg>
);

export type EvidenceKind = 'measured' | 'predicted' | 'unknown';

/** Filled square, dashed ring, dotted square. */
export const EvidenceMark = ({ kind }: { kind: EvidenceKind }) => (
  <i className={look.mark} data-kind={kind} aria-hidden="true" />
);
