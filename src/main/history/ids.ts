// Ids: short, lower case, and found again by any unique beginning of 6 or more characters.
import { randomBytes } from 'node:crypto';
import { refuse } from '../../contract/words/refusal';

/** RFC 4648's alphabet, lower case: no 0, 1, 8 or 9 to be mistaken. */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** 60 random bits. */
export function newId(): string {
  return Array.from(randomBytes(12), (byte) => alphabet[byte & 31]).join('');
}

/** Six characters is the shortest beginning of an id or SHA-256 that is looked up. */
export function isPrefix(text: string): boolean {
  return /^[a-z0-9]{6,64}$/.test(text);
}

/** The one row that was meant, or null when there is none; several are a refusal. */
export function theOne<Row>(prefix: string, rows: readonly Row[], what: string): Row | null {
  if (rows.length > 1) {
    refuse('not-found', `${prefix} is the beginning of ${rows.length} ${what}s.`, 'Give more of its characters.');
  }
  return rows[0] ?? null;
}
