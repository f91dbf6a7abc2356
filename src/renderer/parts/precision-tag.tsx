// Precision tag: the word on a soft fill, with a small bar whose height follows the bits. Never without its word.
import { precisionOf, precisionWord } from '../precision';
import look from './precision-tag.module.css';

export const PrecisionTag = ({ bits, dtype, children }: { bits: number; dtype?: string; children?: string }) => (
  <span className={look.tag} data-precision={precisionOf(bits)}>
    <i aria-hidden="true" />
    {children ?? precisionWord(bits, dtype)}
  </span>
);
